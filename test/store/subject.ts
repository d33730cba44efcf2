import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Store } from '../../src/store/store.ts'

/** An empty store, and a way to let time pass: by moving its clock, or by waiting where the clock is not ours. */
export interface Subject {
  readonly store: Store
  readonly advance: (seconds: number) => void | Promise<void>
}

/** Called once per test. */
export type Create = (t: TestContext) => Subject | Promise<Subject>

/** Twenty at once. */
export const callers = <T>(work: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: 20 }, (_, n) => work(n)))

/** Every verb once, for what all of them have in common. */
export const everyVerb = (store: Store): readonly (readonly [verb: keyof Store, call: () => Promise<unknown>])[] => [
  ['get', () => store.get('k')],
  ['set', () => store.set('k', 'v', 10)],
  ['add', () => store.add('k', 'v', 10)],
  ['replace', () => store.replace('k', 'v', 10)],
  ['take', () => store.take('k')],
  ['delete', () => store.delete('k')],
  ['expire', () => store.expire('k', 10)],
  ['swap', () => store.swap('k', 'v', 'w', 10)],
  ['deleteIf', () => store.deleteIf('k', 'v')],
  ['increment', () => store.increment('n', 10)],
  ['addMember', () => store.addMember('s', 'm', 10)],
  ['removeMember', () => store.removeMember('s', 'm')],
  ['members', () => store.members('s')],
  ['scan', () => Array.fromAsync(store.scan(''))],
  ['publish', () => store.publish('c', 'm')],
  ['subscribe', () => store.subscribe('c', () => {})],
  ['time', () => store.time()],
  ['ping', () => store.ping()],
]

export const UNAVAILABLE = { name: 'BffError', code: 'store_unavailable' }

/** Two seconds are promised for every verb; the rest is for a machine that is busy with other tests. */
export const VERB_MAX_MS = 3_500

/** Every verb says store_unavailable, and soon. */
export async function assertAllFail(store: Store): Promise<void> {
  const startedAt = performance.now()
  await Promise.all(everyVerb(store).map(([verb, call]) => assert.rejects(call(), UNAVAILABLE, verb)))
  const tookMs = performance.now() - startedAt
  assert.ok(tookMs < VERB_MAX_MS, `${tookMs} ms`)
}
