import type { Store } from '../../src/store/store.ts'
import { type FillPlan, fillSessions } from './sessions.ts'

/** Fills a store by its own verbs: for `memory:`, where those are the fastest there is. @returns the credentials */
export function fillStore(store: Store, plan: FillPlan): Promise<string[]> {
  return fillSessions(plan, async (batch) => {
    for (const { verb, key, value, ttlS } of batch.flat()) await store[verb](key, value, ttlS)
  })
}
