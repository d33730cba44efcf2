import type { Store } from '../store/store.ts'
import { endedSidKey, endedSubKey } from './session-keys.ts'

/** Longer than a sign-in may be under way. */
const MARK_S = 900

/**
 * That somebody was signed out, and when: a sign-in that was under way then must not come alive afterwards, and one that
 * starts later may (BL-13).
 */
export interface SignOutMarks {
  markSid(issuer: string, sid: string): Promise<void>
  markSub(issuer: string, sub: string): Promise<void>
  /** True when this user, or this session of the IdP, was signed out after `sinceMs` (epoch milliseconds). */
  isMarked(
    user: { readonly issuer: string; readonly sub: string; readonly sid?: string | undefined },
    sinceMs: number,
  ): Promise<boolean>
}

/** @param now epoch seconds */
export function createSignOutMarks(store: Pick<Store, 'get' | 'set'>, now: () => number): SignOutMarks {
  const mark = (key: string): Promise<void> => store.set(key, String(now() * 1000), MARK_S)

  return {
    markSid: (issuer, sid) => mark(endedSidKey(issuer, sid)),
    markSub: (issuer, sub) => mark(endedSubKey(issuer, sub)),

    async isMarked({ issuer, sub, sid }, sinceMs) {
      const keys = [endedSubKey(issuer, sub), ...(sid === undefined ? [] : [endedSidKey(issuer, sid)])]
      const marks = await Promise.all(keys.map((key) => store.get(key)))
      return marks.some((endedAtMs) => endedAtMs !== undefined && Number(endedAtMs) >= sinceMs)
    },
  }
}
