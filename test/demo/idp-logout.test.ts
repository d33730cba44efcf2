import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { Simulator } from '../../demo/idp/simulator.ts'
import {
  authorizationUrl,
  type Browser,
  createBrowser,
  decode,
  HS256,
  LOGGED_OUT_URI,
  refresh,
  serve,
  signIn,
  start,
} from './idp-client.ts'

const offline = { scope: 'openid offline_access' }

function logoutUrl(simulator: Simulator, query: Record<string, string>): string {
  return `${simulator.issuer}/v1/oauth/logout?${new URLSearchParams(query)}`
}

async function isSignedIn(simulator: Simulator, browser: Browser): Promise<boolean> {
  const answer = await browser.follow(await authorizationUrl(simulator, { changes: { prompt: 'none' } }))
  return !String(answer.headers.get('location')).includes('login_required')
}

/** A simulator whose client `hs` collects the logout tokens that it gets. */
async function startWithReceiver(t: TestContext, status = 200): Promise<{ simulator: Simulator; received: string[] }> {
  const received: string[] = []
  const origin = await serve(t, (_path, body) => {
    received.push(String(new URLSearchParams(body).get('logout_token')))
    return { status, body: '' }
  })
  const client = { ...HS256, backchannelLogoutUri: `${origin}/auth/backchannel-logout` }
  return { simulator: await start(t, { clients: [client] }), received }
}

test('with a hint and a registered address, logout happens at once and returns with the state', async (t) => {
  const simulator = await start(t)
  const browser = createBrowser()
  const { body } = await signIn(simulator, { browser })
  assert.equal(await isSignedIn(simulator, browser), true)
  const answer = await browser.fetch(
    logoutUrl(simulator, {
      id_token_hint: String(body.id_token),
      post_logout_redirect_uri: LOGGED_OUT_URI,
      client_id: 'hs',
      state: 's1',
    }),
  )
  assert.equal(answer.status, 303)
  assert.equal(answer.headers.get('location'), `${LOGGED_OUT_URI}?state=s1`)
  assert.equal(await isSignedIn(simulator, browser), false)
})

test('an expired hint, and one signed by a rotated key, still log out', async (t) => {
  const simulator = await start(t)
  const browser = createBrowser()
  const { body } = await signIn(simulator, { browser })
  simulator.rotateSigningKey({ keepOld: false })
  simulator.clock.advance(7200)
  const hint = String(body.id_token)
  const answer = await browser.fetch(
    logoutUrl(simulator, { id_token_hint: hint, post_logout_redirect_uri: LOGGED_OUT_URI }),
  )
  assert.equal(answer.headers.get('location'), LOGGED_OUT_URI)
})

test('an unregistered address, a foreign hint and another client are refused, and nobody is logged out', async (t) => {
  const simulator = await start(t)
  const browser = createBrowser()
  const { body } = await signIn(simulator, { browser })
  const hint = String(body.id_token)
  const forged = simulator.signJwt(decode(hint), {}, 'other-key')
  for (const query of [
    { id_token_hint: hint, post_logout_redirect_uri: 'https://evil.example/' },
    { id_token_hint: forged, post_logout_redirect_uri: LOGGED_OUT_URI },
    { id_token_hint: 'x', post_logout_redirect_uri: LOGGED_OUT_URI },
    { id_token_hint: hint, client_id: 'ed' },
    { client_id: 'nobody' },
    { post_logout_redirect_uri: LOGGED_OUT_URI },
  ]) {
    const answer = await browser.fetch(logoutUrl(simulator, query))
    assert.equal(answer.status, 400, JSON.stringify(query))
  }
  assert.equal(await isSignedIn(simulator, browser), true)
})

test('without a hint the page asks with one form, and only its button logs out', async (t) => {
  const simulator = await start(t)
  const browser = createBrowser()
  await signIn(simulator, { browser })
  const page = await browser.fetch(
    logoutUrl(simulator, { client_id: 'hs', post_logout_redirect_uri: LOGGED_OUT_URI, state: 's2' }),
  )
  const html = await page.text()
  assert.equal(page.status, 200)
  assert.equal(html.match(/<form/g)?.length, 1)
  assert.doesNotMatch(html, /<script/)
  assert.equal(await isSignedIn(simulator, browser), true)

  const [, action = ''] = /action="([^"]+)"/.exec(html) ?? []
  const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(html) ?? []
  const body = new URLSearchParams({ xsrf, logout: 'yes' })
  const answer = await browser.fetch(action, { method: 'POST', body })
  assert.equal(answer.headers.get('location'), `${LOGGED_OUT_URI}?state=s2`)
  assert.equal(await isSignedIn(simulator, browser), false)
})

test('someone else than the one in the hint is asked first', async (t) => {
  const simulator = await start(t)
  const browser = createBrowser()
  const ada = await signIn(simulator, { login: 'ada' })
  await signIn(simulator, { browser, login: 'bob' })
  const answer = await browser.fetch(logoutUrl(simulator, { id_token_hint: String(ada.body.id_token) }))
  assert.match(await answer.text(), /Stay signed in/)
})

test('with nobody signed in, logout returns at once', async (t) => {
  const simulator = await start(t)
  const query = { client_id: 'hs', post_logout_redirect_uri: LOGGED_OUT_URI }
  const answer = await createBrowser().fetch(logoutUrl(simulator, query))
  assert.equal(answer.headers.get('location'), LOGGED_OUT_URI)
  assert.match(await (await createBrowser().fetch(logoutUrl(simulator, {}))).text(), /Signed out/)
})

test('a logout sends each client a logout token with the sid of its ID token', async (t) => {
  const { simulator, received } = await startWithReceiver(t)
  const browser = createBrowser()
  const { body } = await signIn(simulator, { browser })
  await browser.fetch(logoutUrl(simulator, { id_token_hint: String(body.id_token) }))
  assert.equal(received.length, 1)
  const { payload, protectedHeader } = await jwtVerify(
    String(received[0]),
    createLocalJWKSet(simulator.publicJwks as Parameters<typeof createLocalJWKSet>[0]),
    { issuer: simulator.issuer, audience: 'hs' },
  )
  assert.deepEqual([protectedHeader.typ, protectedHeader.alg], ['logout+jwt', 'EdDSA'])
  assert.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} })
  assert.equal(payload.sid, decode(body.id_token).sid)
  assert.equal(payload.sub, 'ada')
  assert.equal(typeof payload.jti, 'string')
  assert.equal(payload.nonce, undefined)
})

test('endSession ends by sub or sid, tells the clients and revokes even offline tokens', async (t) => {
  const { simulator, received } = await startWithReceiver(t)
  const [one, two, other] = [createBrowser(), createBrowser(), createBrowser()]
  const first = await signIn(simulator, { browser: one, changes: offline })
  await signIn(simulator, { browser: two, changes: offline })
  await signIn(simulator, { browser: other, login: 'bob' })
  const sid = String(decode(first.body.id_token).sid)
  assert.deepEqual(await simulator.endSession({ sid }), { sessions: 1, delivered: 1, failed: 0 })
  assert.equal((await refresh(simulator, first.body.refresh_token)).body.error, 'invalid_grant')
  assert.equal(await isSignedIn(simulator, one), false)
  assert.equal(await isSignedIn(simulator, two), true)
  assert.deepEqual(await simulator.endSession({ sub: 'ada' }), { sessions: 1, delivered: 1, failed: 0 })
  assert.equal(await isSignedIn(simulator, other), true)
  assert.equal(received.length, 2)
})

test('a client that refuses its logout token is counted, and the logout goes on', async (t) => {
  const { simulator } = await startWithReceiver(t, 400)
  await signIn(simulator)
  assert.deepEqual(await simulator.endSession({ sub: 'ada' }), { sessions: 1, delivered: 0, failed: 1 })
  assert.deepEqual(simulator.stats.backchannelLogouts, { delivered: 0, failed: 1 })
})

test('a plain logout leaves what was granted with offline_access alive, until it is revoked', async (t) => {
  const simulator = await start(t)
  const browser = createBrowser()
  const { body } = await signIn(simulator, { browser, changes: offline })
  await browser.fetch(logoutUrl(simulator, { id_token_hint: String(body.id_token) }))
  assert.equal((await refresh(simulator, body.refresh_token)).status, 200)
})
