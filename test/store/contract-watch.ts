import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../../src/store/store.ts'
import { until } from '../support/until.ts'
import type { Create } from './subject.ts'
import { watchStore } from './watch-store.ts'

/** Each verb that changes something, on a key that is a value `v`, or a set with the member `m`. */
const CHANGES: readonly (readonly [verb: string, change: (store: Store, key: string) => Promise<unknown>])[] = [
  ['set', (store, key) => store.set(key, 'w', 100)],
  ['replace', (store, key) => store.replace(key, 'w', 100)],
  ['take', (store, key) => store.take(key)],
  ['delete', (store, key) => store.delete(key)],
  ['expire', (store, key) => store.expire(key, 50)],
  ['swap', (store, key) => store.swap(key, 'v', 'w', 100)],
  ['deleteIf', (store, key) => store.deleteIf(key, 'v')],
]
const ADDITIONS: typeof CHANGES = [
  ['add', (store, key) => store.add(key, 'v', 100)],
  ['increment', (store, key) => store.increment(key, 100)],
  ['addMember', (store, key) => store.addMember(key, 'm', 100)],
]

/** What is read may be remembered where nobody else writes, or where the store tells of what others write. */
export type Remembering = 'alone' | 'told' | 'never'

export function testWatch(name: string, remembering: Remembering, create: Create): void {
  test(`${name} store: whether what is read may be remembered: ${remembering}`, async (t) => {
    const { store } = await create(t)
    assert.deepEqual([store.exclusive, store.watch !== undefined], [remembering === 'alone', remembering === 'told'])
  })
  if (remembering !== 'told') return

  test(`${name} store: every verb that changes a key tells of it, and no other does`, async (t) => {
    const { store } = await create(t)
    for (const [verb] of CHANGES) await store.set(`watched:${verb}`, 'v', 100)
    await store.addMember('watched:removeMember', 'm', 100)
    const { told, isCurrent } = watchStore(store)
    await until(isCurrent)
    for (const [verb, change] of [...CHANGES, ...ADDITIONS]) {
      for (const prefix of ['', 'watched', 'Watched:']) await change(store, prefix + verb) // Of others nothing is told.
      await change(store, `watched:${verb}`)
      await until(() => told.includes(`watched:${verb}`))
    }
    await store.removeMember('watched:removeMember', 'm')
    await until(() => told.includes('watched:removeMember'))
    told.length = 0
    await store.get('watched:set')
    await store.replace('watched:delete', 'late', 100)
    await store.swap('watched:set', 'v', 'late', 100)
    await store.deleteIf('watched:set', 'v')
    await store.set('watched:last', 'v', 100)
    await until(() => told.includes('watched:last'))
    assert.deepEqual(told, ['watched:last'])
  })

  test(`${name} store: it tells of what has run out`, async (t) => {
    const { store, advance } = await create(t)
    await store.set('watched:a', 'v', 1)
    const { told, isCurrent } = watchStore(store)
    await until(isCurrent)
    await advance(1.1)
    assert.equal(await store.get('watched:a'), undefined)
    await until(() => told.includes('watched:a'))
  })
}
