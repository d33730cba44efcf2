import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSignOutMarks } from '../../src/session/sign-out-marks.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'

const ADA = { issuer: 'https://a.example', sub: 'ada', sid: 's1' }

function build() {
  const time = { now: 1_800_000_000 }
  const store = createMemoryStore({ now: () => time.now })
  return { time, store, marks: createSignOutMarks(store) }
}

test('BL-13: a mark of an ended IdP session counts for sign-ins from before it, of that issuer and sid alone', async () => {
  const { store, marks } = build()
  const before = await store.time()
  await marks.markSid('https://a.example', 's1')
  const after = await store.time()
  assert.equal(await marks.isMarked(ADA, before), true)
  assert.equal(await marks.isMarked(ADA, after), false)
  assert.equal(await marks.isMarked({ ...ADA, issuer: 'https://b.example' }, before), false)
  assert.equal(await marks.isMarked({ ...ADA, sid: 's2' }, before), false)
  assert.equal(await marks.isMarked({ ...ADA, sid: undefined }, before), false)
})

test('SC-14: a mark of a user counts for all of that user, one of everybody for everybody', async () => {
  const { store, marks } = build()
  const before = await store.time()
  await marks.markSub('https://a.example', 'ada')
  assert.equal(await marks.isMarked(ADA, before), true)
  assert.equal(await marks.isMarked({ ...ADA, sub: 'bob' }, before), false)
  await marks.markAll()
  const after = await store.time()
  assert.equal(await marks.isMarked({ ...ADA, sub: 'bob' }, before), true)
  assert.equal(await marks.isMarked({ ...ADA, issuer: 'https://b.example', sub: 'carl' }, before), true)
  assert.equal(await marks.isMarked(ADA, after), false)
})

test('BL-13: a mark outlives every sign-in that was under way, and is not kept for ever', async () => {
  const { time, store, marks } = build()
  const before = await store.time()
  await marks.markSid('https://a.example', 's1')
  time.now += 600 + 60 // A transaction, and a handoff after it.
  assert.equal(await marks.isMarked(ADA, before), true)
  time.now += 600
  assert.equal(await marks.isMarked(ADA, before), false)
})

test('BL-13: a sign-in of the same microsecond as the sign-out stays out; one without a sid is out with its user alone', async () => {
  const kept = new Map<string, string>()
  const store = {
    get: async (key: string) => kept.get(key),
    set: async (key: string, value: string) => void kept.set(key, value),
    time: async () => 7_000_000,
  }
  const marks = createSignOutMarks(store)
  await marks.markSub('https://a.example', 'ada')
  const user = { issuer: 'https://a.example', sub: 'ada' }
  const since = (us: number) => marks.isMarked(user, us)
  assert.deepEqual([await since(6_999_999), await since(7_000_000), await since(7_000_001)], [true, true, false])
})
