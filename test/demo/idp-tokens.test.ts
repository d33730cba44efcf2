import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Simulator } from '../../demo/idp/simulator.ts'
import { authorizationUrl, createBrowser, decode, redeem, refresh, SECRET, signIn, start } from './idp-client.ts'

const offline = { scope: 'openid profile email offline_access' }

async function isLive(simulator: Simulator, accessToken: string | undefined): Promise<boolean> {
  const headers = { authorization: `Bearer ${accessToken}` }
  return (await fetch(`${simulator.issuer}/v1/oauth/userinfo`, { headers })).status === 200
}

test('offline_access gives a refresh token without prompt=consent, in a silent sign-in too', async (t) => {
  const simulator = await start(t)
  const browser = createBrowser()
  const { body } = await signIn(simulator, { browser, changes: offline })
  assert.equal(typeof body.refresh_token, 'string')
  assert.equal(body.scope, offline.scope)
  const silent = await authorizationUrl(simulator, { changes: { ...offline, prompt: 'none' } })
  const callback = new URL(String((await browser.follow(silent)).headers.get('location')))
  assert.equal(typeof (await redeem(simulator, callback)).body.refresh_token, 'string')
})

test('a refresh gives new tokens with the same sub and sid', async (t) => {
  const simulator = await start(t)
  const first = await signIn(simulator, { changes: offline })
  const second = await refresh(simulator, first.body.refresh_token)
  assert.equal(second.status, 200)
  assert.notEqual(second.body.access_token, first.body.access_token)
  assert.notEqual(second.body.refresh_token, first.body.refresh_token)
  const [before, after] = [decode(first.body.id_token), decode(second.body.id_token)]
  assert.deepEqual([after.sub, after.sid, after.aud], [before.sub, before.sid, before.aud])
  assert.deepEqual(simulator.stats.tokenRequests, { authorization_code: 1, refresh_token: 1 })
})

test('a refresh token that comes back after its use ends its whole family, and no other', async (t) => {
  const simulator = await start(t)
  const browser = createBrowser()
  const first = await signIn(simulator, { browser, changes: offline })
  const other = await signIn(simulator, { browser, changes: { ...offline, prompt: 'login' } })
  const second = await refresh(simulator, first.body.refresh_token)
  assert.equal((await refresh(simulator, first.body.refresh_token)).body.error, 'invalid_grant')
  assert.equal((await refresh(simulator, second.body.refresh_token)).body.error, 'invalid_grant')
  assert.equal(await isLive(simulator, second.body.access_token), false)
  assert.equal((await refresh(simulator, other.body.refresh_token)).status, 200)
})

test('without rotation the same refresh token works again', async (t) => {
  const simulator = await start(t, { rotateRefreshToken: false })
  const { body } = await signIn(simulator, { changes: offline })
  for (let round = 0; round < 3; round += 1) {
    const answer = await refresh(simulator, body.refresh_token)
    assert.equal(answer.status, 200)
    assert.equal(answer.body.refresh_token, body.refresh_token)
  }
})

test('lifetimes are as configured, and the clock moves past them without sleeping', async (t) => {
  const realNow = Date.now
  const simulator = await start(t, { ttl: { accessToken: 60, refreshToken: 600, idToken: 90 } })
  assert.equal(Date.now, realNow, 'starting leaves the clock of the process alone')
  const { body } = await signIn(simulator, { changes: offline })
  assert.equal(Number(body.expires_in), 60)
  const { iat, exp } = decode(body.id_token)
  assert.equal(Number(exp) - Number(iat), 90)
  simulator.clock.advance(61)
  assert.equal(simulator.clock.offsetS, 61)
  assert.equal(await isLive(simulator, body.access_token), false)
  const next = await refresh(simulator, body.refresh_token)
  assert.equal(next.status, 200)
  simulator.clock.advance(601)
  assert.equal((await refresh(simulator, next.body.refresh_token)).body.error, 'invalid_grant')
  simulator.clock.restore()
  assert.equal(Date.now, realNow)
})

test('revoking a refresh token ends its access token, and an unknown token is no error', async (t) => {
  const simulator = await start(t)
  const { body } = await signIn(simulator, { changes: offline })
  const revoke = (token: string) =>
    fetch(`${simulator.issuer}/v1/oauth/revoke`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: 'hs', client_secret: SECRET, token }),
    })
  assert.equal(await isLive(simulator, body.access_token), true)
  assert.equal((await revoke(String(body.refresh_token))).status, 200)
  assert.equal(await isLive(simulator, body.access_token), false)
  assert.equal((await refresh(simulator, body.refresh_token)).body.error, 'invalid_grant')
  assert.equal((await revoke('unknown')).status, 200)
  assert.equal(simulator.stats.revocations, 2)
})

test('userinfo tells the same person as the ID token', async (t) => {
  const simulator = await start(t)
  const { body } = await signIn(simulator, { login: 'ada@example.org' })
  const response = await fetch(`${simulator.issuer}/v1/oauth/userinfo`, {
    headers: { authorization: `Bearer ${body.access_token}` },
  })
  const claims = (await response.json()) as Record<string, unknown>
  const idToken = decode(body.id_token)
  for (const name of ['sub', 'name', 'email', 'email_verified', 'picture', 'locale']) {
    assert.deepEqual(claims[name], idToken[name], name)
  }
  assert.equal(claims.email, 'ada@example.org')
})

test('a scope that was not asked for leaves its claims out', async (t) => {
  const simulator = await start(t)
  const { body } = await signIn(simulator, { changes: { scope: 'openid' } })
  const { sub, name, email } = decode(body.id_token)
  assert.deepEqual({ sub, name, email }, { sub: 'ada', name: undefined, email: undefined })
})

test('five hundred refreshes of twenty-five users, many at once, all succeed', async (t) => {
  const simulator = await start(t)
  const users = await Promise.all(
    Array.from({ length: 25 }, (_, index) => signIn(simulator, { login: `user${index}`, changes: offline })),
  )
  await Promise.all(
    users.map(async ({ body }, index) => {
      let { refresh_token: refreshToken } = body
      for (let round = 0; round < 20; round += 1) {
        const answer = await refresh(simulator, refreshToken)
        assert.equal(decode(answer.body.id_token).sub, `user${index}`)
        refreshToken = answer.body.refresh_token
      }
    }),
  )
  assert.equal(simulator.stats.tokenRequests.refresh_token, 500)
})
