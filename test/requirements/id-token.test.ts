import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createPhone } from '../flows/phone.ts'
import { openBrowser, sendPlain } from '../flows/steps.ts'
import { listen } from '../routes/build-proxy.ts'
import { startApi } from '../support/api.ts'
import { openEvents } from '../support/event-source.ts'
import { createWorld } from '../support/world.ts'

const ADMIN_TOKEN = 'an-admin-token-of-more-than-thirty-two-octets'

/** A signed-in browser, an API behind the proxy, and all tokens that the IdP gave. */
async function build(t: TestContext) {
  const api = await startApi(t)
  const world = await createWorld(t, { env: { API_ROUTES: `/api/x=${api.url}`, ADMIN_TOKEN } })
  const granted: Record<string, unknown>[] = []
  world.simulator.faults.alterTokenResponse = (body) => {
    granted.push(body)
    return body
  }
  const browser = openBrowser(world)
  await browser.signIn('ada')
  const [{ id_token: idToken, access_token: accessToken } = assert.fail('no tokens')] = granted
  return { api, world, browser, idToken: String(idToken), accessToken: String(accessToken) }
}

const CALLS = [
  { path: '/api/x/1' },
  { path: '/api/x/1', method: 'POST' },
  { path: '/auth/refresh', method: 'POST' },
  { path: '/auth/sessions' },
  { path: '/auth/sessions', method: 'DELETE' },
  { path: '/auth/events' },
] as const

test('ID-16: an ID token opens nothing, wherever a credential is read; nor does an access token', async (t) => {
  const { api, world, browser, idToken, accessToken } = await build(t)
  for (const token of [idToken, accessToken]) {
    const places = [{ authorization: `Bearer ${token}` }, { cookie: `oten_session=${token}` }]
    for (const place of places) {
      const headers = { ...place, origin: world.publicUrl }
      for (const { path, ...call } of CALLS) {
        const answer = await sendPlain(world, path, { ...call, headers })
        assert.equal(answer.status, 401, `${path} by ${Object.keys(place)}`)
      }
      assert.deepEqual((await sendPlain(world, '/auth/session', { headers })).json(), { authenticated: false })
      const verified = await fetch(`${world.adminUrl}/auth/verify`, { headers: { ...place } })
      assert.equal(verified.status, 401)
      assert.equal(verified.headers.get('x-auth-subject'), null)
    }
    const redeemed = await createPhone(world).redeem(token)
    assert.deepEqual([redeemed.status, redeemed.json().error], [400, 'invalid_grant'])
    const ended = await fetch(`${world.adminUrl}/admin/sessions/end`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{"all":true}',
    })
    assert.equal(ended.status, 401)
  }
  assert.deepEqual(api.seen, [])
  assert.equal((await browser.session()).authenticated, true)
})

test('ID-16: an API gets the access token, and the ID token leaves for the sign-out of the IdP alone', async (t) => {
  const { api, browser, idToken, accessToken } = await build(t)
  assert.equal((await browser.fetch('/api/x/1')).status, 200)
  assert.deepEqual(api.seen, [`Bearer ${accessToken}`])
  const logout = await browser.fetch('/auth/logout', { method: 'POST' })
  assert.ok(!logout.text.includes(idToken))
  const onward = await browser.navigate(String(logout.json().logout_url))
  assert.equal(new URL(String(onward.location)).searchParams.get('id_token_hint'), idToken)
})

/** What an IdP may say of a user that no page asked for. */
const UNASKED = { phone_number: 'canary-phone', address: { formatted: 'canary-street' }, roles: ['canary-admin'] }

test('ID-17: of all claims a page, an app, an event stream and a proxied app see those of SESSION_CLAIMS alone', async (t) => {
  const world = await createWorld(t, { env: { SESSION_CLAIMS: 'sub,name' } })
  const extra = { ...UNASKED, name: 'Ada', email: 'canary@example.com' }
  world.simulator.faults.alterIdToken = (claims) => ({ claims: { ...claims, ...extra } })
  const browser = openBrowser(world)
  await browser.signIn('ada')
  const cookie = await browser.jar.getCookieString(world.publicUrl)
  const phone = createPhone(world)
  const app = await phone.redeem((await phone.signIn('ada')).code, { session: 'token' })
  const events = await openEvents(t, `${world.publicUrl}/auth/events`, { cookie, origin: world.publicUrl })
  const verified = await fetch(`${world.adminUrl}/auth/verify`, { headers: { cookie } })
  assert.equal(verified.headers.get('x-auth-subject'), 'ada')
  const views = [
    await browser.session(),
    (await browser.fetch('/auth/refresh', { method: 'POST' })).json(),
    app.json(),
    (await phone.call(String(app.json().session_token))).json(),
    (await events.next())?.data,
  ]
  for (const view of views) assert.deepEqual(view?.user, { sub: 'ada', name: 'Ada' })
  const seen = [views, (await browser.fetch('/auth/sessions')).json(), [...verified.headers]]
  assert.doesNotMatch(JSON.stringify(seen), /canary/)
})

test('ID-18: the userinfo endpoint is never asked, also where the IdP announces one', async (t) => {
  let calls = 0
  const userinfo = await listen(t, (_incoming, answer) => {
    calls += 1
    answer.setHeader('content-type', 'application/json').end('{"sub":"mallory","name":"canary"}')
  })
  const world = await createWorld(t, { simulator: { advertise: { userinfo_endpoint: userinfo.url } } })
  const browser = openBrowser(world)
  await browser.signIn('ada')
  await browser.fetch('/auth/refresh', { method: 'POST' })
  assert.equal(((await browser.session()).user as { sub: string }).sub, 'ada')
  assert.equal(calls, 0)
})
