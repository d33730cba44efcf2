import assert from 'node:assert/strict'
import { test } from 'node:test'
import { longestBlockMs } from './longest-block.ts'
import type { Create } from './subject.ts'

const ENTRIES = 5_000

/** What administration relies on when it walks through everything. */
export function testScan(name: string, create: Create): void {
  test(`${name} store: scan finds every live key with the prefix, and no other`, async (t) => {
    const { store, advance } = await create(t)
    assert.deepEqual(await Array.fromAsync(store.scan('')), [])
    const wanted = ['session:', 'session:{a}', 'session:{a}:used', 'session:Zoë 🦊']
    for (const key of wanted) await store.set(key, 'v', 10)
    for (const key of ['SESSION:{a}', 'sessions', 'session', 'xsession:{a}', 's']) await store.set(key, 'v', 10)
    await store.set('session:ended', 'v', 1)
    await store.set('session:deleted', 'v', 10)
    await store.delete('session:deleted')
    await store.addMember('session:set', 'one', 10)
    await store.addMember('session:set', 'two', 10)
    await advance(1.1)
    const found = await Array.fromAsync(store.scan('session:'))
    assert.deepEqual([...new Set(found)].sort(), [...wanted, 'session:set'].sort())
  })

  test(`${name} store: a prefix is text, not a pattern`, async (t) => {
    const { store } = await create(t)
    const beginnings = ['*', '?', '[a-z]', 'a', '\\', '\\*', '%', '_', '^', '{a}', "'"]
    for (const beginning of beginnings) await store.set(`${beginning}:k`, 'v', 10)
    for (const beginning of beginnings) {
      const found = await Array.fromAsync(store.scan(`${beginning}:`))
      assert.deepEqual([...new Set(found)], [`${beginning}:k`])
    }
  })

  test(`${name} store: scan bears with changes meanwhile, sees what stays, ends, and does not stall`, async (t) => {
    const { store } = await create(t)
    for (let n = 0; n < ENTRIES; n += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, m) => store.set(`k:${n + m}`, 'v', 100)))
    }
    const seen = new Set<string>()
    let changes = 0
    const blockMs = await longestBlockMs(async () => {
      for await (const key of store.scan('k:')) {
        seen.add(key)
        if (seen.size % 10 !== 0) continue
        changes++
        await Promise.all([store.delete(`k:${seen.size * 2 + 1}`), store.set(`k:new ${changes}`, 'v', 100)])
      }
    })
    assert.ok(changes < 2 * ENTRIES)
    for (let n = 0; n < ENTRIES; n += 2) assert.ok(seen.has(`k:${n}`), `k:${n} was there all the time`)
    assert.ok(blockMs < 150, `longest block ${blockMs} ms`)
  })

  test(`${name} store: scan can be left before its end`, async (t) => {
    const { store } = await create(t)
    for (let n = 0; n < 100; n++) await store.set(`k:${n}`, 'v', 100)
    for await (const key of store.scan('k:')) {
      assert.match(key, /^k:/)
      break
    }
    assert.equal(await store.get('k:1'), 'v')
  })
}
