import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { BffError } from '../../src/errors.ts'
import type { Idp } from '../../src/idp/idp.ts'
import { newSession, PUBLIC_URL } from '../plugins/build-service.ts'
import { buildProxy } from './build-proxy.ts'

const CHALLENGE = 'Bearer realm="api", error="invalid_token", error_description="canary"'

interface ApiOptions {
  /** Tokens that the API takes. */
  readonly accepts?: (token: string) => boolean
  readonly challenge?: string | undefined
  readonly refresh?: Idp['refresh']
}

/** An API that refuses the session's first token, and an IdP that gives a second, third, … */
async function build(t: TestContext, options: ApiOptions = {}) {
  const { accepts = (token) => token !== 'token-1', challenge = CHALLENGE } = options
  const seen: string[] = []
  let refreshes = 0
  const refresh: Idp['refresh'] = async ({ refreshToken, idToken, scope }) => {
    refreshes += 1
    const accessToken = `token-${refreshes + 1}`
    const accessTokenExpiresAt = 2e9
    const idTokenClaims = { iss: 'i', sub: 'ada' }
    return {
      kind: 'refreshed',
      tokens: { accessToken, accessTokenExpiresAt, refreshToken, idToken, scope, idTokenClaims },
    }
  }
  const world = await buildProxy(
    t,
    (incoming, answer) => {
      const token = String(incoming.headers.authorization).replace('Bearer ', '')
      seen.push(`${incoming.method} ${token}`)
      incoming.resume().on('end', () => {
        if (accepts(token)) return void answer.setHeader('x-from', 'api').end('yes')
        if (challenge !== '') answer.setHeader('www-authenticate', challenge)
        answer.setHeader('x-refusal', 'canary').writeHead(401).end('no')
      })
    },
    { idp: { refresh: options.refresh ?? refresh } },
  )
  const { service, url } = world
  const tokens = { ...newSession(service.time.now).tokens, accessToken: 'token-1' }
  const mine = { cookie: `${service.cookieName}=${await service.plant({ tokens })}`, origin: PUBLIC_URL }
  const call = (init: RequestInit = {}) => fetch(`${url}/api/x/1`, { ...init, headers: { ...mine, ...init.headers } })
  return { ...world, mine, call, seen, refreshes: () => refreshes }
}

test('PX-06: an API that refuses the token gets the call once more with a renewed one, and the client sees that answer alone', async (t) => {
  const { call, seen, refreshes } = await build(t)
  const answer = await call()
  assert.equal(answer.status, 200)
  assert.equal(await answer.text(), 'yes')
  assert.equal(answer.headers.get('x-from'), 'api')
  for (const name of ['www-authenticate', 'x-refusal']) assert.equal(answer.headers.get(name), null, name)
  assert.deepEqual(seen, ['GET token-1', 'GET token-2'])
  assert.equal((await call()).status, 200)
  assert.equal(refreshes(), 1)
})

test('PX-06: an API that refuses every token gets one renewal and one more call, then 401 reaches the client; and no storm follows', async (t) => {
  const { call, seen, refreshes, service } = await build(t, { accepts: () => false })
  const answer = await call()
  assert.equal(answer.status, 401)
  assert.equal(await answer.text(), 'no')
  assert.equal(answer.headers.get('www-authenticate'), CHALLENGE)
  assert.deepEqual(seen, ['GET token-1', 'GET token-2'])
  for (let n = 0; n < 10; n++) assert.equal((await call()).status, 401)
  assert.equal(refreshes(), 1, 'what is seconds old is not renewed again')
  service.time.now += 11
  await call()
  assert.equal(refreshes(), 2)
})

test('PX-06: twenty calls at once are one renewal', async (t) => {
  const { call, refreshes } = await build(t)
  const answers = await Promise.all(Array.from({ length: 20 }, () => call()))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  assert.equal(refreshes(), 1)
})

test('PX-06: a call with a body is not sent again, but the tokens are renewed for the next', async (t) => {
  const { call, seen, refreshes } = await build(t)
  const answer = await call({ method: 'POST', body: 'once', headers: { 'content-type': 'text/plain' } })
  assert.equal(answer.status, 401)
  assert.deepEqual(seen, ['POST token-1'])
  assert.equal(refreshes(), 1)
  assert.equal((await call({ method: 'POST', body: 'again', headers: { 'content-type': 'text/plain' } })).status, 200)
  assert.deepEqual(seen, ['POST token-1', 'POST token-2'])
})

for (const [what, challenge] of [
  ['of its own kind', 'Basic realm="api"'],
  ['about scopes', 'Bearer error="insufficient_scope"'],
  ['without a challenge', ''],
] as const) {
  test(`PX-06: a 401 ${what} is the API's own affair: nothing is renewed, and the client sees it`, async (t) => {
    const { call, seen, refreshes } = await build(t, { challenge })
    const answer = await call()
    assert.equal(answer.status, 401)
    assert.equal(answer.headers.get('x-refusal'), 'canary')
    assert.deepEqual([seen.length, refreshes()], [1, 0])
  })
}

test("PX-06: without a refresh token, or when the IdP is down, the API's refusal reaches the client and nobody is signed out", async (t) => {
  const down = await build(t, { refresh: async () => ({ kind: 'unavailable', reason: 'down' }) })
  assert.equal((await down.call()).status, 401)
  assert.equal(down.seen.length, 1)
  const view = await fetch(`${down.url}/auth/session`, { headers: { cookie: down.mine.cookie } })
  assert.equal(((await view.json()) as { authenticated: boolean }).authenticated, true)

  const { service, url, seen, refreshes } = await build(t)
  const { refreshToken: _none, ...tokens } = { ...newSession(service.time.now).tokens, accessToken: 'token-1' }
  const cookie = `${service.cookieName}=${await service.plant({ tokens })}`
  assert.equal((await fetch(`${url}/api/x/1`, { headers: { cookie, origin: PUBLIC_URL } })).status, 401)
  assert.deepEqual([seen.length, refreshes()], [1, 0])
})

test('PX-06, RF-04: where the renewal ends the session, the client gets 401', async (t) => {
  const { call, url, mine } = await build(t, { refresh: async () => ({ kind: 'invalid_grant' }) })
  assert.equal((await call()).status, 401)
  const view = await fetch(`${url}/auth/session`, { headers: { cookie: mine.cookie } })
  assert.deepEqual(await view.json(), { authenticated: false })
})

test('a store that goes away while tokens are renewed costs the renewal alone', async (t) => {
  const world = await build(t)
  world.service.store.fault = undefined
  const { call, service } = world
  const answer = call()
  service.store.fault = new BffError('store_unavailable', 'the store is down')
  const { status } = await answer
  service.store.fault = undefined
  assert.ok([200, 401, 503].includes(status), String(status))
  assert.equal((await call()).status, 200)
})
