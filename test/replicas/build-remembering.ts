import type { SealKey } from '../../src/config.ts'
import { createSessionEvents } from '../../src/session/events.ts'
import type { Session } from '../../src/session/record.ts'
import { createSeal } from '../../src/session/seal.ts'
import { createSessions, type Sessions } from '../../src/session/sessions.ts'
import { createRedisStore } from '../../src/store/redis-store.ts'
import type { ChangeWatch, Store } from '../../src/store/store.ts'
import type { Owner } from '../support/redis.ts'
import { until } from '../support/until.ts'

/** Promised: what ended or changed a second ago is served by no replica. */
export const STALE_MAX_MS = 1000

export const now = (): number => Date.now() / 1000

/** The sessions of one replica over Redis. */
export interface RememberingReplica {
  readonly sessions: Sessions
  readonly store: Store
  /** True while it may serve what it remembers. */
  isCurrent(): boolean
  /** Keys of which its store has told its sessions, in order. */
  readonly told: string[]
  /** What it has in memory; undefined when it would have to ask the store. */
  recall(credential: string): Session | undefined
}

export const KEY: SealKey = { id: 'first', key: Buffer.alloc(32, 1) }

/** @param keys that open and seal, at every moment */
export async function startRememberingReplica(
  owner: Owner,
  url: string,
  keys: () => readonly SealKey[] = () => KEYS,
): Promise<RememberingReplica> {
  const store = createRedisStore(url)
  owner.after(() => store.close())
  const told: string[] = []
  let watch: ChangeWatch | undefined
  const overheard: Store = {
    ...store,
    watch(prefix, { onChange, onGap }) {
      const tell = (key: string): void => {
        onChange(key)
        told.push(key)
      }
      watch = store.watch?.(prefix, { onChange: tell, onGap })
      return watch ?? { isCurrent: () => false }
    },
  }
  const limits = { idleS: 3600, maxS: 36_000 }
  const config = {
    session: { store: 'redis:', browser: limits, app: limits, sameSite: 'strict' as const, claims: [] },
  }
  const seal = createSeal(keys)
  const sessions = createSessions({ store: overheard, seal, events: createSessionEvents(store), config, now })
  const isCurrent = (): boolean => watch?.isCurrent() === true
  await until(isCurrent)
  const recall = (credential: string): Session | undefined => {
    const found = sessions.find(credential)
    if (!(found instanceof Promise)) return found
    found.catch(() => {}) // Nobody asked the store.
    return undefined
  }
  return { sessions, store, isCurrent, told, recall }
}

const KEYS = [KEY]
