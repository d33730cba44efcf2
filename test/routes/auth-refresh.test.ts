import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { openBrowser, sendPlain } from '../flows/steps.ts'
import type { Answer } from '../support/browser.ts'
import { createWorld, type WorldOptions } from '../support/world.ts'

/** A signed-in browser, an API behind the proxy that keeps the tokens it sees, and all tokens that the IdP gave. */
async function build(t: TestContext, options: WorldOptions = {}) {
  const seen: string[] = []
  const api = createServer((request, response) => {
    seen.push(String(request.headers.authorization))
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
  t.after(() => api.close())
  const API_ROUTES = `/api/x=http://127.0.0.1:${(api.address() as AddressInfo).port}`
  const world = await createWorld(t, { ...options, env: { API_ROUTES, ...options.env } })
  const granted: Record<string, unknown>[] = []
  world.simulator.faults.alterTokenResponse = (body) => {
    granted.push(body)
    return body
  }
  const browser = openBrowser(world)
  await browser.signIn('ada')
  assert.equal(granted.length, 1)
  return {
    world,
    browser,
    granted,
    seen,
    faults: world.simulator.faults,
    refresh: (): Promise<Answer> => browser.fetch('/auth/refresh', { method: 'POST' }),
    call: (): Promise<Answer> => browser.fetch('/api/x/1'),
    /** The IdP's clock stands still, so an ID token of its would be too old for a service that is ahead. */
    omitIdToken: (): void => {
      world.simulator.faults.token = { kind: 'missing', members: ['id_token'], grantType: 'refresh_token' }
    },
    refreshes: (): number => world.simulator.stats.tokenRequests.refresh_token ?? 0,
  }
}

function assertFailed(answer: Answer, status: number, error: string): void {
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.json().error, error)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
}

for (const rotateRefreshToken of [true, false]) {
  test(`RF-01: refresh after refresh works when the IdP ${rotateRefreshToken ? 'rotates' : 'keeps'} the refresh token`, async (t) => {
    const { granted, refresh, seen, call, world } = await build(t, { simulator: { rotateRefreshToken } })
    for (let round = 1; round <= 3; round++) {
      assert.equal((await refresh()).status, 200)
      assert.equal((await call()).status, 200)
      assert.equal(seen.at(-1), `Bearer ${granted[round]?.access_token}`)
    }
    assert.equal(new Set(granted.map((body) => body.access_token)).size, 4)
    assert.equal(world.events('refreshed').length, 3)
  })
}

test('RF-01: a response without a refresh token keeps the old one, one without a scope or ID token the old ones', async (t) => {
  const { refresh, faults, world } = await build(t, { simulator: { rotateRefreshToken: false } })
  faults.token = { kind: 'missing', members: ['refresh_token', 'scope', 'id_token'], grantType: 'refresh_token' }
  for (let round = 0; round < 3; round++) assert.equal((await refresh()).status, 200)
  assert.equal(world.events('refreshed').length, 3)
})

test('RF-08: the answer is the session view and no token, and the same session goes on', async (t) => {
  const { browser, refresh, granted } = await build(t)
  const before = await browser.session()
  const credential = await browser.cookie('oten_session')
  const answer = await refresh()
  assert.deepEqual(Object.keys(answer.json()).sort(), [
    'access_token_expires_in',
    'authenticated',
    'expires_in',
    'idle_expires_in',
    'session_id',
    'user',
  ])
  assert.equal(answer.json().session_id, before.session_id)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  const secrets = [...granted.flatMap((body) => [body.access_token, body.refresh_token, body.id_token]), credential]
  const text = answer.text + JSON.stringify([...answer.headers])
  for (const secret of secrets.map(String)) assert.ok(secret.length > 20 && !text.includes(secret))
})

test('RF-08: it is POST, and not for other sites', async (t) => {
  const { world, browser, refreshes } = await build(t)
  assert.equal((await browser.fetch('/auth/refresh')).status, 405)
  const cookie = await browser.jar.getCookieString(world.publicUrl)
  for (const headers of [
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site' },
    {},
  ]) {
    const answer = await sendPlain(world, '/auth/refresh', { method: 'POST', headers: { ...headers, cookie } })
    assertFailed(answer, 403, 'forbidden_origin')
  }
  assert.equal(refreshes(), 0)
})

test('contract §5: without a session 401, without a refresh token 409 and the session stays', async (t) => {
  const { world, browser, refresh } = await build(t, { env: { OTEN_SCOPE: 'openid' } })
  assertFailed(await openBrowser(world).fetch('/auth/refresh', { method: 'POST' }), 401, 'unauthenticated')
  assertFailed(await refresh(), 409, 'no_refresh_token')
  assert.equal((await browser.session()).authenticated, true)
})

test('RF-04: invalid_grant ends the session with 401, and is not tried again', async (t) => {
  const { browser, refresh, faults, refreshes } = await build(t)
  faults.token = { kind: 'invalid_grant', grantType: 'refresh_token' }
  assertFailed(await refresh(), 401, 'unauthenticated')
  assert.equal(refreshes(), 1)
  assert.deepEqual(await browser.session(), { authenticated: false })
  assertFailed(await refresh(), 401, 'unauthenticated')
  assert.equal(refreshes(), 1)
})

for (const fault of [
  { kind: 'status', status: 503 },
  { kind: 'status', status: 429, retryAfter: 7 },
  { kind: 'status', status: 500 },
  { kind: 'reset' },
  { kind: 'html' },
  { kind: 'invalid_client' },
] as const) {
  test(`RF-05: an IdP that answers ${Object.values(fault).join(' ')} is 503 with Retry-After; the session stays, and is left in peace`, async (t) => {
    const { browser, refresh, faults, refreshes } = await build(t, { simulator: { rotateRefreshToken: false } })
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() }) // However slow the machine: within one rest.
    faults.token = { ...fault, grantType: 'refresh_token' }
    const answer = await refresh()
    assertFailed(answer, 503, 'idp_unavailable')
    const retryAfterS = Number(answer.headers.get('retry-after'))
    assert.ok('retryAfter' in fault ? retryAfterS === 7 : retryAfterS >= 1 && retryAfterS <= 30, String(retryAfterS))
    assert.equal((await browser.session()).authenticated, true)
    const tried = refreshes()
    for (const later of await Promise.all(Array.from({ length: 20 }, refresh))) assert.equal(later.status, 503)
    assert.equal(refreshes(), tried, 'no storm')
  })
}

test('RF-05: when the IdP is back, so are the tokens', async (t) => {
  const { refresh, faults, world } = await build(t)
  faults.token = { kind: 'status', status: 503, retryAfter: 7, grantType: 'refresh_token' }
  assertFailed(await refresh(), 503, 'idp_unavailable')
  faults.token = undefined
  world.advance(8)
  assert.equal((await refresh()).status, 200)
})

for (const [what, claims] of [
  ['another issuer', { iss: 'https://other.example' }],
  ['another user', { sub: 'bob' }],
  ['another audience', { aud: 'other' }],
  ['another nonce', { nonce: 'other' }],
  ['another sign-in', { auth_time: 1 }],
] as const) {
  test(`RF-06: an ID token of ${what} ends the session; its tokens are used by nobody`, async (t) => {
    const { browser, refresh, faults, call, seen } = await build(t)
    faults.alterIdToken = () => ({ claims })
    assertFailed(await refresh(), 401, 'unauthenticated')
    assert.deepEqual(await browser.session(), { authenticated: false })
    assert.equal((await call()).status, 401)
    assert.deepEqual(seen, [])
  })
}

test('RF-07: no refresh moves the absolute limit', async (t) => {
  const env = { SESSION_IDLE_S: '600', SESSION_MAX_S: '900' }
  const { world, browser, refresh, omitIdToken } = await build(t, { env })
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  omitIdToken()
  for (const [step, left] of [
    [400, 500],
    [300, 200],
    [190, 10],
  ] as const) {
    world.advance(step)
    const view = (await refresh()).json()
    assert.ok(Number(view.expires_in) <= left && Number(view.expires_in) > left - 5, JSON.stringify(view))
    await browser.fetch('/auth/session?touch=true')
  }
  world.advance(10)
  assertFailed(await refresh(), 401, 'unauthenticated')
})

test('a due token is renewed before a proxied call, which sees the new one', async (t) => {
  const env = { SESSION_IDLE_S: '7200' }
  const { world, call, seen, granted, refreshes, omitIdToken } = await build(t, { env })
  omitIdToken()
  assert.equal((await call()).status, 200)
  assert.equal(refreshes(), 0)
  world.advance(3600 - 50)
  const answers = await Promise.all(Array.from({ length: 20 }, call))
  assert.ok(answers.every(({ status }) => status === 200))
  assert.equal(refreshes(), 1)
  const [first, ...others] = seen
  assert.equal(first, `Bearer ${granted[0]?.access_token}`)
  assert.deepEqual(new Set(others), new Set([`Bearer ${granted[1]?.access_token}`]))
})

for (const [what, leftS, status] of [
  ['a due but living token goes on', 50, 200],
  ['a dead token is 503', -1, 503],
] as const) {
  test(`RF-05: with the IdP down, a proxied call with ${what}`, async (t) => {
    const { world, browser, call, seen, granted, faults } = await build(t, { env: { SESSION_IDLE_S: '7200' } })
    faults.token = { kind: 'status', status: 503 }
    world.advance(3600 - leftS)
    const answer = await call()
    assert.equal(answer.status, status)
    if (status === 503) assert.match(String(answer.headers.get('retry-after')), /^[1-9]\d*$/)
    assert.deepEqual(seen, status === 200 ? [`Bearer ${granted[0]?.access_token}`] : [])
    assert.equal((await browser.session()).authenticated, true)
  })
}

test('a refresh that ends after the logout revives nothing, and its tokens are revoked', async (t) => {
  const { world, browser, refresh, faults, granted } = await build(t)
  faults.token = { kind: 'delay', delayMs: 700, after: true, grantType: 'refresh_token' }
  const cookie = await browser.jar.getCookieString(world.publicUrl)
  const refreshing = refresh()
  const giveUpAt = Date.now() + 5000
  while (granted.length < 2 && Date.now() < giveUpAt) await new Promise((resolve) => setImmediate(resolve))
  assert.equal((await browser.fetch('/auth/logout', { method: 'POST' })).status, 200)
  const before = world.simulator.stats.revocations
  assertFailed(await refreshing, 401, 'unauthenticated')
  assert.equal(world.simulator.stats.revocations - before, 2)
  const old = await sendPlain(world, '/auth/session', { headers: { cookie } })
  assert.deepEqual(old.json(), { authenticated: false })
})

test('contract §5: a refresh slides the idle limit', async (t) => {
  const { world, browser, refresh, omitIdToken } = await build(t, { env: { SESSION_IDLE_S: '600' } })
  omitIdToken()
  world.advance(400)
  assert.equal((await refresh()).status, 200)
  world.advance(400)
  assert.equal((await browser.session()).authenticated, true)
})
