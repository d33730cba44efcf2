import { setImmediate as turn } from 'node:timers/promises'
import { attempt } from './attempt.ts'
import { createChannels } from './channels.ts'
import type { Store } from './store.ts'
import { startSweep } from './sweep.ts'
import { createTicks } from './ticks.ts'

/** Some 50 µs of work per step. With the pause, 100 000 entries a second: faster than sign-ins can be started. */
const SWEEP_ENTRIES = 1000
const SWEEP_PAUSE_MS = 10
/** Looked at per turn of the event loop. */
const SCAN_ENTRIES = 1000

/** What a store in memory needs. */
export interface MemoryStoreOptions {
  /** Epoch seconds, fractions allowed. */
  readonly now: () => number
  /** Told how many expired entries a step of the sweep reclaimed. */
  readonly onSwept?: (entries: number) => void
}

/** Member → epoch seconds at which it ends. */
type MemberSet = Map<string, number>
type Entries = Map<string, { readonly value: string | MemberSet; readonly expiresAt: number }>

/** Keeps everything in this process: for tests and for trying it out. A restart signs everyone out. */
export function createMemoryStore({ now, onSwept }: MemoryStoreOptions): Store {
  const entries: Entries = new Map()
  const channels = createChannels()
  let closed = false
  const open = () => {
    if (closed) throw new Error('the store is closed')
    return entries
  }
  const stopSweep = startSweep(buildSweep(entries, now, onSwept), SWEEP_PAUSE_MS)
  const tick = createTicks(now)

  return {
    exclusive: true,
    ...buildValues(open, now),
    ...buildSets(open, now),
    scan: (prefix) => scan(open, now, prefix),
    publish: (channel, message) => attempt(() => void (open() && channels.tell(channel, message))),
    subscribe: (channel, onMessage, onGap) => attempt(() => open() && channels.add(channel, { onMessage, onGap })),
    time: () => attempt(() => (open() ? tick() : 0)),
    ping: () => attempt(() => void open()),
    close: () =>
      attempt(() => {
        closed = true
        stopSweep()
        entries.clear()
        channels.clear()
      }),
  }
}

function buildValues(open: () => Entries, now: () => number) {
  const find = (key: string) => {
    const entry = open().get(key)
    return entry !== undefined && entry.expiresAt > now() ? entry.value : undefined
  }
  const text = (key: string) => {
    const value = find(key)
    return typeof value === 'string' ? value : undefined
  }
  const write = (key: string, value: string | MemberSet, ttlS: number) => {
    open().set(key, { value, expiresAt: now() + ttlS })
    return true
  }
  const remove = (key: string) => find(key) !== undefined && open().delete(key)
  const take = (key: string) => {
    const value = text(key)
    if (value !== undefined) remove(key)
    return value
  }
  const increment = (key: string, ttlS: number) => {
    const count = Number(text(key) ?? 0) + 1
    write(key, String(count), ttlS)
    return count
  }
  const expire = (key: string, ttlS: number) => {
    const value = find(key)
    return value !== undefined && write(key, value, ttlS)
  }

  return {
    get: (key) => attempt(() => text(key)),
    set: (key, value, ttlS) => attempt(() => void write(key, value, ttlS)),
    add: (key, value, ttlS) => attempt(() => find(key) === undefined && write(key, value, ttlS)),
    replace: (key, value, ttlS) => attempt(() => find(key) !== undefined && write(key, value, ttlS)),
    take: (key) => attempt(() => take(key)),
    delete: (key) => attempt(() => remove(key)),
    expire: (key, ttlS) => attempt(() => expire(key, ttlS)),
    swap: (key, expected, value, ttlS) => attempt(() => text(key) === expected && write(key, value, ttlS)),
    deleteIf: (key, expected) => attempt(() => text(key) === expected && remove(key)),
    increment: (key, ttlS) => attempt(() => increment(key, ttlS)),
  } satisfies Partial<Store>
}

function buildSets(open: () => Entries, now: () => number) {
  const find = (key: string): MemberSet => {
    const entry = open().get(key)
    return entry?.value instanceof Map && entry.expiresAt > now() ? entry.value : new Map()
  }
  const keep = (key: string, members: MemberSet, expiresAt: number) => {
    if (members.size === 0) open().delete(key)
    else open().set(key, { value: members, expiresAt })
  }
  const add = (key: string, member: string, ttlS: number) => {
    const members = find(key)
    // Oldest first, so that a set which only ever grows gives back what has ended without being read through.
    for (const [other, expiresAt] of members) {
      if (expiresAt > now()) break
      members.delete(other)
    }
    members.delete(member)
    members.set(member, now() + ttlS)
    keep(key, members, Math.max(now() + ttlS, open().get(key)?.expiresAt ?? 0))
  }
  const read = (key: string) => {
    const at = now()
    const live = [...find(key)].filter(([, expiresAt]) => expiresAt > at)
    const last = live.reduce((latest, [, expiresAt]) => Math.max(latest, expiresAt), 0)
    if (open().get(key)?.value instanceof Map) keep(key, new Map(live), last) // Without members there is no set.
    return live.map(([member]) => member)
  }
  const remove = (key: string, member: string) => {
    if (find(key).delete(member)) read(key)
  }

  return {
    addMember: (key, member, ttlS) => attempt(() => add(key, member, ttlS)),
    removeMember: (key, member) => attempt(() => remove(key, member)),
    members: (key) => attempt(() => read(key)),
  } satisfies Partial<Store>
}

/** A Map's iterator bears with changes: what is removed is left out, and what is added comes after the entries of now. */
async function* scan(open: () => Entries, now: () => number, prefix: string): AsyncGenerator<string> {
  const cursor = (await attempt(open)).entries()
  for (let left = (await attempt(open)).size; left > 0; left -= SCAN_ENTRIES) {
    yield* await attempt(() => {
      open()
      return findNext(cursor, Math.min(left, SCAN_ENTRIES), prefix, now())
    })
    await turn()
  }
}

function findNext(cursor: ReturnType<Entries['entries']>, count: number, prefix: string, at: number): string[] {
  const found: string[] = []
  for (let looked = 0; looked < count; looked++) {
    const next = cursor.next()
    if (next.done) break
    const [key, { expiresAt }] = next.value
    if (key.startsWith(prefix) && expiresAt > at) found.push(key)
  }
  return found
}

function buildSweep(entries: Entries, now: () => number, onSwept?: (entries: number) => void): () => boolean {
  let cursor = entries.entries()
  return () => {
    const at = now()
    let swept = 0
    let more = true
    for (let looked = 0; more && looked < SWEEP_ENTRIES; looked++) {
      const next = cursor.next()
      if (next.done) {
        cursor = entries.entries() // An ended iterator does not see what is written later.
        more = false
      } else if (next.value[1].expiresAt <= at) {
        entries.delete(next.value[0])
        swept++
      }
    }
    onSwept?.(swept)
    return more
  }
}
