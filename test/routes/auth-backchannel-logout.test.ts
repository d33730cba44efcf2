import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPhone } from '../flows/phone.ts'
import { sendPlain } from '../flows/steps.ts'
import { assertDone, assertRefused, build, EVENT, FORM, isSignedIn, post, signIn } from './build-backchannel-logout.ts'

test('BL-10: a sid ends that session and no other of the user; 200 with no-store', async (t) => {
  const { world, sign, send } = await build(t)
  const [first, second] = [await signIn(world, 'ada'), await signIn(world, 'ada')]
  assert.notEqual(first.sid, second.sid)
  assertDone(await send(sign({ sid: first.sid })))
  assert.equal(await isSignedIn(first.browser), false)
  assert.equal(await isSignedIn(second.browser), true)
  assertDone(await send(sign({ sid: second.sid, sub: 'ada' })))
  assert.equal(await isSignedIn(second.browser), false)
  assert.deepEqual(
    world.events('backchannel_logout').map(({ ended }) => ended),
    [1, 1],
  )
})

test('BL-10: a sid with the sub of somebody else ends nothing', async (t) => {
  const { world, sign, send } = await build(t)
  const { browser, sid } = await signIn(world, 'ada')
  assertDone(await send(sign({ sid, sub: 'bob' })))
  assert.equal(await isSignedIn(browser), true)
})

test('BL-10: a sub alone ends every session of the user, apps included, and nobody else', async (t) => {
  const { world, sign, send } = await build(t)
  const ada = [(await signIn(world, 'ada')).browser, (await signIn(world, 'ada')).browser]
  const { browser: bob } = await signIn(world, 'bob')
  const phone = createPhone(world)
  const app = (await phone.redeem((await phone.signIn('ada')).code, { session: 'token' })).json()
  const askApp = () =>
    sendPlain(world, '/auth/session', { headers: { authorization: `Bearer ${String(app.session_token)}` } })
  assert.equal((await askApp()).json().authenticated, true)
  assertDone(await send(sign({ sub: 'ada' })))
  for (const browser of ada) assert.equal(await isSignedIn(browser), false)
  assert.equal((await askApp()).json().authenticated, false)
  assert.equal(await isSignedIn(bob), true)
})

test('BL-10: an unknown sid, an unknown sub and a session that is over already are 200', async (t) => {
  const { world, sign, send } = await build(t)
  const { browser, sid } = await signIn(world, 'ada')
  await browser.fetch('/auth/logout', { method: 'POST' })
  for (const target of [{ sid: 'nobody-has-this' }, { sub: 'nobody' }, { sid }, { sub: 'ada', sid }]) {
    assertDone(await send(sign(target)))
  }
})

test('BL-12: what the session held of the IdP is gone from the store with it', async (t) => {
  const { world, sign, send } = await build(t)
  const { sid } = await signIn(world, 'ada')
  const keys = async (): Promise<string[]> => Array.fromAsync(world.store.scan('session:'))
  assert.notDeepEqual(await keys(), [])
  assertDone(await send(sign({ sid })))
  assert.deepEqual(await keys(), [])
})

test('BL-02 … BL-08: a token that is not wholly right is 400 and ends nothing', async (t) => {
  const { world, sign, send } = await build(t)
  const { browser, sid } = await signIn(world, 'ada')
  const { simulator } = world
  const past = Math.floor(Date.now() / 1000) - 3600
  const good = { iss: simulator.issuer, aud: 'bff', iat: past + 3600, exp: past + 3700, jti: 'j', sid }
  const claims = { ...good, events: { [EVENT]: {} } }
  const tokens: Record<string, string> = {
    'alg none': simulator.signJwt(claims, {}, 'none'),
    HS256: simulator.signJwt(claims, {}, 'HS256'),
    'another key': simulator.signJwt(claims, {}, 'other-key'),
    'a flipped bit': simulator.signJwt(claims, {}, 'flip'),
    'another issuer': sign({ sid, iss: 'https://other.example' }),
    'no issuer': sign({ sid, iss: undefined }),
    'another audience': sign({ sid, aud: 'other' }),
    'no audience': sign({ sid, aud: undefined }),
    'an old iat': sign({ sid, iat: past }),
    'no iat': sign({ sid, iat: undefined }),
    'an old exp': sign({ sid, exp: past }),
    'no exp': sign({ sid, exp: undefined }),
    'no events': sign({ sid, events: undefined }),
    'another event': sign({ sid, events: { 'http://schemas.openid.net/event/other': {} } }),
    'an array of events': sign({ sid, events: [EVENT] }),
    'a string event': sign({ sid, events: { [EVENT]: 'yes' } }),
    'a nonce': sign({ sid, nonce: 'n' }),
    'neither sub nor sid': sign({}),
    'no jti': sign({ sid, jti: undefined }),
    'a numeric jti': sign({ sid, jti: 7 }),
    'an access token': sign({ sid }, { typ: 'at+jwt' }),
    nonsense: 'nonsense',
    empty: '',
  }
  for (const [what, token] of Object.entries(tokens)) assertRefused(await send(token), what)
  assert.equal(await isSignedIn(browser), true)
  assert.equal(world.events('backchannel_logout_refused').length, Object.keys(tokens).length)
  assert.ok(!world.logs.join('').includes(String(tokens['a nonce'])), 'no token in the log')
})

test('BL-08: typ logout+jwt, LOGOUT+JWT, JWT and none pass', async (t) => {
  const { sign, send } = await build(t)
  for (const header of [{ typ: 'logout+jwt' }, { typ: 'LOGOUT+JWT' }, { typ: 'JWT' }, {}]) {
    assertDone(await send(sign({ sid: 'any' }, header)))
  }
})

test('BL-07: the same token again is 400, on another replica and after a restart too', async (t) => {
  const { world, sign, send } = await build(t)
  const token = sign({ sid: 'any' })
  assertDone(await send(token))
  assertRefused(await send(token))
  await world.restart()
  assertRefused(await send(token))
  world.advance(140) // It is over by 20 s: still believed, so still known.
  assertRefused(await send(token))
  assert.ok(world.events('backchannel_logout_refused').every(({ reason }) => reason === 'replayed'))
})

test('BL-07: of twenty copies at once exactly one is 200', async (t) => {
  const { sign, send } = await build(t)
  const token = sign({ sid: 'any' })
  const statuses = (await Promise.all(Array.from({ length: 20 }, () => send(token)))).map(({ status }) => status)
  assert.deepEqual(
    statuses.toSorted((a, b) => a - b),
    [200, ...Array(19).fill(400)],
  )
})

test('BL-01: other parameters are ignored; cookies, origins and other sites do not matter', async (t) => {
  const { world, sign, send } = await build(t)
  assertDone(await send(sign({ sid: 'any' }), { state: 'x', sid: 'y' }))
  const headers = {
    ...FORM,
    origin: 'https://evil.example',
    'sec-fetch-site': 'cross-site',
    cookie: 'oten_session=b.x',
  }
  const answer = await post(world, `logout_token=${sign({ sid: 'any' })}`, headers)
  assertDone(answer)
  assert.deepEqual(answer.setCookies, [])
  assert.equal(answer.headers.get('access-control-allow-origin'), null)
})

test('BL-01, BL-09: JSON, text, no type, no token, a repeated one and a body past the limit are 400', async (t) => {
  const { world, sign } = await build(t)
  const token = sign({ sid: 'any' })
  for (const [body, headers] of [
    [JSON.stringify({ logout_token: token }), { 'content-type': 'application/json' }],
    [`logout_token=${token}`, { 'content-type': 'text/plain' }],
    [`logout_token=${token}`, {}],
    ['', FORM],
    ['other=1', FORM],
    [`logout_token=${token}&logout_token=${token}`, FORM],
    [`logout_token=${token}&logout_token=`, FORM],
    [`logout_token=${'x'.repeat(16_385)}`, FORM],
    [`logout_token=${token}&padding=${'x'.repeat(65_536)}`, FORM],
  ] as const) {
    assertRefused(await post(world, body, headers), `${JSON.stringify(headers)} ${body.slice(0, 20)}`)
  }
  assertDone(await post(world, `logout_token=${token}`)) // None of these was taken for its first use.
})

for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH']) {
  test(`BL-01: ${method} is 405 with Allow: POST`, async (t) => {
    const { world } = await build(t)
    const answer = await sendPlain(world, '/auth/backchannel-logout?logout_token=x', { method })
    assert.equal(answer.status, 405)
    assert.equal(answer.headers.get('allow'), 'POST')
    assert.equal(answer.headers.get('cache-control'), 'no-store')
  })
}

test('BACKCHANNEL_LOGOUT=off refuses what would be right', async (t) => {
  const { world, sign, send } = await build(t, { env: { BACKCHANNEL_LOGOUT: 'off' } })
  const { browser, sid } = await signIn(world, 'ada')
  assertRefused(await send(sign({ sid })))
  assert.equal(await isSignedIn(browser), true)
})

for (const supported of [true, false]) {
  test(`BACKCHANNEL_LOGOUT=auto does as the IdP announces: ${supported}`, async (t) => {
    const simulator = { advertise: { backchannel_logout_supported: supported } }
    const { sign, send } = await build(t, { env: { BACKCHANNEL_LOGOUT: 'auto' }, simulator })
    assert.equal((await send(sign({ sid: 'any' }))).status, supported ? 200 : 400)
  })
}

test('BL-09: what could not be completed is 400, and the same token may come again', async (t) => {
  const { world, sign, send } = await build(t)
  const { browser, sid } = await signIn(world, 'ada')
  const token = sign({ sid })
  const members = t.mock.method(world.store, 'members', () => Promise.reject(new Error('away')))
  assertRefused(await send(token))
  members.mock.restore()
  assertDone(await send(token))
  assert.equal(await isSignedIn(browser), false)
})

test('BL-10: the IdP ends a session by itself, and the browser is signed out here', async (t) => {
  const { world } = await build(t, { env: { BACKCHANNEL_LOGOUT: 'auto' } })
  await world.simulator.addClient({
    clientId: 'bff',
    clientSecret: 'a-client-secret-of-more-than-thirty-two-octets:%+/=',
    redirectUris: [`${world.publicUrl}/auth/callback`],
    postLogoutRedirectUris: [`${world.publicUrl}/auth/logged-out`],
    requestObjectAlg: 'EdDSA',
    tokenAuth: 'client_secret_basic',
    jwksUri: `${world.publicUrl}/auth/jwks.json`,
    backchannelLogoutUri: `${world.publicUrl}/auth/backchannel-logout`,
  })
  const [ada, bob] = [(await signIn(world, 'ada')).browser, (await signIn(world, 'bob')).browser]
  await world.simulator.endSession({ sub: 'ada' })
  assert.deepEqual(world.simulator.stats.backchannelLogouts, { delivered: 1, failed: 0 })
  assert.equal(await isSignedIn(ada), false)
  assert.equal(await isSignedIn(bob), true)
})
