import { attempt } from './attempt.ts'
import type { Store } from './store.ts'
import { startSweep } from './sweep.ts'

/** Some 50 µs of work per step. With the pause, 100 000 entries a second: faster than sign-ins can be started. */
const SWEEP_ENTRIES = 1000
const SWEEP_PAUSE_MS = 10

/** What a store in memory needs. */
export interface MemoryStoreOptions {
  /** Epoch seconds, fractions allowed. */
  readonly now: () => number
  /** Told how many expired entries a step of the sweep reclaimed. */
  readonly onSwept?: (entries: number) => void
}

/** Keeps everything in this process: for tests and for trying it out. A restart signs everyone out. */
export function createMemoryStore({ now, onSwept }: MemoryStoreOptions): Store {
  const entries = new Map<string, { readonly value: string; readonly expiresAt: number }>()
  let closed = false
  const open = () => {
    if (closed) throw new Error('the store is closed')
    return entries
  }
  const find = (key: string) => {
    const entry = open().get(key)
    return entry !== undefined && entry.expiresAt > now() ? entry.value : undefined
  }
  const write = (key: string, value: string, ttlS: number) => {
    open().set(key, { value, expiresAt: now() + ttlS })
    return true
  }
  const take = (key: string) => {
    const value = find(key)
    if (value !== undefined) entries.delete(key)
    return value
  }

  let cursor = entries.entries()
  const stopSweep = startSweep(() => {
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
  }, SWEEP_PAUSE_MS)

  return {
    exclusive: true,
    get: (key) => attempt(() => find(key)),
    set: (key, value, ttlS) => attempt(() => void write(key, value, ttlS)),
    add: (key, value, ttlS) => attempt(() => find(key) === undefined && write(key, value, ttlS)),
    replace: (key, value, ttlS) => attempt(() => find(key) !== undefined && write(key, value, ttlS)),
    take: (key) => attempt(() => take(key)),
    delete: (key) => attempt(() => take(key) !== undefined),
    ping: () => attempt(() => void open()),
    close: () =>
      attempt(() => {
        closed = true
        stopSweep()
        entries.clear()
      }),
  }
}
