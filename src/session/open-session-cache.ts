import type { ChangeWatch, Store } from '../store/store.ts'
import { createSessionCache, type SessionCache } from './session-cache.ts'
import { SESSION_PREFIX, sessionOf } from './session-keys.ts'

/** Sessions per generation: about 3 KB each when opened. */
const GENERATION_MAX = 4096

/**
 * Remembers as much as the store allows. Where only this process writes, whoever changes a session forgets it in the same
 * step. Where others write, the store tells what they change, within a second; while that cannot be relied on, and over a
 * store that does not tell, nothing is remembered.
 *
 * @param keys see `createSessionCache`
 */
export function openSessionCache(store: Pick<Store, 'exclusive' | 'watch'>, keys: () => unknown): SessionCache {
  let watch: ChangeWatch | undefined
  const isCurrent = store.exclusive ? () => true : () => watch?.isCurrent() === true
  const cache = createSessionCache(GENERATION_MAX, keys, isCurrent)
  watch = store.watch?.(SESSION_PREFIX, { onChange: (key) => cache.forget(sessionOf(key)), onGap: cache.forgetAll })
  return cache
}
