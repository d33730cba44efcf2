import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClock } from '../../demo/idp/clock.ts'
import { createMemoryStore } from '../../demo/idp/memory-adapter.ts'

test('a record is found until its time is over, and is then forgotten', async (t) => {
  const clock = createClock()
  t.after(() => clock.restore())
  const store = createMemoryStore()
  const sessions = store.adapter('Session')
  await sessions.upsert('s1', { uid: 'u1', accountId: 'ada' }, 60)
  assert.equal((await sessions.find('s1'))?.accountId, 'ada')
  assert.equal((await sessions.findByUid('u1'))?.accountId, 'ada')
  assert.equal(store.list('Session').length, 1)
  clock.advance(61)
  assert.equal(await sessions.find('s1'), undefined)
  assert.equal(await sessions.findByUid('u1'), undefined)
  assert.equal(store.list('Session').length, 0)
})

test('what a caller does to a record stays with the caller', async () => {
  const tokens = createMemoryStore().adapter('RefreshToken')
  const payload = { scope: 'openid' }
  await tokens.upsert('t1', payload, 60)
  payload.scope = 'changed'
  Object.assign((await tokens.find('t1')) ?? {}, { scope: 'changed' })
  assert.equal((await tokens.find('t1'))?.scope, 'openid')
})

test('revoking a grant ends its tokens and no others; a consumed token is marked', async () => {
  const store = createMemoryStore()
  const tokens = store.adapter('RefreshToken')
  await store.adapter('Grant').upsert('g1', { accountId: 'ada' }, 60)
  for (const [id, grantId] of [
    ['t1', 'g1'],
    ['t2', 'g1'],
    ['t3', 'g2'],
  ] as const) {
    await tokens.upsert(id, { grantId }, 60)
  }
  await tokens.consume('t3')
  store.revokeGrant('g1')
  assert.equal(await tokens.find('t1'), undefined)
  assert.equal(await tokens.find('t2'), undefined)
  assert.equal(await store.adapter('Grant').find('g1'), undefined)
  assert.equal(typeof (await tokens.find('t3'))?.consumed, 'number')
})

test('many thousand records of one kind push out no other', async () => {
  const store = createMemoryStore()
  await store.adapter('Session').upsert('s1', { uid: 'u1' }, 60)
  const codes = store.adapter('AuthorizationCode')
  for (let index = 0; index < 12_000; index += 1) await codes.upsert(`c${index}`, { grantId: `g${index}` }, 60)
  assert.notEqual(await store.adapter('Session').find('s1'), undefined)
  assert.equal(store.list('AuthorizationCode').length, 12_000)
})

test('two clocks add up, and each takes back only its own', () => {
  const realNow = Date.now
  const [one, two] = [createClock(), createClock()]
  one.advance(100)
  two.offsetS = 1000
  assert.ok(Math.abs(Date.now() - realNow() - 1_100_000) < 1000)
  one.restore()
  assert.ok(Math.abs(Date.now() - realNow() - 1_000_000) < 1000)
  assert.throws(() => two.advance(Number.NaN))
  two.restore()
  assert.equal(Date.now, realNow)
})
