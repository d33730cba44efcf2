import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Create, callers } from './subject.ts'

/** What callers rely on when they keep an index: sets whose members end one by one. */
export function testSets(name: string, create: Create): void {
  test(`${name} store: a set has the members that were put in, each once`, async (t) => {
    const { store } = await create(t)
    assert.deepEqual(await store.members('s'), [])
    await store.removeMember('s', 'never there')
    assert.equal(await store.addMember('s', 'a', 10), undefined)
    await store.addMember('s', 'a', 10)
    await store.addMember('s', 'b', 10)
    await store.addMember('s2', 'c', 10)
    assert.deepEqual((await store.members('s')).sort(), ['a', 'b'])
    assert.deepEqual(await store.members('s2'), ['c'])
    assert.equal(await store.removeMember('s', 'a'), undefined)
    assert.deepEqual(await store.members('s'), ['b'])
    await store.removeMember('s', 'b')
    assert.deepEqual(await store.members('s'), [])
    assert.deepEqual(await keys(store.scan('')), ['s2'], 'without members there is no set')
  })

  test(`${name} store: each member ends on its own, and adding it again moves its end, either way`, async (t) => {
    const { store, advance } = await create(t)
    await store.addMember('s', 'short', 1)
    await store.addMember('s', 'long', 10)
    await store.addMember('s', 'prolonged', 1)
    await store.addMember('s', 'prolonged', 10)
    await store.addMember('s', 'shortened', 10)
    await store.addMember('s', 'shortened', 1)
    await advance(1.1)
    assert.deepEqual((await store.members('s')).sort(), ['long', 'prolonged'])
    await store.addMember('s', 'short', 10)
    assert.deepEqual((await store.members('s')).sort(), ['long', 'prolonged', 'short'])
  })

  test(`${name} store: a set lives as long as its longest member, and no longer`, async (t) => {
    const { store, advance } = await create(t)
    await store.addMember('long first', 'a', 10)
    await store.addMember('long first', 'b', 1)
    await store.addMember('long removed', 'a', 10)
    await store.addMember('long removed', 'b', 1)
    await store.removeMember('long removed', 'a')
    await store.addMember('short', 'a', 1)
    assert.deepEqual((await keys(store.scan(''))).sort(), ['long first', 'long removed', 'short'])
    await advance(1.1)
    assert.deepEqual(await store.members('long first'), ['a'])
    assert.deepEqual(await store.members('short'), [])
    assert.deepEqual(await keys(store.scan('')), ['long first'])
  })

  test(`${name} store: a set is removed whole by delete`, async (t) => {
    const { store } = await create(t)
    await store.addMember('s', 'a', 10)
    await store.addMember('s', 'b', 10)
    assert.equal(await store.delete('s'), true)
    assert.equal(await store.delete('s'), false)
    assert.deepEqual(await store.members('s'), [])
  })

  test(`${name} store: many add to and remove from one set at once, and nothing is lost`, async (t) => {
    const { store } = await create(t)
    await callers((n) => store.addMember('s', `old ${n}`, 10))
    await callers((n) => (n % 2 ? store.removeMember('s', `old ${n}`) : store.addMember('s', `new ${n}`, 10)))
    assert.equal((await store.members('s')).length, 20)
  })

  test(`${name} store: members and the names of sets are data, in any script`, async (t) => {
    const { store } = await create(t)
    const strange = ['', 'Zoë 🦊 測試', 'nul\u0000 inside', '-inf', '1e400', '(1', '__proto__']
    for (const one of strange) await store.addMember(`set ${one}`, one, 10)
    for (const one of strange) assert.deepEqual(await store.members(`set ${one}`), [one])
  })
}

async function keys(found: AsyncIterable<string>): Promise<string[]> {
  return [...new Set(await Array.fromAsync(found))]
}
