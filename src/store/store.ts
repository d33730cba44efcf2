/** One who remembers what was read. Neither function may throw. */
export interface ChangeListener {
  /** A key was written, was removed or ran out: whoever did it, this process included. */
  readonly onChange: (key: string) => void
  /** Changes may have been missed: whatever was read before may be outdated. */
  readonly onGap: () => void
}

/** How far one can rely on being told of changes. */
export interface ChangeWatch {
  /** True while every change that was acknowledged to anybody a second ago or earlier has been told. Costs next to nothing. */
  isCurrent(): boolean
}

/**
 * What outlives a request. Values are opaque, sealed by the caller; each character of one is an octet, U+0000 to U+00FF,
 * and takes one in the store. Keys and members are ASCII and hold no secret. Each verb is one
 * Redis command, or a script that Redis runs as one, so each is atomic across callers and replicas. A key holds either
 * a value or a set. `ttlS`: whole seconds, at least 1.
 *
 * @throws {BffError} store_unavailable from every verb, when the store cannot answer
 */
export interface Store {
  /** The live value, or undefined: unknown, expired and removed are the same. `GET` */
  get(key: string): Promise<string | undefined>
  /** Writes, whatever was there. `SET EX` */
  set(key: string, value: string, ttlS: number): Promise<void>
  /** Writes only where nothing is; true when it wrote. For locks and replay marks. `SET EX NX` */
  add(key: string, value: string, ttlS: number): Promise<boolean>
  /** Writes only over a live value; true when it wrote. So a late write cannot revive an ended session. `SET EX XX` */
  replace(key: string, value: string, ttlS: number): Promise<boolean>
  /** Reads and removes in one step: of many callers, exactly one gets the value. `GETDEL` */
  take(key: string): Promise<string | undefined>
  /** True when something live was removed. `DEL` */
  delete(key: string): Promise<boolean>
  /** Moves the end of a live value; true when there was one. `EXPIRE` */
  expire(key: string, ttlS: number): Promise<boolean>
  /** Writes only over this very value; true when it wrote. So of two late writers at most one wins. */
  swap(key: string, expected: string, value: string, ttlS: number): Promise<boolean>
  /** Removes only this very value: a lease that has passed to another is not given back by its earlier holder. */
  deleteIf(key: string, expected: string): Promise<boolean>
  /** Counts up, from 1; each caller gets a number of its own. For fencing. `INCR`, `EXPIRE` */
  increment(key: string, ttlS: number): Promise<number>

  /** Puts a member into a set, for so long; the set lives as long as its longest member. */
  addMember(key: string, member: string, ttlS: number): Promise<void>
  removeMember(key: string, member: string): Promise<void>
  /** The live members of a set, in no order. */
  members(key: string): Promise<string[]>
  /** Every live key with this prefix, each at least once; what changes meanwhile may be missing. For administration. */
  scan(prefix: string): AsyncIterable<string>

  /** Tells every subscriber on every replica; nobody who subscribes later. */
  publish(channel: string, message: string): Promise<void>
  /**
   * Listens until the returned function is called; a listener must not throw. Survives a reconnect. What is published
   * while the connection is down is lost: `onGap` says when that may have happened.
   */
  subscribe(channel: string, listener: (message: string) => void, onGap?: () => void): Promise<() => void>

  /**
   * Epoch microseconds by the store's own clock, the same for all replicas: what one replica did before another is told
   * by it, however far their clocks are apart. Grows from call to call.
   */
  time(): Promise<number>

  /**
   * Tells of all changes to keys with this prefix, by any process, until the store is closed. What was read while the
   * watch was current, and of which no change was told since the read began, may be served while the watch is current: it
   * is outdated by a second at most. Absent where nobody would tell, and in a store that is `exclusive`, where whoever
   * makes the changes knows them.
   */
  watch?(prefix: string, listener: ChangeListener): ChangeWatch

  /** Resolves when the store answers to a read; for readiness. */
  ping(): Promise<void>
  close(): Promise<void>
  /**
   * True when this process is the only writer, so that what it remembers of a value stays right until it changes it
   * itself. False for a store that other replicas write to.
   */
  readonly exclusive: boolean
}
