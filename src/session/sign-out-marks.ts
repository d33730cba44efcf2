import type { Store } from '../store/store.ts'
import { ENDED_ALL_KEY, endedSidKey, endedSubKey } from './session-keys.ts'

/** Longer than a sign-in may be under way. */
const MARK_S = 900

/**
 * That somebody was signed out, and when: a sign-in that was under way then must not come alive afterwards, and one that
 * starts later may (BL-13). Told by the store's clock: those of two replicas may be apart by more than lies between a
 * sign-out and the next sign-in.
 */
export interface SignOutMarks {
  markSid(issuer: string, sid: string): Promise<void>
  markSub(issuer: string, sub: string): Promise<void>
  markAll(): Promise<void>
  /** True when this user, this session of the IdP, or everybody was signed out after `sinceUs` (`Store.time`). */
  isMarked(
    user: { readonly issuer: string; readonly sub: string; readonly sid?: string | undefined },
    sinceUs: number,
  ): Promise<boolean>
}

export function createSignOutMarks(store: Pick<Store, 'get' | 'set' | 'time'>): SignOutMarks {
  const mark = async (key: string): Promise<void> => store.set(key, String(await store.time()), MARK_S)

  return {
    markSid: (issuer, sid) => mark(endedSidKey(issuer, sid)),
    markSub: (issuer, sub) => mark(endedSubKey(issuer, sub)),
    markAll: () => mark(ENDED_ALL_KEY),

    async isMarked({ issuer, sub, sid }, sinceUs) {
      const keys = [ENDED_ALL_KEY, endedSubKey(issuer, sub), ...(sid === undefined ? [] : [endedSidKey(issuer, sid)])]
      const marks = await Promise.all(keys.map((key) => store.get(key)))
      return marks.some((endedAtUs) => endedAtUs !== undefined && Number(endedAtUs) >= sinceUs)
    },
  }
}
