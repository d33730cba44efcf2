import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createKey, signJws } from '../idp/hostile-idp.ts'
import { CLIENT_SECRET } from '../support/env.ts'
import { createForeignKey, encrypt, flipSignature, leaveUnsigned, signByOther, signForeign, signHmac } from './forge.ts'
import { assertAnswerRefused, assertSignedIn, assertTokensRefused, startJourney } from './journey.ts'
import { CLIENT_ID, type Twist } from './provider.ts'

interface Row {
  readonly title: string
  /** By the log. */
  readonly reason: string
  /** Each of them must be refused. */
  readonly twists: readonly Twist[]
}

const rsa = createForeignKey('RS256', 'provider-1')
const ec = createForeignKey('ES256', 'provider-1')
const stranger = createKey('stranger')

/** ID tokens that sign nobody in. */
const REFUSED: readonly Row[] = [
  {
    title: 'oidcc-client-test-invalid-iss: an ID token of another issuer is refused',
    reason: 'iss',
    twists: [{ claims: ({ iss }) => ({ iss: `${iss}1` }) }, { claims: ({ iss }) => ({ iss: `${iss}/` }) }],
  },
  {
    title: 'oidcc-client-test-missing-sub: an ID token without sub is refused',
    reason: 'sub',
    twists: [{ claims: () => ({ sub: undefined }) }, { claims: () => ({ sub: '' }) }],
  },
  {
    title: 'oidcc-client-test-invalid-aud: an ID token for another client is refused',
    reason: 'aud',
    twists: [{ claims: () => ({ aud: `${CLIENT_ID}1` }) }, { claims: () => ({ aud: [`${CLIENT_ID}1`] }) }],
  },
  {
    title: 'oidcc-client-test-missing-aud: an ID token without aud is refused',
    reason: 'aud',
    twists: [{ claims: () => ({ aud: undefined }) }, { claims: () => ({ aud: [] }) }],
  },
  {
    title: 'oidcc-client-test-missing-iat: an ID token without iat is refused',
    reason: 'iat',
    twists: [{ claims: () => ({ iat: undefined }) }],
  },
  {
    title: 'oidcc-client-test-nonce-invalid: an ID token with another nonce is refused',
    reason: 'nonce_mismatch',
    twists: [{ claims: ({ nonce }) => ({ nonce: `${nonce}1` }) }, { claims: () => ({ nonce: 'n'.repeat(43) }) }],
  },
  {
    title: 'oidcc-client-test-invalid-athash: an ID token whose at_hash is not of this access token is refused',
    reason: 'at_hash',
    twists: [
      { claims: ({ at_hash: hash }) => ({ at_hash: `${hash}1` }) },
      { tokens: () => ({ access_token: 'canary-access-token-of-somebody-else' }) },
    ],
  },
  {
    title:
      'oidcc-client-test-idtoken-sig-none: an unsigned ID token is refused, also one with something for a signature',
    reason: 'alg',
    twists: [{ idToken: (claims) => leaveUnsigned(claims, 'AAAA') }],
  },
  {
    title: 'oidcc-client-test-idtoken-sig-none: an unsigned ID token with nothing behind its last dot is refused',
    reason: 'segments',
    twists: [{ idToken: (claims) => leaveUnsigned(claims) }],
  },
  {
    title:
      'oidcc-client-test-invalid-sig-rs256: an ID token with a bad signature is refused, its algorithm being EdDSA',
    reason: 'signature',
    twists: [
      { idToken: (claims, key) => flipSignature(signJws(claims, key)) },
      { idToken: (claims, key) => signByOther(claims, key, stranger) },
    ],
  },
  {
    title: 'oidcc-client-test-invalid-sig-es256: an ID token signed with ES256 is refused, well signed or not',
    reason: 'alg',
    twists: [
      { idToken: (claims) => signForeign(claims, ec) },
      { idToken: (claims) => flipSignature(signForeign(claims, ec)) },
    ],
  },
  {
    title: 'oidcc-client-test-invalid-sig-hs256: an ID token with an HMAC is refused, of whatever secret it is made',
    reason: 'alg',
    twists: [
      { idToken: (claims, { kid }) => flipSignature(signHmac(claims, CLIENT_SECRET, kid)) },
      { idToken: (claims, { kid }) => signHmac(claims, CLIENT_SECRET, kid) },
      {
        idToken: (claims, { kid, publicKey }) =>
          signHmac(claims, publicKey.export({ type: 'spki', format: 'der' }), kid),
      },
      { idToken: (claims, { kid, jwk }) => signHmac(claims, Buffer.from(String(jwk.x), 'base64url'), kid) },
    ],
  },
  {
    title: 'oidcc-client-test-idtoken-sig-rs256: an ID token signed with RS256 is refused, though its key is published',
    reason: 'alg',
    twists: [
      { idToken: (claims) => signForeign(claims, rsa) },
      { idToken: (claims) => flipSignature(signForeign(claims, rsa)) },
    ],
  },
  {
    title: 'an encrypted ID token is refused, since no key for it was registered',
    reason: 'encrypted',
    twists: [{ idToken: (claims, key) => encrypt(signJws(claims, key), randomBytes(32)) }],
  },
]

for (const { title, reason, twists } of REFUSED) {
  test(title, async (t) => {
    const journey = await startJourney(t)
    journey.provider.idp.keys.push(rsa.jwk, ec.jwk)
    for (const twist of twists) await assertTokensRefused(journey, await journey.signIn(twist), reason)
    await assertSignedIn(journey, await journey.signIn())
  })
}

test('oidcc-client-test: a sign-in asks by signed request object, redeems the code once and signs the user in', async (t) => {
  const journey = await startJourney(t)
  const { idp, asked, granted } = journey.provider
  const names = ['userinfo', 'registration', 'introspection', 'device_authorization', 'pushed_authorization_request']
  Object.assign(idp.metadata, Object.fromEntries(names.map((name) => [`${name}_endpoint`, `${idp.issuer}/${name}`])))
  const outcome = await journey.signIn()
  await assertSignedIn(journey, outcome)
  assert.deepEqual(
    idp.requests.map(({ method, path }) => `${method} ${path}`),
    ['GET /.well-known/openid-configuration', 'GET /authorize', 'POST /token', 'GET /jwks'],
  )
  assert.equal((await outcome.replay()).status, 400)
  assert.equal(idp.count('/token'), 1)
  assert.equal(asked.length, 1)
  const seen = JSON.stringify([outcome.answer, [...outcome.answer.headers], await outcome.browser.session()])
  for (const { id_token: idToken } of granted) assert.ok(!seen.includes(String(idToken)))
  assert.doesNotMatch(seen, /canary/)
})

test('oidcc-client-test-client-secret-basic: the secret travels in the Authorization header, form-encoded, and nowhere else', async (t) => {
  const journey = await startJourney(t)
  const { idp } = journey.provider
  await assertSignedIn(journey, await journey.signIn())
  const { headers, body, query } = idp.last('/token')
  const [scheme, credentials = ''] = String(headers.authorization).split(' ')
  assert.equal(scheme, 'Basic')
  const [id, secret] = Buffer.from(credentials, 'base64').toString().split(':').map(decodeForm)
  assert.deepEqual([id, secret], [CLIENT_ID, CLIENT_SECRET])
  assert.deepEqual([...body.keys()].toSorted(), ['code', 'code_verifier', 'grant_type', 'redirect_uri'])
  assert.equal(query.size, 0)
})

const decodeForm = (text: string): string | null => new URLSearchParams(`x=${text}`).get('x')

test('oidcc-client-test-scope-userinfo-claims: profile and email are asked for by scope and come from the ID token', async (t) => {
  const journey = await startJourney(t)
  const outcome = await journey.signIn({ claims: () => ({ phone_number: '+1 555 0100' }) })
  await assertSignedIn(journey, outcome)
  assert.equal(journey.provider.asked[0]?.scope, 'openid profile email offline_access')
  const { user } = await outcome.browser.session()
  assert.deepEqual(user, { sub: 'ada', name: 'Ada', email: 'ada@example.com' }, 'and no claim that is not configured')
})

test('oidcc-client-test-userinfo-invalid-sub: userinfo is never asked, so nothing it says can change who is signed in', async (t) => {
  const journey = await startJourney(t)
  const { idp } = journey.provider
  idp.metadata.userinfo_endpoint = `${idp.issuer}/userinfo`
  idp.on('/userinfo', () => ({ body: { sub: 'adainvalid', name: 'Somebody else' } }))
  const outcome = await journey.signIn({ claims: () => ({ name: undefined, email: undefined }) })
  await assertSignedIn(journey, outcome)
  assert.deepEqual((await outcome.browser.session()).user, { sub: 'ada' })
  assert.equal(idp.count('/userinfo'), 0)
})

test('oidcc-client-test-nonce-unless-code-flow: each sign-in sends a nonce of its own, with 256 bits', async (t) => {
  const journey = await startJourney(t)
  for (let round = 0; round < 3; round++) await assertSignedIn(journey, await journey.signIn())
  const nonces = journey.provider.asked.map(({ nonce }) => String(nonce))
  for (const nonce of nonces) assert.match(nonce, /^[\w-]{43}$/)
  assert.equal(new Set(nonces).size, 3)
})

test('oidcc-client-test-missing-athash: in the code flow an ID token may lack at_hash', async (t) => {
  const journey = await startJourney(t)
  await assertSignedIn(journey, await journey.signIn({ claims: () => ({ at_hash: undefined }) }))
})

test('oidcc-client-test-kid-absent-single-jwks: without a kid the one key that fits is used, among keys of other kinds', async (t) => {
  const journey = await startJourney(t)
  const { idp, key } = journey.provider
  const unnamed = [rsa.jwk, key.jwk, ec.jwk, createKey('x', 'ed448').jwk].map((jwk) => ({ ...jwk, kid: undefined }))
  idp.keys = [...unnamed, { ...stranger.jwk, kid: undefined, use: 'enc' }]
  await assertSignedIn(journey, await journey.signIn({ header: { kid: undefined } }))
})

test('oidcc-client-test-kid-absent-multiple-jwks: without a kid and with several keys that fit, none is tried', async (t) => {
  const journey = await startJourney(t)
  const { idp, key } = journey.provider
  idp.keys = [key.jwk, stranger.jwk].map((jwk) => ({ ...jwk, kid: undefined }))
  await assertTokensRefused(journey, await journey.signIn({ header: { kid: undefined } }), 'key_unknown')
})

test('oidcc-client-test-aggregated-claims: claims that came inside another token are not taken over', async (t) => {
  const journey = await startJourney(t, { env: { SESSION_CLAIMS: 'sub,address,phone_number' } })
  const source = { JWT: signJws({ address: { country: 'DE' }, phone_number: '+1 555 0100' }, stranger) }
  const names = { address: 'src1', phone_number: 'src1' }
  const outcome = await journey.signIn({ claims: () => ({ _claim_names: names, _claim_sources: { src1: source } }) })
  await assertSignedIn(journey, outcome)
  assert.deepEqual((await outcome.browser.session()).user, { sub: 'ada' })
})

test('oidcc-client-test-distributed-claims: no address that an ID token names is fetched', async (t) => {
  const journey = await startJourney(t, { env: { SESSION_CLAIMS: 'sub,credit_score' } })
  const { idp } = journey.provider
  idp.on('/claims', () => ({ body: { credit_score: 650 } }))
  const source = { endpoint: `${idp.issuer}/claims`, access_token: 'canary' }
  const outcome = await journey.signIn({
    claims: () => ({ _claim_names: { credit_score: 'src1' }, _claim_sources: { src1: source } }),
  })
  await assertSignedIn(journey, outcome)
  assert.deepEqual((await outcome.browser.session()).user, { sub: 'ada' })
  assert.equal(idp.count('/claims'), 0)
})

test('oidcc-client-test-mtls-endpoint-aliases: a client without a certificate uses the token endpoint itself', async (t) => {
  const journey = await startJourney(t)
  const { idp } = journey.provider
  idp.metadata.mtls_endpoint_aliases = { token_endpoint: `${idp.issuer}/mtls/token` }
  await assertSignedIn(journey, await journey.signIn())
  assert.equal(idp.count('/mtls/token'), 0)
})

test('oidcc-client-test-form-post-error: an error for prompt=none and max_age=0 reaches the page, by query and never by form', async (t) => {
  const journey = await startJourney(t)
  const query = 'prompt=none&max_age=0'
  const twist: Twist = { callback: () => ({ code: undefined, error: 'login_required' }) }
  const outcome = await journey.signIn(twist, { query })
  await assertAnswerRefused(journey, outcome, { reason: 'login_required', error: 'login_required' })
  const { prompt, max_age: maxAge, response_mode: mode } = journey.provider.asked[0] ?? {}
  assert.deepEqual([prompt, maxAge, mode], ['none', 0, undefined])
  const body = new URLSearchParams({ error: 'login_required', state: 'x' })
  assert.equal((await outcome.browser.navigate('/auth/callback', { method: 'POST', body })).status, 405)
})

test('oidcc-client-test-3rd-party-init-login: whoever starts a sign-in, it goes to the configured issuer and back to this site', async (t) => {
  const journey = await startJourney(t)
  const { asked, idp } = journey.provider
  for (const iss of [idp.issuer, 'https://impostor.example']) {
    const hints = { iss, login_hint: 'ada@example.com', target_link_uri: 'https://evil.example/' }
    await assertSignedIn(journey, await journey.signIn({}, { query: new URLSearchParams(hints).toString() }))
    assert.equal(asked.at(-1)?.login_hint, 'ada@example.com')
  }
})
