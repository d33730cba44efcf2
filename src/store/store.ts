/**
 * What outlives a request. Values are opaque strings, sealed by the caller; keys hold no secret. Each verb is one
 * Redis command, so each is atomic across callers and replicas. `ttlS`: whole seconds, at least 1.
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
  /** Resolves when the store answers; for readiness. `PING` */
  ping(): Promise<void>
  close(): Promise<void>
  /**
   * True when this process is the only writer, so that what it remembers of a value stays right until it changes it
   * itself. False for a store that other replicas write to.
   */
  readonly exclusive: boolean
}
