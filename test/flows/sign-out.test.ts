import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createWorld, SPA, type World, type WorldOptions } from '../support/world.ts'
import { createPhone } from './phone.ts'
import { openBrowser, parseSetCookie, reachCallback, sendPlain } from './steps.ts'

/** A signed-in browser, with the ID token as the IdP gave it. */
async function signIn(t: TestContext, options: WorldOptions = {}) {
  const world = await createWorld(t, options)
  const idTokens: string[] = []
  world.simulator.faults.replaceIdToken = (jwt) => {
    idTokens.push(jwt)
    return jwt
  }
  const browser = openBrowser(world)
  await browser.signIn('ada')
  return { world, browser, idToken: String(idTokens[0]) }
}

/** Nothing of the IdP answers any more. */
function breakIdp({ simulator }: World): void {
  for (const point of ['discovery', 'jwks', 'token', 'revocation', 'endSession'] as const) {
    simulator.faults[point] = { kind: 'reset' }
  }
}

test('LO-02, LO-04, LO-07: by fetch, a page signs its user out here and at the IdP, and comes back where it wanted', async (t) => {
  const { world, browser, idToken } = await signIn(t)
  const credential = await browser.cookie('oten_session')
  const answer = await browser.fetch('/auth/logout', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ return_to: '/bye?a=b#c' }),
  })
  assert.equal(answer.status, 200)
  assert.deepEqual(Object.keys(answer.json()), ['logout_url'])
  const logoutUrl = String(answer.json().logout_url)
  assert.match(logoutUrl, new RegExp(`^${world.publicUrl}/auth/logout/continue\\?ticket=[A-Za-z0-9_-]{43}$`))
  assert.ok(!answer.text.includes(idToken))
  assert.equal(await browser.cookie('oten_session'), undefined)
  assert.deepEqual(await browser.session(), { authenticated: false })
  const old = await sendPlain(world, '/auth/session', { headers: { cookie: `oten_session=${credential}` } })
  assert.deepEqual(old.json(), { authenticated: false })

  const onward = await browser.navigate(logoutUrl)
  assert.equal(onward.status, 303)
  const endSession = new URL(String(onward.location))
  assert.equal(endSession.origin + endSession.pathname, `${world.simulator.issuer}/v1/oauth/logout`)
  assert.deepEqual([...endSession.searchParams.keys()].toSorted(), [
    'client_id',
    'id_token_hint',
    'post_logout_redirect_uri',
    'state',
  ])
  assert.equal(endSession.searchParams.get('id_token_hint'), idToken)
  assert.equal(endSession.searchParams.get('client_id'), 'bff')
  assert.equal(endSession.searchParams.get('post_logout_redirect_uri'), `${world.publicUrl}/auth/logged-out`)
  assert.match(String(endSession.searchParams.get('state')), /^[A-Za-z0-9_-]{43}$/)

  const back = await browser.navigate(endSession.href)
  assert.ok(String(back.location).startsWith(`${world.publicUrl}/auth/logged-out?state=`))
  const landed = await browser.navigate(String(back.location))
  assert.equal(landed.status, 303)
  assert.equal(landed.headers.get('location'), '/bye?a=b#c')

  const again = await reachCallback(world, { browser, query: 'prompt=none' })
  assert.equal(again.url.searchParams.get('error'), 'login_required', 'the session at the IdP is over, too')
})

test('LO-02: by a plain form, the whole way is redirects', async (t) => {
  const { world, browser } = await signIn(t)
  const headers = { origin: world.publicUrl, 'sec-fetch-site': 'same-origin' }
  const body = new URLSearchParams({ return_to: `${SPA}/bye` })
  let answer = await browser.navigate('/auth/logout', { method: 'POST', headers, body })
  const seen: (string | undefined)[] = []
  while (answer.status === 303 && seen.length < 5 && answer.location !== `${SPA}/bye`) {
    seen.push(String(answer.location).split('?')[0])
    answer = await browser.navigate(String(answer.location))
  }
  assert.deepEqual(seen, [
    `${world.publicUrl}/auth/logout/continue`,
    `${world.simulator.issuer}/v1/oauth/logout`,
    `${world.publicUrl}/auth/logged-out`,
  ])
  assert.equal(answer.location, `${SPA}/bye`)
  assert.deepEqual(await browser.session(), { authenticated: false })
})

test('LO-06: without return_to the way ends at /', async (t) => {
  const { browser } = await signIn(t)
  const answer = await browser.fetch('/auth/logout', { method: 'POST' })
  const onward = await browser.navigate(String(answer.json().logout_url))
  const back = await browser.navigate(String(onward.location))
  assert.equal((await browser.navigate(String(back.location))).headers.get('location'), '/')
})

test('LO-02: with the IdP down the session ends here all the same, and the user still gets back', async (t) => {
  const { world, browser } = await signIn(t)
  breakIdp(world)
  const answer = await browser.fetch('/auth/logout', { method: 'POST' })
  assert.equal(answer.status, 200)
  assert.equal(await browser.cookie('oten_session'), undefined)
  assert.deepEqual(await browser.session(), { authenticated: false })
})

test('LO-02: with an IdP that was never reached since the start there is nowhere to go on to', async (t) => {
  const { world, browser } = await signIn(t)
  await world.restart()
  breakIdp(world)
  const answer = await browser.fetch('/auth/logout', { method: 'POST' })
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.json(), { logout_url: null })
  assert.deepEqual(await browser.session(), { authenticated: false })
})

test('LO-02: an IdP that goes down after the logout leaves the way back open', async (t) => {
  const { world, browser } = await signIn(t)
  const body = new URLSearchParams({ return_to: '/bye' })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await browser.fetch('/auth/logout', { method: 'POST', headers, body })
  await world.restart()
  breakIdp(world)
  const onward = await browser.navigate(String(answer.json().logout_url))
  assert.equal(onward.status, 303)
  assert.equal((await browser.navigate(String(onward.location))).headers.get('location'), '/bye')
})

test('LO-03: both tokens are revoked at the IdP, the refresh token with them', async (t) => {
  const { world, browser } = await signIn(t)
  await browser.fetch('/auth/logout', { method: 'POST' })
  assert.equal(world.simulator.stats.revocations, 2)
})

test('LO-03: without a refresh token the access token is revoked', async (t) => {
  const { world, browser } = await signIn(t, { env: { OTEN_SCOPE: 'openid' } })
  await browser.fetch('/auth/logout', { method: 'POST' })
  assert.equal(world.simulator.stats.revocations, 1)
})

for (const fault of [{ kind: 'status', status: 503 }, { kind: 'status', status: 400 }, { kind: 'hang' }] as const) {
  test(`LO-03: a revocation that meets ${Object.values(fault).join(' ')} does not keep the user signed in`, async (t) => {
    const { world, browser } = await signIn(t)
    world.simulator.faults.revocation = fault
    const startedAt = performance.now()
    const answer = await browser.fetch('/auth/logout', { method: 'POST' })
    assert.ok(performance.now() - startedAt < 3000)
    assert.match(String(answer.json().logout_url), /ticket=/)
    assert.deepEqual(await browser.session(), { authenticated: false })
  })
}

test('LO-03: an IdP without a revocation endpoint is asked for nothing', async (t) => {
  const { world, browser } = await signIn(t, { simulator: { advertise: { revocation_endpoint: undefined } } })
  assert.match(String((await browser.fetch('/auth/logout', { method: 'POST' })).json().logout_url), /ticket=/)
  assert.equal(world.simulator.stats.revocations, 0)
})

test('LO-07: an IdP without a sign-out: by fetch null, by navigation on to return_to', async (t) => {
  const { world, browser } = await signIn(t, { simulator: { advertise: { end_session_endpoint: undefined } } })
  assert.deepEqual((await browser.fetch('/auth/logout', { method: 'POST' })).json(), { logout_url: null })
  await browser.signIn('ada')
  const headers = { origin: world.publicUrl, 'sec-fetch-site': 'same-origin' }
  const body = new URLSearchParams({ return_to: '/bye' })
  const answer = await browser.navigate('/auth/logout', { method: 'POST', headers, body })
  assert.equal(answer.status, 303)
  assert.equal(answer.headers.get('location'), '/bye')
  assert.deepEqual(await browser.session(), { authenticated: false })
})

for (const session of ['cookie', 'token'] as const) {
  test(`an app signs out with its ${session}, and gets the answer as JSON whatever it accepts`, async (t) => {
    const world = await createWorld(t)
    const phone = createPhone(world)
    const redeemed = await phone.redeem((await phone.signIn('ada')).code, { session })
    const { name, value } = parseSetCookie(String(redeemed.setCookies))
    const token = redeemed.json().session_token
    const credential: Record<string, string> =
      session === 'token' ? { authorization: `Bearer ${token}` } : { cookie: `${name}=${value}` }
    for (const [accept, logoutUrl] of [
      [{}, /ticket=/],
      [{ accept: '*/*' }, /null/], // Again, on the session that is over.
    ] as const) {
      const answer = await sendPlain(world, '/auth/logout', { method: 'POST', headers: { ...credential, ...accept } })
      assert.equal(answer.status, 200)
      assert.match(String(answer.json().logout_url), logoutUrl)
    }
    const after = await sendPlain(world, '/auth/session', { headers: credential })
    assert.equal(after.json().authenticated, false)
  })
}

test('LG-01: neither ticket, state nor ID token of a sign-out is in the log', async (t) => {
  const { world, browser, idToken } = await signIn(t)
  const logoutUrl = new URL(String((await browser.fetch('/auth/logout', { method: 'POST' })).json().logout_url))
  const onward = await browser.navigate(logoutUrl.href)
  const back = await browser.navigate(String(onward.location))
  await browser.navigate(String(back.location))
  const state = new URL(String(back.location)).searchParams.get('state')
  for (const secret of [logoutUrl.searchParams.get('ticket'), state, idToken]) {
    assert.ok(String(secret).length > 40)
    assert.ok(!world.logs.join('').includes(String(secret)))
  }
  assert.equal(world.events('signed_out').length, 1)
})
