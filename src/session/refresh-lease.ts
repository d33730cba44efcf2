import { randomInt } from 'node:crypto'
import type { Store } from '../store/store.ts'
import { createSecret } from './credential.ts'

/** A lease outlives a holder that died by so much; a living one renews it. */
const LEASE_S = 5
const RENEW_MS = 1500

/** Longer than a holder that lost its lease may still hold tokens that it could not write. */
const FENCE_S = 120

/** After failures of one session's refresh nobody tries for 1, 2, 4 … 30 s, each between half and whole. */
const REST_MAX_S = 30
const FAILURES_S = 120

/** How long an IdP may close this service with one `Retry-After`: it may be back long before its maintenance page. */
const RETRY_AFTER_MAX_S = 120

/** Followed by when the rest ends, in epoch microseconds by the store's clock. */
const RESTING = 'resting:'

/** The right to refresh one session. */
export interface Lease {
  /**
   * 1, and one more with every holder that neither gave its lease back nor let it rest: above 1, an earlier holder died,
   * or is cut off from the store and may hold tokens that it is about to write.
   */
  readonly fence: number
  /** Gives it back, unless it has passed on meanwhile. */
  release(): Promise<void>
  /**
   * Turns it into a rest after a failure, for all replicas.
   *
   * @param retryAfterS what the IdP asked for, granted up to two minutes; otherwise the rest doubles with each failure
   * @returns seconds
   */
  rest(retryAfterS: number | undefined): Promise<number>
}

/** Whether one may refresh now: yes; another does; or the IdP just failed and is left in peace. */
export type LeaseAnswer =
  | { readonly kind: 'held'; readonly lease: Lease }
  | { readonly kind: 'taken' }
  | { readonly kind: 'resting'; readonly retryAfterS: number }

export type LeaseStore = Pick<Store, 'add' | 'get' | 'swap' | 'deleteIf' | 'increment' | 'delete' | 'time'>

const leaseKey = (sessionKey: string): string => `${sessionKey}:lease`
const fenceKey = (sessionKey: string): string => `${sessionKey}:fence`
const failuresKey = (sessionKey: string): string => `${sessionKey}:failures`

/** @throws {BffError} store_unavailable */
export async function takeLease(store: LeaseStore, sessionKey: string): Promise<LeaseAnswer> {
  const key = leaseKey(sessionKey)
  const state = await readLease(store, sessionKey)
  if (state.kind !== 'free') return state
  const value = createSecret(16)
  if (!(await store.add(key, value, LEASE_S))) return { kind: 'taken' }
  const fence = await store.increment(fenceKey(sessionKey), FENCE_S)
  return { kind: 'held', lease: hold(store, sessionKey, value, fence) }
}

/** How the lease stands, for those who watch it. */
export async function readLease(
  store: Pick<Store, 'get' | 'time'>,
  sessionKey: string,
): Promise<{ readonly kind: 'free' } | Exclude<LeaseAnswer, { kind: 'held' }>> {
  const value = await store.get(leaseKey(sessionKey))
  if (value === undefined) return { kind: 'free' }
  if (!value.startsWith(RESTING)) return { kind: 'taken' }
  const leftUs = Number(value.slice(RESTING.length)) - (await store.time())
  return { kind: 'resting', retryAfterS: Math.min(RETRY_AFTER_MAX_S, Math.max(1, Math.ceil(leftUs / 1e6) || 1)) }
}

function hold(store: LeaseStore, sessionKey: string, value: string, fence: number): Lease {
  const key = leaseKey(sessionKey)
  const renew = (): void => {
    // A failure to renew ends the lease early; what is written then is still held against what was read.
    store.swap(key, value, value, LEASE_S).catch(() => {})
  }
  const timer = setInterval(renew, RENEW_MS)
  timer.unref()

  return {
    fence,

    async release() {
      clearInterval(timer)
      // While the lease is ours, so that nobody can have taken it; not ours any more, the fence is of the holder after us.
      if (await store.swap(key, value, value, LEASE_S)) {
        await store.delete(fenceKey(sessionKey))
        await store.deleteIf(key, value)
      }
      await store.delete(failuresKey(sessionKey))
    },

    async rest(retryAfterS) {
      clearInterval(timer)
      const failures = await store.increment(failuresKey(sessionKey), FAILURES_S)
      const restS =
        retryAfterS === undefined
          ? jitter(Math.min(REST_MAX_S, 2 ** (failures - 1)))
          : Math.min(RETRY_AFTER_MAX_S, retryAfterS)
      const restingUntil = `${RESTING}${(await store.time()) + restS * 1e6}`
      if (await store.swap(key, value, restingUntil, restS)) await store.delete(fenceKey(sessionKey))
      return restS
    },
  }
}

/** Between half and whole, at least 1: or all that failed together would come back together. */
const jitter = (seconds: number): number => Math.max(1, Math.round(seconds * (randomInt(500, 1001) / 1000)))
