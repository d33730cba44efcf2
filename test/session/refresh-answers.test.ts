import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { BffError } from '../../src/errors.ts'
import { buildRefresh as build } from './build-refresh.ts'
import { countObjects } from './count-objects.ts'

/** @returns code and seconds of the failure, as the caller gets them */
const refusal = (call: Promise<unknown>): Promise<unknown[]> =>
  call.then(
    () => assert.fail('it was not refused'),
    (error: unknown) => (error instanceof BffError ? [error.code, error.retryAfterS] : assert.fail(String(error))),
  )

test('contract §7: whether tokens are due is told without asking anybody, to the second', async (t) => {
  const { time, idp, first, plant } = build(t)
  const found = await plant(61)
  assert.equal(first.refresher.isDue(found), false)
  time.now += 1
  assert.equal(first.refresher.isDue(found), false)
  time.now += 0.5
  assert.equal(first.refresher.isDue(found), true)
  assert.deepEqual(idp.shown, [])
})

test('without a refresh token a session goes on while its access token lives, is refused after that, and is not ended', async (t) => {
  const { idp, first, plant, stored } = build(t)
  const plantWithout = (leftS: number) => plant(leftS, { refreshToken: undefined })
  const [alive, dead] = [await plantWithout(30), await plantWithout(0)]
  assert.equal(await first.ask(alive), 'access-0')
  assert.equal(await first.ask(dead), 'unauthenticated')
  for (const found of [alive, dead]) assert.equal(await first.refresh(found), 'no_refresh_token')
  assert.deepEqual(idp.shown, [])
  for (const found of [alive, dead]) assert.equal((await stored(found))?.tokens.accessToken, 'access-0')
})

test('RF-05: where the IdP does not answer, who has a dead token or wants a new one learns when to try again', async (t) => {
  const { idp, first, second, plant, stored } = build(t)
  idp.answer = async () => ({ kind: 'unavailable', reason: 'the IdP answered 503', retryAfterS: 77 })
  const [dead, alive] = [await plant(0), await plant(900)]
  assert.deepEqual(await refusal(first.refresher.ensureFresh(dead)), ['idp_unavailable', 77])
  assert.deepEqual(await refusal(first.refresher.refresh(alive)), ['idp_unavailable', 77])
  assert.deepEqual(await refusal(second.refresher.ensureFresh(dead)), ['idp_unavailable', 77])
  assert.equal(idp.shown.length, 2, 'it is left in peace meanwhile')
  for (const found of [dead, alive]) assert.equal((await stored(found))?.generation, 1)
})

test('RF-05: a due token that lives still goes on at once when the IdP refuses to answer', async (t) => {
  const { idp, first, plant } = build(t)
  idp.answer = async () => ({ kind: 'unavailable', reason: 'the IdP answered 503' })
  const found = await plant(30)
  assert.equal(await first.ask(found), 'access-0')
  assert.deepEqual(idp.shown, ['refresh-0'])
})

test('SC-13: a due token that lives still goes on while the store is away; a dead one does not', async (t) => {
  const { first, plant } = build(t)
  const [alive, dead] = [await plant(30), await plant(0)]
  first.condition.store = 'away'
  assert.equal(await first.ask(alive), 'access-0')
  assert.equal(await first.ask(dead), 'store_unavailable')
})

test('a fault of our own is no outage: it is thrown, though the token still lives', async (t) => {
  const { idp, first, plant } = build(t)
  for (const fault of [new TypeError('a mistake'), new BffError('server_error', 'another')]) {
    idp.answer = () => Promise.reject(fault)
    await assert.rejects(plant(30).then(first.refresher.ensureFresh), fault)
  }
})

test('RF-04: who asks for new tokens of a session that the IdP ended is told that there is none', async (t) => {
  const { idp, first, plant } = build(t)
  idp.answer = async () => ({ kind: 'invalid_grant' })
  assert.deepEqual(await refusal(plant(900).then(first.refresher.refresh)), ['unauthenticated', undefined])
})

test('RF-03: to drain waits for what is under way, also where nobody else does, and for nothing when nothing is', async (t) => {
  const { idp, first, plant, stored } = build(t)
  await first.refresher.drain()
  const found = await plant(0)
  const { asked, answer } = idp.hang()
  const caller = first.ask(found)
  await asked()
  let isDrained = false
  const drained = first.refresher.drain().then(() => {
    isDrained = true
  })
  for (let round = 0; round < 10; round++) await turn()
  assert.equal(isDrained, false)
  answer()
  await drained
  assert.equal((await stored(found))?.tokens.accessToken, 'access-1')
  assert.equal(await caller, 'access-1')
})

test('RF-03: to drain does not fail with the refresh it waits for', async (t) => {
  const { idp, first, plant } = build(t)
  const { asked, reject } = idp.hang()
  const caller = assert.rejects(plant(0).then(first.refresher.ensureFresh), /broken/)
  await asked()
  const drained = first.refresher.drain()
  reject(new Error('broken'))
  await drained
  await caller
})

test('a refresh that is done leaves neither a timer nor a promise behind', async (t) => {
  const { idp, first, plant } = build(t)
  idp.answer = async () => idp.grant('1')
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const refreshAll = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) assert.equal(await first.ask(await plant(30)), 'access-1')
  }
  await refreshAll(1)
  const [timersBefore, before] = [timers(), countObjects(Promise)]
  await refreshAll(200)
  assert.ok(timers() <= timersBefore, `${timers()} timers run`)
  const kept = countObjects(Promise) - before
  assert.ok(kept < 100, `${kept} promises are left`)
})
