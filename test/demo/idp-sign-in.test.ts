import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalJWKSet, jwtVerify, SignJWT } from 'jose'
import {
  authorizationUrl,
  CLIENT_JWKS,
  CLIENT_KEY,
  claimsFor,
  createBrowser,
  decode,
  EDDSA,
  HS256,
  now,
  REDIRECT_URI,
  redeem,
  requestTokens,
  SECRET,
  serve,
  signIn,
  signRequestObject,
  start,
  urlWith,
  VERIFIER,
} from './idp-client.ts'

test('a request object signed with the client secret (HS256) leads to tokens', async (t) => {
  const simulator = await start(t)
  const callback = await createBrowser().signIn(await authorizationUrl(simulator), 'ada')
  assert.equal(`${callback.origin}${callback.pathname}`, REDIRECT_URI)
  assert.equal(callback.searchParams.get('state'), 'the-state')
  assert.equal(callback.searchParams.get('iss'), simulator.issuer)

  const { status, body } = await redeem(simulator, callback)
  assert.equal(status, 200)
  assert.equal(body.token_type, 'Bearer')
  assert.equal(Number(body.expires_in), 3600)
  assert.equal(body.refresh_token, undefined)
  const jwks = (await (await fetch(`${simulator.issuer}/v1/oauth/jwks`)).json()) as typeof CLIENT_JWKS
  const { payload, protectedHeader } = await jwtVerify(String(body.id_token), createLocalJWKSet(jwks), {
    issuer: simulator.issuer,
    audience: 'hs',
    algorithms: ['EdDSA'],
  })
  assert.equal(protectedHeader.kid, jwks.keys[0]?.kid)
  const { name, email, email_verified, picture, locale, nonce, sid } = payload
  assert.deepEqual(
    { sub: payload.sub, name, email, email_verified, locale, nonce },
    { sub: 'ada', name: 'Ada', email: 'ada@example.com', email_verified: true, locale: 'en-US', nonce: 'the-nonce' },
  )
  assert.equal(typeof sid, 'string')
  assert.equal((await fetch(String(picture))).status, 200)
})

test('a request object signed with EdDSA and a private_key_jwt client lead to tokens', async (t) => {
  const simulator = await start(t)
  const url = await authorizationUrl(simulator, { clientId: 'ed', alg: 'EdDSA' })
  const callback = await createBrowser().signIn(url, 'bob')
  const assertion = await new SignJWT({ iss: 'ed', sub: 'ed', aud: simulator.issuer, jti: 'j1', exp: now() + 60 })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'client-1' })
    .sign(CLIENT_KEY)
  const response = await fetch(`${simulator.issuer}/v1/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: String(callback.searchParams.get('code')),
      redirect_uri: REDIRECT_URI,
      code_verifier: VERIFIER,
      client_id: 'ed',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    }),
  })
  const body = (await response.json()) as Record<string, string>
  assert.equal(response.status, 200, JSON.stringify(body))
  assert.equal(decode(body.id_token).sub, 'bob')
})

test('client_secret_basic works, with the secret form-encoded as RFC 6749 §2.3.1 asks', async (t) => {
  const simulator = await start(t, { clients: [{ ...HS256, tokenAuth: 'client_secret_basic' }] })
  const callback = await createBrowser().signIn(await authorizationUrl(simulator))
  const encoded = new URLSearchParams({ s: SECRET }).toString().slice(2)
  const response = await fetch(`${simulator.issuer}/v1/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`hs:${encoded}`).toString('base64')}` },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: String(callback.searchParams.get('code')),
      redirect_uri: REDIRECT_URI,
      code_verifier: VERIFIER,
    }),
  })
  assert.equal(response.status, 200, await response.text())
})

test('keys of an EdDSA client are read from its jwksUri on loopback, and again when they rotate', async (t) => {
  let jwks = { ...CLIENT_JWKS }
  const origin = await serve(t, () => ({ status: 200, body: JSON.stringify(jwks) }))
  const { jwks: _byValue, ...spec } = EDDSA
  const simulator = await start(t, { clients: [{ ...spec, jwksUri: `${origin}/auth/jwks.json` }] })
  await createBrowser().signIn(await authorizationUrl(simulator, { clientId: 'ed', alg: 'EdDSA' }))

  jwks = { keys: CLIENT_JWKS.keys.map((key) => ({ ...key, kid: 'client-2' })) }
  const request = await signRequestObject(claimsFor(simulator, 'ed'), 'EdDSA', { header: { kid: 'client-2' } })
  simulator.clock.advance(2) // Past the pause between two look-ups.
  const answer = await fetch(urlWith(simulator, { client_id: 'ed', request }), { redirect: 'manual' })
  assert.equal(answer.status, 303, await answer.text())
})

test('the alg name Ed25519 (RFC 9864) is accepted for a client registered with it', async (t) => {
  const simulator = await start(t, { clients: [{ ...EDDSA, requestObjectAlg: 'Ed25519' }] })
  await createBrowser().signIn(await authorizationUrl(simulator, { clientId: 'ed', alg: 'Ed25519' }))
})

test('the sign-in page is one form without script, prefilled with login_hint, and says that it is a simulator', async (t) => {
  const simulator = await start(t)
  const url = await authorizationUrl(simulator, { changes: { login_hint: '"><script>x' } })
  const page = await createBrowser().follow(url)
  const html = await page.text()
  assert.equal(page.status, 200)
  assert.match(html, /<title>Sign in to Oten \(simulator\)<\/title>/)
  assert.equal(html.match(/<form/g)?.length, 1)
  assert.match(html, /<input id="login" name="login" type="text" value="&#34;&#62;&#60;script&#62;x"/)
  assert.match(html, /name="action" value="allow"/)
  assert.match(html, /name="action" value="deny"/)
  assert.doesNotMatch(html, /<script/)
  assert.match(String(page.headers.get('content-security-policy')), /default-src 'none'.*frame-ancestors 'none'/)
})

test('the form refuses an empty name, and a sign-in that is over', async (t) => {
  const simulator = await start(t)
  const browser = createBrowser()
  const first = await browser.fetch(await authorizationUrl(simulator))
  const page = new URL(String(first.headers.get('location')), simulator.issuer).href
  const send = (login: string) =>
    browser.fetch(page, { method: 'POST', body: new URLSearchParams({ login, action: 'allow' }) })
  assert.equal((await send('  ')).status, 400)
  assert.equal((await createBrowser().fetch(page)).status, 400)
  await browser.follow(page, { method: 'POST', body: new URLSearchParams({ login: 'ada', action: 'allow' }) })
  assert.equal((await send('ada')).status, 400)
})

test('declining gives access_denied with the state', async (t) => {
  const simulator = await start(t)
  const callback = await createBrowser().signIn(await authorizationUrl(simulator), '', 'deny')
  assert.equal(callback.searchParams.get('error'), 'access_denied')
  assert.equal(callback.searchParams.get('state'), 'the-state')
  assert.equal(simulator.stats.denials, 1)
})

test('prompt=none gives login_required without a session, and a code with one', async (t) => {
  const simulator = await start(t)
  const browser = createBrowser()
  const silent = () => authorizationUrl(simulator, { changes: { prompt: 'none' } })
  const refused = new URL(String((await browser.follow(await silent())).headers.get('location')))
  assert.equal(refused.searchParams.get('error'), 'login_required')
  assert.equal(refused.searchParams.get('state'), 'the-state')
  await browser.signIn(await authorizationUrl(simulator))
  const answered = new URL(String((await browser.follow(await silent())).headers.get('location')))
  assert.equal((await redeem(simulator, answered)).status, 200)
})

test('a second sign-in completes at once with the same sid, and prompt=login asks again', async (t) => {
  const simulator = await start(t)
  const browser = createBrowser()
  const first = await signIn(simulator, { browser })
  const callback = new URL(String((await browser.follow(await authorizationUrl(simulator))).headers.get('location')))
  const second = await redeem(simulator, callback)
  assert.equal(decode(second.body.id_token).sid, decode(first.body.id_token).sid)
  for (const prompt of ['login', 'consent', 'select_account']) {
    const page = await browser.follow(await authorizationUrl(simulator, { changes: { prompt } }))
    assert.match(await page.text(), /name="login"/, prompt)
  }
})

test('signing in as someone else replaces the session, without script', async (t) => {
  const simulator = await start(t)
  const browser = createBrowser()
  const ada = await signIn(simulator, { browser, login: 'ada' })
  const bob = await signIn(simulator, { browser, login: 'bob', changes: { prompt: 'login' } })
  assert.equal(decode(bob.body.id_token).sub, 'bob')
  assert.notEqual(decode(bob.body.id_token).sid, decode(ada.body.id_token).sid)
})

test('max_age puts auth_time into the ID token, also max_age=0, which asks again', async (t) => {
  const simulator = await start(t)
  const browser = createBrowser()
  assert.equal(decode((await signIn(simulator, { browser })).body.id_token).auth_time, undefined)
  const again = await signIn(simulator, { browser, changes: { max_age: 0 } })
  assert.ok(Math.abs(Number(decode(again.body.id_token).auth_time) - now()) <= 2)
  const recent = new URL(
    String(
      (await browser.follow(await authorizationUrl(simulator, { changes: { max_age: 600 } }))).headers.get('location'),
    ),
  )
  const { body } = await redeem(simulator, recent)
  assert.equal(decode(body.id_token).auth_time, decode(again.body.id_token).auth_time)
  simulator.clock.advance(601)
  const page = await browser.follow(await authorizationUrl(simulator, { changes: { max_age: 600 } }))
  assert.match(await page.text(), /name="login"/)
})

test('a code works once, with its verifier and redirect URI only, and for ten minutes', async (t) => {
  const simulator = await start(t)
  const browser = createBrowser()
  const code = async () => {
    const answer = await browser.signIn(await authorizationUrl(simulator, { changes: { prompt: 'login' } }))
    return String(answer.searchParams.get('code'))
  }
  const grant = { grant_type: 'authorization_code', redirect_uri: REDIRECT_URI, code_verifier: VERIFIER }
  const attempt = async (parameters: Record<string, string>) => (await requestTokens(simulator, parameters)).body.error
  const used = await code()
  assert.equal(await attempt({ ...grant, code: used }), undefined)
  assert.equal(await attempt({ ...grant, code: used }), 'invalid_grant')
  assert.equal(await attempt({ ...grant, code: await code(), code_verifier: 'b'.repeat(43) }), 'invalid_grant')
  assert.equal(await attempt({ ...grant, code: await code(), redirect_uri: `${REDIRECT_URI}/` }), 'invalid_grant')
  assert.equal(await attempt({ ...grant, code: await code(), client_secret: 'wrong' }), 'invalid_client')
  const late = await code()
  simulator.clock.advance(601)
  assert.equal(await attempt({ ...grant, code: late }), 'invalid_grant')
})

test('twenty sign-ins at once all complete', async (t) => {
  const simulator = await start(t)
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => signIn(simulator, { login: `user${index}` })),
  )
  assert.deepEqual(
    answers.map(({ body }) => decode(body.id_token).sub),
    answers.map((_, index) => `user${index}`),
  )
  assert.equal(simulator.stats.logins, 20)
  assert.equal(simulator.stats.tokenRequests.authorization_code, 20)
})
