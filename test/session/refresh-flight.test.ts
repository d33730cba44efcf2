import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { BffError } from '../../src/errors.ts'
import type { RefreshOutcome } from '../../src/idp/refresh-tokens.ts'
import { storeDown } from '../plugins/build-service.ts'
import { until } from '../support/until.ts'
import { buildRefresh as build } from './build-refresh.ts'

/** What the IdP grants, changed by a test. */
type Granted = Extract<RefreshOutcome, { kind: 'refreshed' }>['tokens']
type Changes = { readonly [name in keyof Granted]?: Granted[name] | undefined }
const change = (outcome: RefreshOutcome, changes: Changes): RefreshOutcome =>
  outcome.kind === 'refreshed' ? { ...outcome, tokens: { ...outcome.tokens, ...changes } as Granted } : assert.fail()

describe('a refresh, step by step', { concurrency: true }, () => {
  test('RF-02: one refresh after another is begun at once: each gives its lease back', async (t) => {
    const { idp, first, second, plant } = build(t)
    let found = await plant(900)
    const startedAt = performance.now()
    for (const { refresher } of [first, second, first, second]) found = await refresher.refresh(found)
    assert.ok(performance.now() - startedAt < 2000, 'nobody waits for a lease to run out')
    assert.deepEqual(idp.shown, ['refresh-0', 'refresh-1', 'refresh-2', 'refresh-3'])
    assert.equal(found.record.generation, 5)
  })

  test('RF-02: who comes with what was found before a refresh gets its result, and the IdP is not asked again', async (t) => {
    const { idp, first, second, plant } = build(t)
    const found = await plant(0)
    assert.equal(await first.ask(found), 'access-1')
    assert.equal(await second.ask(found), 'access-1')
    assert.deepEqual(idp.shown, ['refresh-0'])
  })

  test('RF-05: while the IdP rests, what was renewed before still counts, and who has that already is refused', async (t) => {
    const { idp, first, second, plant } = build(t)
    const found = await plant(0)
    const renewed = await first.refresher.refresh(found)
    idp.answer = async () => ({ kind: 'unavailable', reason: 'down', retryAfterS: 60 })
    assert.equal(await first.refresh(renewed), 'idp_unavailable')
    assert.equal(await second.ask(found), 'access-1')
    assert.equal(await second.refresh(renewed), 'idp_unavailable')
    assert.equal(idp.shown.length, 2)
    await second.sessions.end(found.key, 'logout')
    assert.equal(await second.ask(found), 'unauthenticated')
  })

  test('RF-05: with each failure the rest grows, since a rest is not the end of it', async (t) => {
    const { time, idp, first, plant, logged } = buildLogged(t)
    const found = await plant(0)
    idp.answer = async () => ({ kind: 'unavailable', reason: 'down' })
    const rests: number[] = []
    for (let failure = 0; failure < 6; failure++) {
      const error: unknown = await first.refresher.ensureFresh(found).catch((cause: unknown) => cause)
      const { retryAfterS = 0 } = error as { retryAfterS?: number }
      rests.push(retryAfterS)
      time.now += retryAfterS
    }
    assert.ok((rests[5] ?? 0) >= 15, rests.join(' '))
    const entry = { event: 'refresh_failed', session: found.record.id, reason: 'down' }
    assert.deepEqual(logged, Array(6).fill(entry))
  })

  test('RF-03: a store that fails at the very end takes nothing back: the lease runs out by itself', async (t) => {
    const { first, shared, plant } = build(t)
    shared.delete = () => Promise.reject(storeDown())
    assert.equal(await first.ask(await plant(0)), 'access-1')
  })

  test('an IdP that does not rotate keeps its refresh token, and what it leaves out of the claims stays', async (t) => {
    const { time, idp, first, plant, stored, logged } = buildLogged(t)
    time.now += 0.7
    const found = await plant(0)
    const idTokenClaims = { iss: 'https://idp.example.net', sub: 'ada', email: 'ada@example.com' }
    const tokens = { refreshToken: undefined, idToken: 'i2', scope: 'openid x', idTokenClaims }
    idp.answer = async () => change(idp.grant('1'), tokens)
    assert.equal(await first.ask(found), 'access-1')
    const record = await stored(found)
    assert.deepEqual(record?.tokens, {
      accessToken: 'access-1',
      accessTokenExpiresAt: time.now + 900,
      obtainedAt: 1_800_000_000,
      refreshToken: 'refresh-0',
      idToken: 'i2',
      scope: 'openid x',
    })
    assert.deepEqual([record.claims, record.generation], [{ name: 'Ada' }, 2])
    assert.deepEqual(logged, [{ event: 'refreshed', session: record.id, generation: 2 }])
  })

  test('ID-17: a claim that changed since is taken over, one that the configuration does not name is not', async (t) => {
    const { idp, first, plant, stored } = build(t)
    const idTokenClaims = { iss: 'https://idp.example.net', sub: 'ada', name: 'Ada King', email: 'ada@example.com' }
    idp.answer = async () => change(idp.grant('1'), { idTokenClaims })
    const found = await plant(0)
    await first.ask(found)
    assert.deepEqual((await stored(found))?.claims, { name: 'Ada King' })
  })

  test('RF-04: after a rotation the token before is kept for half a minute, counted in whole seconds', async (t) => {
    const { time, first, plant, stored } = build(t)
    time.now += 0.7
    const found = await plant(0)
    await first.ask(found)
    assert.deepEqual((await stored(found))?.tokens.previous, { refreshToken: 'refresh-0', until: 1_800_000_030 })
  })

  test('RF-04: an IdP that fails with the present token as successor does not make the one before forgotten', async (t) => {
    const { idp, first, plant, stored } = build(t)
    const renewed = await first.refresher.refresh(await plant(900))
    const before = (await stored(renewed))?.tokens
    for (const successor of ['refresh-1', undefined]) {
      idp.answer = async () => ({ kind: 'unavailable', reason: 'no keys', retryAfterS: 1, successor })
      assert.equal(await first.refresh(renewed), 'idp_unavailable')
      assert.deepEqual((await stored(renewed))?.tokens, before)
    }
  })

  for (const hasRefreshToken of [true, false]) {
    const what = hasRefreshToken ? 'both, each by its kind' : 'the access token alone, where no other came'
    test(`RF-02: of tokens that are nobody's are revoked ${what}`, async (t) => {
      const { idp, first, second, plant } = build(t)
      const found = await plant(0)
      const revoked: object[] = []
      idp.revoke = async (input) => revoked.push(input) > 0
      idp.answer = async () => {
        await second.sessions.end(found.key, 'logout')
        return change(idp.grant('1'), hasRefreshToken ? {} : { refreshToken: undefined })
      }
      assert.equal(await first.ask(found), 'unauthenticated')
      const refresh = { token: 'refresh-1', tokenTypeHint: 'refresh_token' }
      const access = { token: 'access-1', tokenTypeHint: 'access_token' }
      assert.deepEqual(revoked, hasRefreshToken ? [refresh, access] : [access])
    })
  }

  test('RF-02: tokens that lose against those of a later holder are dropped, and not revoked: both are of one grant', async (t) => {
    const { idp, first, second, plant } = build(t)
    const found = await plant(0)
    const others = { ...found.record.tokens, accessToken: 'access-of-another', refreshToken: 'refresh-of-another' }
    idp.answer = async () => {
      await second.sessions.update(found, { ...others, accessTokenExpiresAt: found.record.createdAt + 900 })
      return idp.grant('1')
    }
    assert.equal(await first.ask(found), 'access-of-another')
    assert.deepEqual(idp.revoked, [])
  })

  test('RF-02: where a successor was stored meanwhile, the new tokens are not written over it, and the session goes on', async (t) => {
    const { idp, first, second, plant, stored } = build(t)
    const found = await plant(0)
    idp.answer = async () => {
      const tokens = { ...found.record.tokens, refreshToken: 'successor' }
      await second.sessions.update(found, tokens, { isRefresh: false })
      return idp.grant('1')
    }
    const error: unknown = await first.refresher.ensureFresh(found).catch((cause: unknown) => cause)
    const { code, retryAfterS } = error as { code?: string; retryAfterS?: number }
    assert.deepEqual([code, retryAfterS], ['idp_unavailable', 1])
    assert.deepEqual([(await stored(found))?.tokens.refreshToken, idp.revoked], ['successor', []])
  })
})

describe('an end that the IdP tells', { concurrency: true }, () => {
  test('RF-04: invalid_grant ends nothing where another holder has renewed the session meanwhile', async (t) => {
    const { idp, first, second, plant, stored } = build(t)
    const found = await plant(0)
    idp.answer = async () => {
      const tokens = { ...found.record.tokens, accessToken: 'access-new', refreshToken: 'refresh-new' }
      await second.sessions.update(found, { ...tokens, accessTokenExpiresAt: found.record.createdAt + 900 })
      return { kind: 'invalid_grant' }
    }
    assert.equal(await first.ask(found), 'access-new')
    assert.equal((await stored(found))?.generation, 2)
  })

  test('RF-04: nor where one that was cut off has stored the successor of what was shown', async (t) => {
    const { idp, first, second, plant, stored } = build(t)
    const found = await plant(0)
    idp.answer = async () => {
      const tokens = { ...found.record.tokens, refreshToken: 'successor' }
      await second.sessions.update(found, tokens, { isRefresh: false })
      return { kind: 'invalid_grant' }
    }
    const error: unknown = await first.refresher.ensureFresh(found).catch((cause: unknown) => cause)
    const { code, retryAfterS } = error as { code?: string; retryAfterS?: number }
    assert.deepEqual([code, retryAfterS], ['idp_unavailable', 1])
    assert.equal((await stored(found))?.tokens.refreshToken, 'successor')
  })

  for (const [outcome, reason] of [
    [{ kind: 'mismatch', reason: 'another sub' }, 'another sub'],
    [{ kind: 'invalid_grant' }, 'invalid_grant'],
  ] as const) {
    test(`RF-04, RF-06: ${outcome.kind} ends the session everywhere, and the log says why`, async (t) => {
      const { idp, first, second, plant, stored, logged } = buildLogged(t)
      const found = await plant(900)
      idp.answer = async () => outcome
      assert.equal(await first.refresh(found), 'unauthenticated')
      assert.deepEqual([await stored(found), await second.sessions.findEnd(found.key)], [undefined, 'revoked'])
      assert.deepEqual(logged, [{ event: 'session_ended', session: found.record.id, reason }])
      assert.deepEqual(idp.shown, ['refresh-0'])
    })
  }
})

function buildLogged(t: TestContext) {
  const built = build(t)
  return { ...built, logged: built.first.logged }
}

/** @returns moves the monotonic clock; whoever sleeps meanwhile sleeps as long as before */
function shiftMonotonicClock(t: TestContext): (ms: number) => void {
  const now = performance.now.bind(performance)
  let shiftMs = 0
  t.mock.method(performance, 'now', () => now() + shiftMs)
  return (ms) => {
    shiftMs += ms
  }
}

test("RF-02: who watches another's refresh gives up after 18 seconds, and not before", async (t) => {
  const { idp, first, shared, plant } = build(t)
  const found = await plant(0)
  const pass = shiftMonotonicClock(t)
  await shared.add(`${found.key}:lease`, 'of a holder that lives', 1000)
  const looks = t.mock.method(shared, 'get')
  let answered = ''
  const caller = first.refresher.ensureFresh(found).catch(({ code, retryAfterS }) => {
    answered = `${code} ${retryAfterS}`
  })
  await until(() => looks.mock.callCount() > 2)
  pass(15_000)
  const looked = looks.mock.callCount()
  await until(() => looks.mock.callCount() > looked + 2)
  assert.equal(answered, '', 'it still waits')
  pass(3000)
  await caller
  assert.deepEqual([answered, idp.shown], ['idp_unavailable 1', []])
})

test('RF-03: new tokens that cannot be written are held for a minute, and given up then', async (t) => {
  const { first, shared, plant, refreshInto } = build(t)
  const found = await plant(0)
  const writes = t.mock.method(shared, 'get')
  assert.equal(await refreshInto('no swaps', found), 'store_unavailable')
  const pass = shiftMonotonicClock(t)
  pass(55_000)
  const tried = writes.mock.callCount()
  await until(() => writes.mock.callCount() > tried + 4)
  pass(6000)
  await first.refresher.drain()
  const triedLast = writes.mock.callCount()
  assert.equal(await first.sessions.reload(found).then((session) => session?.record.generation), 1)
  assert.ok(writes.mock.callCount() <= triedLast + 2, 'nobody tries any more')
})

test('a fault of our own while the new tokens are written is no outage: it is thrown at once', async (t) => {
  const { first, shared, plant } = build(t)
  const found = await plant(0)
  let fault: Error | undefined
  let tries = 0
  const { swap } = shared
  shared.swap = async (key, ...rest) => {
    if (key === found.key) {
      tries += 1
      throw fault
    }
    return swap(key, ...rest)
  }
  for (const each of [new TypeError('a mistake'), new BffError('server_error', 'another')]) {
    fault = each
    await assert.rejects(first.refresher.ensureFresh(found), fault)
  }
  assert.equal(tries, 2, 'one for each')
})
