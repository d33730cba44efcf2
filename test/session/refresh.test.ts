import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSessionEvents } from '../../src/session/events.ts'
import { storeDown } from '../plugins/build-service.ts'
import { until } from '../support/until.ts'
import { buildRefresh as build } from './build-refresh.ts'

// Side by side: where the code really waits, all wait at once.
describe('refresh', { concurrency: true }, () => {
  test('contract §7: tokens are renewed in their last minute, or the last tenth of a short life', async (t) => {
    for (const lifeS of [36_000, 900, 300]) {
      const notDueS = lifeS === 300 ? 30 : 60
      const { time, idp, first, plant } = build(t)
      const plantOf = (leftS: number) => plant(leftS, { obtainedAt: time.now + leftS - lifeS })
      assert.equal(await first.ask(await plantOf(notDueS)), 'access-0')
      assert.deepEqual(idp.shown, [])
      assert.equal(await first.ask(await plantOf(notDueS - 1)), 'access-1')
    }
  })

  test('RF-02: fifty callers on two replicas take one token request, and all get its result', async (t) => {
    const { idp, first, second, shared, plant } = build(t)
    const leases = t.mock.method(shared, 'add')
    const found = await plant(0)
    const callers = Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? first : second).ask(found))
    assert.deepEqual(new Set(await Promise.all(callers)), new Set(['access-1']))
    assert.deepEqual([idp.shown, leases.mock.callCount() <= 2], [['refresh-0'], true])
  })

  test('RF-02: what became of a refresh under another client is not the answer to this one', async (t) => {
    const { idp, first, plant, refreshInto } = build(t)
    const found = await plant(0)
    assert.equal(await refreshInto('no swaps', found), 'store_unavailable')
    first.config.idp.clientId = 'another'
    const caller = first.ask(found)
    await sleep(300)
    first.condition.store = 'up'
    assert.equal(await caller, 'access-1')
    assert.deepEqual(idp.shown, ['refresh-0'])
  })

  test("CB-12: another issuer's refresh token is shown to nobody: what is alive goes on, what is dead is over", async (t) => {
    const { idp, first, plant } = build(t)
    const plantOther = (leftS: number) => plant(leftS, {}, 'https://other.example')
    assert.equal(await first.ask(await plantOther(30)), 'access-0')
    assert.equal(await first.ask(await plantOther(0)), 'unauthenticated')
    assert.equal(await first.refresh(await plantOther(900)), 'unauthenticated')
    assert.deepEqual(idp.shown, [])
  })

  test('RF-05: a due but living token goes on in about two seconds when the IdP hangs; its answer counts later', async (t) => {
    const { idp, first, plant, stored } = build(t)
    const found = await plant(30)
    const { answer } = idp.hang()
    const startedAt = performance.now()
    assert.equal(await first.ask(found), 'access-0')
    const waitedMs = performance.now() - startedAt
    assert.ok(waitedMs > 1500 && waitedMs < 3500, `${waitedMs} ms`)
    answer()
    await until(async () => (await stored(found))?.generation === 2)
    assert.equal(await first.ask(found), 'access-1')
    assert.deepEqual(idp.shown, ['refresh-0'])
  })

  test('RF-03: with a dead token the caller waits for the IdP, however long that takes, and until its answer is stored', async (t) => {
    const { idp, first, shared, plant, stored } = build(t)
    const found = await plant(0)
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const { swap } = shared
    shared.swap = async (key, ...rest) => {
      if (key === found.key) await released
      return swap(key, ...rest)
    }
    const { answer } = idp.hang()
    const caller = first.ask(found)
    assert.equal(await Promise.race([caller, sleep(2300, 'waits')]), 'waits')
    answer()
    assert.equal(await Promise.race([caller, sleep(200, 'waits')]), 'waits')
    release()
    assert.deepEqual([await caller, (await stored(found))?.tokens.refreshToken], ['access-1', 'refresh-1'])
  })

  test('RF-03: a replica that dies with the new tokens loses nothing: after its lease another shows the old token', async (t) => {
    const { time, idp, first, second, plant, stored, refreshInto } = build(t)
    const found = await plant(0)
    void refreshInto('dead', found)
    await until(() => first.condition.store === 'dead')
    idp.answer = async () => idp.grant('2')
    const caller = second.ask(found)
    assert.equal(await Promise.race([caller, sleep(300, 'waits')]), 'waits')
    assert.equal(idp.shown.length, 1, 'not while the lease may be of a living holder')
    time.now += 5
    assert.equal(await caller, 'access-2')
    assert.deepEqual(idp.shown, ['refresh-0', 'refresh-0'])
    assert.equal((await stored(found))?.tokens.refreshToken, 'refresh-2')
  })

  test('RF-03: while the store is away the new tokens are held: callers get 503 soon, nobody shows the old token', async (t) => {
    const { time, idp, first, second, plant, stored, refreshInto } = build(t)
    const found = await plant(0)
    second.condition.store = 'away'
    const startedAt = performance.now()
    assert.equal(await refreshInto('away', found), 'store_unavailable')
    for (const { ask } of [first, second]) assert.equal(await ask(found), 'store_unavailable')
    assert.ok(performance.now() - startedAt < 2500, 'nobody waits for the store')
    await sleep(300)
    assert.equal(await first.refresh(found), 'store_unavailable')
    time.now += 10 // Longer than the lease.
    for (const { condition } of [first, second]) condition.store = 'up'
    for (const { ask } of [second, first]) assert.equal(await ask(found), 'access-1')
    assert.equal((await stored(found))?.tokens.refreshToken, 'refresh-1')
    assert.deepEqual([idp.shown, idp.revoked], [['refresh-0'], []])
  })

  test('RF-03: the holder after one that was cut off waits for it to write, and then uses its tokens', async (t) => {
    const { time, idp, first, second, plant, refreshInto } = build(t)
    const found = await plant(0)
    assert.equal(await refreshInto('away', found), 'store_unavailable')
    time.now += 5
    const caller = second.ask(found)
    await sleep(1000)
    first.condition.store = 'up'
    assert.equal(await caller, 'access-1')
    assert.deepEqual(idp.shown, ['refresh-0'])
  })

  test('RF-03: tokens whose write was carried out but not answered are used, not revoked', async (t) => {
    const { idp, first, shared, plant } = build(t)
    const found = await plant(0)
    const { swap } = shared
    shared.swap = async (key, ...rest) => {
      const wrote = await swap(key, ...rest)
      if (key !== found.key) return wrote
      shared.swap = swap
      throw storeDown()
    }
    assert.equal(await first.ask(found), 'access-1')
    assert.deepEqual([idp.shown, idp.revoked], [['refresh-0'], []])
  })

  test('RF-02: a session that ends during its refresh stays ended, and both new tokens are revoked', async (t) => {
    const { idp, first, second, plant, stored } = build(t)
    const found = await plant(0)
    const { asked, answer } = idp.hang()
    const caller = first.ask(found)
    await asked()
    await second.sessions.end(found.key, 'logout')
    answer()
    assert.deepEqual([await caller, await stored(found)], ['unauthenticated', undefined])
    assert.deepEqual(idp.revoked, ['refresh-1', 'access-1'])
  })

  test('RF-04: invalid_grant ends the session for all, and the same token is not shown again', async (t) => {
    const { idp, first, second, plant, stored } = build(t)
    const found = await plant(0)
    idp.answer = async () => ({ kind: 'invalid_grant' })
    assert.equal(await first.ask(found), 'unauthenticated')
    assert.deepEqual([await stored(found), await second.sessions.findEnd(found.key)], [undefined, 'revoked'])
    for (const { ask } of [first, second]) assert.equal(await ask(found), 'unauthenticated')
    assert.deepEqual(idp.shown, ['refresh-0'])
  })

  for (const [afterS, known, outcome, shown] of [
    [29, 'refresh-0', 'access-2', ['refresh-1', 'refresh-0']],
    [29, 'neither', 'unauthenticated', ['refresh-1', 'refresh-0']],
    [30, 'refresh-0', 'unauthenticated', ['refresh-1']],
  ] as const) {
    test(`RF-04: ${afterS} s after a rotation, an IdP that knows ${known} is shown ${shown.join(', then ')}`, async (t) => {
      const { time, idp, first, plant } = build(t)
      const renewed = await first.refresher.refresh(await plant(900))
      idp.answer = async ({ refreshToken: r }) => (r === known ? idp.grant('2') : { kind: 'invalid_grant' })
      time.now += afterS
      assert.equal(await first.refresh(renewed), outcome)
      assert.deepEqual(idp.shown, ['refresh-0', ...shown])
    })
  }

  test('RF-06: a successor of the shown token is stored, though nothing else is believed, and shown next', async (t) => {
    const { time, idp, first, second, shared, plant, stored } = build(t)
    const found = await plant(0)
    const heard: string[] = []
    await createSessionEvents(shared).listen(found.key, ({ type }) => void heard.push(type))
    idp.answer = async () => ({ kind: 'unavailable', reason: 'no keys', retryAfterS: 3, successor: 'refresh-next' })
    assert.equal(await first.ask(found), 'idp_unavailable')
    const { generation, tokens } = (await stored(found)) ?? assert.fail('it ended')
    assert.deepEqual([generation, tokens.accessToken, tokens.refreshToken], [1, 'access-0', 'refresh-next'])
    assert.deepEqual(heard, [])
    idp.answer = async () => idp.grant('2')
    time.now += 3
    assert.equal(await second.ask(found), 'access-2')
    assert.deepEqual([idp.shown, heard], [['refresh-0', 'refresh-next'], ['refreshed']])
  })

  test('a refresh that breaks when nobody waits for it any more is no unhandled failure', async (t) => {
    const unhandled = t.mock.fn()
    process.once('unhandledRejection', unhandled)
    const { idp, first, plant } = build(t)
    const { reject } = idp.hang()
    assert.equal(await first.ask(await plant(30)), 'access-0')
    reject(new Error('broken'))
    await sleep(100)
    assert.equal(unhandled.mock.callCount(), 0)
  })
})
