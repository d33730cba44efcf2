import type { Metrics } from '../metrics.ts'
import type { Store } from './store.ts'

/** Verbs that ask once and answer once. A subscription lasts, and a scan is as long as the store is large. */
const TIMED = [
  'get',
  'set',
  'add',
  'replace',
  'take',
  'delete',
  'expire',
  'swap',
  'deleteIf',
  'increment',
  'addMember',
  'removeMember',
  'members',
  'publish',
  'time',
  'ping',
] as const satisfies readonly (keyof Store)[]

/** The same store, with the time that each answer takes, and whether it came, in the metrics. */
export function timeStore(store: Store, { storeDuration }: Pick<Metrics, 'storeDuration'>): Store {
  const timed: Store = Object.create(store) // What is not timed is the store's own.
  for (const verb of TIMED) {
    const ok = storeDuration.labels({ verb, outcome: 'ok' })
    const failed = storeDuration.labels({ verb, outcome: 'failed' })
    const ask = async (...given: unknown[]): Promise<unknown> => {
      const askedAt = performance.now()
      let outcome = failed
      try {
        const answer: unknown = await Reflect.apply(store[verb], store, given)
        outcome = ok
        return answer
      } finally {
        outcome.observe((performance.now() - askedAt) / 1000)
      }
    }
    Object.defineProperty(timed, verb, { value: ask })
  }
  return timed
}
