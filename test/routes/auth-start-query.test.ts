import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from 'undici'
import { ENCODED_TARGETS, HONEST_TARGETS, readHostileTargets } from '../login/return-targets.ts'
import { buildStart, FETCH, NAVIGATION, readError, SPA } from './build-start.ts'

const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' // RFC 7636 Appendix B.
const APP = `app=ios&code_challenge=${CHALLENGE}&code_challenge_method=S256`

test('ST-08: every hostile return target is 400 over HTTP, and starts nothing', async (t) => {
  const { app, writes } = await buildStart(t, { ALLOWED_ORIGINS: `${SPA},capacitor://localhost` })
  const client = new Client(await app.listen({ host: '127.0.0.1', port: 0 }))
  t.after(() => client.close())
  for (const [written, target] of [...readHostileTargets(), ['(nothing)', ''] as const]) {
    const path = `/auth/start?return_to=${encodeURIComponent(target)}`
    const { statusCode, headers, body } = await client.request({ method: 'GET', path, headers: FETCH })
    assert.equal(statusCode, 400, written)
    assert.match(await body.text(), /^\{"error":"invalid_request",/, written)
    assert.equal(headers['set-cookie'], undefined, written)
    assert.equal(headers.location, undefined, written)
  }
  assert.deepEqual(writes, [])
})

test('ST-08: every honest return target starts a sign-in', async (t) => {
  const { get } = await buildStart(t)
  for (const target of [...HONEST_TARGETS, ...ENCODED_TARGETS.map(([given]) => given)]) {
    const response = await get(`/auth/start?return_to=${encodeURIComponent(target)}`, FETCH)
    assert.equal(response.statusCode, 200, target)
  }
})

test('ST-09 RO-09: the return target is in the transaction alone', async (t) => {
  const { start, config } = await buildStart(t)
  const { claims, url, response } = await start('return_to=/canary/5?x=canary')
  assert.equal(claims.redirect_uri, 'https://app.example.com/auth/callback')
  for (const text of [JSON.stringify(claims), url.href, String(response.headers['set-cookie'])]) {
    assert.ok(!text.includes('canary'))
  }
  assert.equal(config.publicUrl, 'https://app.example.com')
})

test('ST-11 RO-09 RO-13: the hints are forwarded inside the request object, each in its JSON type, and nowhere else', async (t) => {
  const { start } = await buildStart(t)
  const query = new URLSearchParams({
    prompt: 'login consent',
    max_age: '3600',
    login_hint: 'Ada Lovelace <ada@example.com> ß',
    ui_locales: 'de-CH de en',
    acr_values: 'urn:mace:incommon:iap:silver phr',
  })
  const { claims, url } = await start(query.toString())
  assert.equal(claims.prompt, 'login consent')
  assert.equal(claims.max_age, 3600)
  assert.equal(claims.login_hint, 'Ada Lovelace <ada@example.com> ß')
  assert.equal(claims.ui_locales, 'de-CH de en')
  assert.equal(claims.acr_values, 'urn:mace:incommon:iap:silver phr')
  assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request'])
})

const USUAL_CLAIMS = [
  'aud',
  'client_id',
  'code_challenge',
  'code_challenge_method',
  'exp',
  'iat',
  'iss',
  'jti',
  'nbf',
  'nonce',
  'redirect_uri',
  'response_type',
  'scope',
  'state',
]

test('ST-11: unknown names are ignored and never forwarded, however often they come', async (t) => {
  const { start } = await buildStart(t)
  const unknown = [
    'utm_source=canary&utm_source=canary2',
    'display=popup&id_token_hint=canary&target_link_uri=canary&resource=canary&authorization_details=canary',
    'client_secret=canary&code_verifier=canary&sub=canary&iss=canary&aud=canary&jti=canary&exp=1&iat=1',
    '__proto__=canary&constructor=canary&toString=canary&hasOwnProperty=canary',
    'Redirect_URI=canary&SCOPE=canary&return_to[]=canary&=canary&return_to%00=canary',
  ].join('&')
  const { claims, url } = await start(unknown)
  assert.deepEqual(Object.keys(claims).sort(), USUAL_CLAIMS)
  assert.ok(!JSON.stringify(claims).includes('canary'))
  assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request'])
})

test('ST-12: the scope is the configured one, with openid', async (t) => {
  const { start } = await buildStart(t, { OTEN_SCOPE: 'openid email' })
  assert.equal((await start()).claims.scope, 'openid email')
})

const GOOD = [
  'prompt=none',
  'prompt=login',
  'prompt=consent',
  'prompt=select_account',
  'prompt=login+consent+select_account',
  'max_age=0',
  'max_age=999999999',
  `login_hint=${'a'.repeat(320)}`,
  'ui_locales=en',
  'acr_values=0',
  APP,
  `${APP}&state=${'s'.repeat(512)}`,
  `${APP}&state=%25%26%3D+%C3%9F`,
  `${APP}&prompt=login&max_age=5`,
  'response=json',
  'return_to=/&response=redirect',
]

test('every value that a parameter may have is accepted', async (t) => {
  const { get } = await buildStart(t)
  for (const query of GOOD) assert.equal((await get(`/auth/start?${query}`, FETCH)).statusCode, 200, query)
})

const PROTOCOL = 'redirect_uri client_id scope nonce response_type response_mode claims request request_uri'.split(' ')
const TWICE = {
  return_to: '/',
  response: 'json',
  prompt: 'login',
  max_age: '5',
  login_hint: 'a',
  ui_locales: 'en',
  acr_values: '0',
}
const APP_TWICE = { app: 'ios', code_challenge: CHALLENGE, code_challenge_method: 'S256', state: 's' }

/** By what is wrong with them. */
const BAD: Readonly<Record<string, readonly string[]>> = {
  'ST-11: a protocol parameter is refused, empty or not, with app or without': PROTOCOL.flatMap((name) => [
    `${name}=openid`,
    `${name}=`,
    name,
    `${name}=a&${name}=b`,
    `return_to=/&${name}=x`,
    `${APP}&${name}=x`,
  ]),
  'ST-11: state and code_challenge are refused without app': [
    'state=x',
    'state=',
    `code_challenge=${CHALLENGE}`,
    'code_challenge_method=S256',
    `code_challenge=${CHALLENGE}&code_challenge_method=S256&state=x`,
  ],
  'a known name twice is refused, also with one value': [
    ...Object.entries(TWICE).flatMap(([name, value]) => [
      `${name}=${value}&${name}=${value}`,
      `${name}=${value}&${name}=`,
    ]),
    'return_to=/a&return_to=/b',
    'return_to=/a&return_to=//evil.example',
    'return_to=%2F&%72eturn_to=%2F',
    ...Object.entries(APP_TWICE).map(([name, value]) => `${APP}&state=s&${name}=${value}`),
  ],
  'ST-12: prompt has the values of OIDC Core, none of them beside none': [
    '',
    'none+login',
    'login+none',
    'none+none',
    'create',
    'LOGIN',
    'login+',
    '+login',
    'login++consent',
    'login,consent',
    'login+consent+select_account+login',
    'login%0Aconsent',
  ].map((value) => `prompt=${value}`),
  'ST-12: max_age is a number of seconds': [
    '',
    '-1',
    '1.5',
    '1e3',
    '0x10',
    '+1',
    '%2B1',
    '5s',
    'NaN',
    '1000000000',
    '٣',
    '5%0A',
  ].map((value) => `max_age=${encodeURI(decodeURI(value))}`),
  'the other hints have bounds and no control characters': [
    'login_hint=',
    'login_hint=a%0Ab',
    'login_hint=a%00',
    'login_hint=%7F',
    `login_hint=${'a'.repeat(321)}`,
    'ui_locales=',
    'ui_locales=de_CH',
    'ui_locales=de++en',
    `ui_locales=${'a'.repeat(201)}`,
    'acr_values=',
    'acr_values=a%09b',
    'acr_values=%C3%9F',
    `acr_values=${'a'.repeat(501)}`,
  ],
  'response is json or redirect': ['response=', 'response=JSON', 'response=html', 'response=query', 'response=json+'],
  'MH: an app is one of APPS, with an S256 challenge of 43 characters, and excludes return_to': [
    'app=',
    'app=ios',
    `app=unknown&code_challenge=${CHALLENGE}&code_challenge_method=S256`,
    `app=IOS&code_challenge=${CHALLENGE}&code_challenge_method=S256`,
    `app=__proto__&code_challenge=${CHALLENGE}&code_challenge_method=S256`,
    `app=ios&code_challenge=${CHALLENGE}`,
    'app=ios&code_challenge_method=S256',
    `app=ios&code_challenge=${CHALLENGE}&code_challenge_method=plain`,
    `app=ios&code_challenge=${CHALLENGE}&code_challenge_method=s256`,
    `app=ios&code_challenge=${CHALLENGE}&code_challenge_method=`,
    `app=ios&code_challenge=${CHALLENGE.slice(1)}&code_challenge_method=S256`,
    `app=ios&code_challenge=${CHALLENGE}A&code_challenge_method=S256`,
    `app=ios&code_challenge=${CHALLENGE.slice(1)}=&code_challenge_method=S256`,
    `app=ios&code_challenge=&code_challenge_method=S256`,
    `${APP}&return_to=/`,
    `${APP}&return_to=`,
    `${APP}&state=`,
    `${APP}&state=${'s'.repeat(513)}`,
    `${APP}&state=a%0Db`,
  ],
}

for (const [rule, queries] of Object.entries(BAD)) {
  test(`${rule}: 400, and nothing starts`, async (t) => {
    const { get, writes } = await buildStart(t)
    for (const query of queries) {
      for (const headers of [FETCH, NAVIGATION]) {
        const response = await get(`/auth/start?${query}`, headers)
        assert.equal(response.statusCode, 400, query)
        if (headers === FETCH) assert.equal(readError(response), 'invalid_request')
        assert.equal(response.headers['set-cookie'], undefined, query)
        assert.equal(response.headers.location, undefined, query)
      }
    }
    assert.deepEqual(writes, [])
  })
}
