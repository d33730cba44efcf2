import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { request } from 'undici'
import { signJws } from '../idp/hostile-idp.ts'
import { createKey } from '../support/env.ts'
import { type Claims, createForeignKey, leaveUnsigned, signForeign } from './forge.ts'
import { assertAnswerRefused, assertSignedIn, assertTokensRefused, type Journey, startJourney } from './journey.ts'
import { CLIENT_ID, type Twist } from './provider.ts'

const rsa = createForeignKey('RS256', 'provider-1')

/** As FAPI 2.0 wants it, where this client has it: keys in place of the secret, and `iss` in every answer. */
const startFapi = (t: TestContext): Promise<Journey> =>
  startJourney(t, {
    env: { OTEN_TOKEN_AUTH: 'private_key_jwt', CLIENT_ASSERTION_KEYS: createKey().privateJwk },
    metadata: {
      authorization_response_iss_parameter_supported: true,
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      request_object_signing_alg_values_supported: ['EdDSA'],
      require_signed_request_object: true,
    },
  })

test('fapi2-security-profile-final-client-test-happy-path: signed request object, PKCE, iss, private_key_jwt, then a call to an API', async (t) => {
  const journey = await startFapi(t)
  const { idp, granted } = journey.provider
  idp.metadata.pushed_authorization_request_endpoint = `${idp.issuer}/par`
  const outcome = await journey.signIn() // The provider checks each of them.
  await assertSignedIn(journey, outcome)
  const { headers, body } = idp.last('/token')
  assert.equal(headers.authorization, undefined)
  assert.ok(!body.has('client_secret'))
  assert.match(String(body.get('code_verifier')), /^[\w-]{43}$/)
  assert.equal((await outcome.browser.fetch('/api/accounts')).status, 200)
  const { headers: called, query } = idp.last('/accounts')
  assert.equal(called.authorization, `Bearer ${granted[0]?.access_token}`)
  assert.equal(query.size, 0)
  assert.equal(idp.count('/par'), 0)
})

test('fapi2-security-profile-final-client-test-discovery-issuer-mismatch: with a document of another issuer nobody is sent anywhere', async (t) => {
  const journey = await startFapi(t)
  const { idp } = journey.provider
  idp.metadata.issuer = `${idp.issuer}1`
  const page = await journey.browser().navigate('/auth/start')
  assert.deepEqual([page.status, page.location, page.setCookies], [503, null, []])
  assert.equal((await request(`${journey.adminUrl}/health/ready`)).statusCode, 503)
  assert.ok(idp.requests.every(({ path }) => path === '/.well-known/openid-configuration'))
})

/** ID tokens that sign nobody in. */
const REFUSED: readonly { readonly title: string; readonly reason: string; readonly twists: readonly Twist[] }[] = [
  {
    title: 'fapi2-security-profile-final-client-test-invalid-iss: an ID token of another issuer is refused',
    reason: 'iss',
    twists: [{ claims: ({ iss }) => ({ iss: `${iss}1` }) }],
  },
  {
    title: 'fapi2-security-profile-final-client-test-invalid-missing-iss: an ID token without iss is refused',
    reason: 'iss',
    twists: [{ claims: () => ({ iss: undefined }) }],
  },
  {
    title: 'fapi2-security-profile-final-client-test-invalid-aud: an ID token for another client is refused',
    reason: 'aud',
    twists: [{ claims: () => ({ aud: `${CLIENT_ID}1` }) }],
  },
  {
    title:
      'fapi2-security-profile-final-client-test-invalid-secondary-aud: an ID token for us and for another client is refused',
    reason: 'aud',
    twists: [
      { claims: () => ({ aud: [CLIENT_ID, `${CLIENT_ID}1`] }) },
      { claims: () => ({ aud: [CLIENT_ID, `${CLIENT_ID}1`], azp: CLIENT_ID }) },
    ],
  },
  {
    title: 'fapi2-security-profile-final-client-test-invalid-missing-aud: an ID token without aud is refused',
    reason: 'aud',
    twists: [{ claims: () => ({ aud: undefined }) }],
  },
  {
    title: 'fapi2-security-profile-final-client-test-invalid-null-alg: an ID token with alg none is refused',
    reason: 'alg',
    twists: [{ idToken: (claims) => leaveUnsigned(claims, 'AAAA') }],
  },
  {
    title: 'fapi2-security-profile-final-client-test-invalid-alternate-alg: an ID token signed with RS256 is refused',
    reason: 'alg',
    twists: [{ idToken: (claims) => signForeign(claims, rsa) }],
  },
  {
    title:
      'fapi2-security-profile-final-client-test-invalid-expired-exp: an ID token that ran out six minutes ago is refused',
    reason: 'exp',
    twists: [
      { claims: ({ iat }) => ({ exp: Number(iat) - 360 }) },
      { claims: ({ iat }) => ({ exp: Number(iat) - 31 }) },
    ],
  },
  {
    title: 'fapi2-security-profile-final-client-test-invalid-missing-exp: an ID token without exp is refused',
    reason: 'exp',
    twists: [{ claims: () => ({ exp: undefined }) }],
  },
  {
    title: 'fapi2-security-profile-final-client-test-invalid-nonce: an ID token with another nonce is refused',
    reason: 'nonce_mismatch',
    twists: [{ claims: ({ nonce }) => ({ nonce: `${nonce}1` }) }],
  },
  {
    title: 'fapi2-security-profile-final-client-test-invalid-missing-nonce: an ID token without nonce is refused',
    reason: 'nonce_missing',
    twists: [{ claims: () => ({ nonce: undefined }) }],
  },
]

for (const { title, reason, twists } of REFUSED) {
  test(title, async (t) => {
    const journey = await startFapi(t)
    journey.provider.idp.keys.push(rsa.jwk)
    for (const twist of twists) await assertTokensRefused(journey, await journey.signIn(twist), reason)
    await assertSignedIn(journey, await journey.signIn())
  })
}

test('fapi2-security-profile-final-client-test-valid-aud-as-array: an ID token for us alone, said as a list, is accepted', async (t) => {
  const journey = await startFapi(t)
  await assertSignedIn(journey, await journey.signIn({ claims: () => ({ aud: [CLIENT_ID] }) }))
})

interface AnswerRow {
  readonly title: string
  readonly callback: (right: Claims) => Claims
}

/** Answers at the redirect URI that are refused for who sent them. */
const ISSUERS: readonly AnswerRow[] = [
  {
    title:
      'fapi2-security-profile-final-client-test-invalid-authorization-response-iss: an answer of another issuer is refused before any request',
    callback: ({ iss }) => ({ iss: `${iss}1` }),
  },
  {
    title:
      'fapi2-security-profile-final-client-test-remove-authorization-response-iss: an answer without iss is refused before any request',
    callback: () => ({ iss: undefined }),
  },
]

for (const { title, callback } of ISSUERS) {
  test(title, async (t) => {
    const journey = await startFapi(t)
    await assertAnswerRefused(journey, await journey.signIn({ callback }), { reason: 'response_invalid' })
    const error = { code: undefined, error: 'access_denied' }
    const outcome = await journey.signIn({ callback: (right) => ({ ...callback(right), ...error }) })
    await assertAnswerRefused(journey, outcome, { reason: 'response_invalid' })
  })
}

/** Answers that belong to no sign-in of this browser. */
const STATES: readonly AnswerRow[] = [
  {
    title:
      'fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-state-fails: an answer with another state is 400',
    callback: ({ state }) => ({ state: `${state}1` }),
  },
  {
    title:
      'fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-missing-state-fails: an answer without state is 400',
    callback: () => ({ state: undefined }),
  },
]

for (const { title, callback } of STATES) {
  test(title, async (t) => {
    const journey = await startFapi(t)
    const { answer, browser, requests } = await journey.signIn({ callback })
    assert.deepEqual([answer.status, answer.location], [400, null])
    assert.deepEqual(requests, [])
    assert.deepEqual(await browser.session(), { authenticated: false })
    journey.assertSilent()
  })
}

test('fapi2-security-profile-final-client-test-token-endpoint-response-without-expires_in: the sign-in works, with a short life assumed', async (t) => {
  const journey = await startFapi(t)
  const outcome = await journey.signIn({ tokens: () => ({ expires_in: undefined }) })
  await assertSignedIn(journey, outcome)
  const left = Number((await outcome.browser.session()).access_token_expires_in)
  assert.ok(left > 0 && left <= 300, String(left))
  assert.equal((await outcome.browser.fetch('/api/accounts')).status, 200)
})

test('fapi2-security-profile-final-client-test-token-type-case-insensitivity: bEARER is Bearer, and another type is refused', async (t) => {
  const journey = await startFapi(t)
  const outcome = await journey.signIn({ tokens: () => ({ token_type: 'bEARER' }) })
  await assertSignedIn(journey, outcome)
  assert.equal((await outcome.browser.fetch('/api/accounts')).status, 200)
  assert.match(String(journey.provider.idp.last('/accounts').headers.authorization), /^Bearer canary/)
  for (const type of ['DPoP', 'mac', undefined]) {
    const refused = await journey.signIn({ tokens: () => ({ token_type: type }) })
    await assertTokensRefused(journey, refused, 'token_type')
  }
})

test('fapi2-security-profile-final-client-test-ensure-jarm-signature-is-not-none: an answer as a JWT, signed or not, is refused before any request', async (t) => {
  const journey = await startFapi(t)
  const { idp, key } = journey.provider
  const claims = { iss: idp.issuer, aud: CLIENT_ID, exp: 2e9, code: 'canary-code-1', state: 'x' }
  for (const response of [leaveUnsigned(claims), signJws(claims, key)]) {
    const outcome = await journey.signIn({ callback: () => ({ response }) })
    await assertAnswerRefused(journey, outcome, { reason: 'token_in_front_channel' })
    const alone = { response, code: undefined, state: undefined, iss: undefined }
    const { answer, requests } = await journey.signIn({ callback: () => alone })
    assert.deepEqual([answer.status, answer.location, requests], [400, null, []])
  }
})
