import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { longestBlockMs } from './longest-block.ts'
import { testStore } from './store-contract.ts'

function create(t: TestContext, onSwept?: (entries: number) => void) {
  let now = 1_700_000_000.25
  const store = createMemoryStore({ now: () => now, ...(onSwept && { onSwept }) })
  t.after(() => store.close())
  const advance = (seconds: number) => {
    now += seconds
  }
  return { store, advance }
}

testStore('memory', 'alone', (t) => create(t))

test('memory store: ends at the very instant, also between two seconds', async (t) => {
  const { store, advance } = create(t)
  await store.set('k', 'v', 1)
  advance(0.5)
  assert.equal(await store.get('k'), 'v')
  advance(0.5)
  assert.equal(await store.get('k'), undefined)
})

test('memory store: is the only writer', (t) => {
  assert.equal(create(t).store.exclusive, true)
})

test('memory store: reclaims an abandoned flood round after round, keeps the living, and never stalls', async (t) => {
  const flood = 50_000
  let swept = 0
  let largest = 0
  let told = Promise.withResolvers<void>()
  const { store, advance } = create(t, (entries) => {
    largest = Math.max(largest, entries)
    swept += entries
    if (swept >= flood) told.resolve()
  })
  for (const round of [1, 2]) {
    swept = 0
    told = Promise.withResolvers()
    for (let n = 0; n < flood; n++) await store.set(`flood ${n}`, 'v', 600)
    await store.set(`alive ${round}`, 'v', 100_000)
    advance(601)
    const blockMs = await longestBlockMs(() => told.promise)
    assert.equal(swept, flood)
    assert.ok(blockMs < 150, `longest block ${blockMs} ms`)
  }
  assert.ok(largest <= 1000, `${largest} entries in one step`)
  assert.equal(await store.get('alive 1'), 'v')
  assert.equal(await store.get('alive 2'), 'v')
})
