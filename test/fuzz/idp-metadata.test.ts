import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { buildAuthorizationUrl, parseAuthorizationResponse } from '../../src/idp/authorization.ts'
import { createMetadata, type IdpMetadata } from '../../src/idp/metadata.ts'
import { createTestLog } from '../idp/build-idp.ts'
import { hostileJson, hostileText, likeObject, likeOctets, madeOf } from './arbitraries.ts'
import { answerOf, orUnavailable } from './idp-outcomes.ts'
import { hold } from './settings.ts'

const ISSUER = 'https://idp.example'
const NOW = 1_800_000_000

const DOCUMENT = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize?tenant=1`,
  token_endpoint: `${ISSUER}/token`,
  jwks_uri: `${ISSUER}/jwks`,
  end_session_endpoint: `${ISSUER}/logout`,
  revocation_endpoint: `${ISSUER}/revoke`,
  response_types_supported: ['code'],
  code_challenge_methods_supported: ['S256'],
  id_token_signing_alg_values_supported: ['EdDSA'],
  request_object_signing_alg_values_supported: ['EdDSA'],
  token_endpoint_auth_methods_supported: ['client_secret_basic'],
  authorization_response_iss_parameter_supported: true,
}

const endpoint = fc.oneof(
  fc.constantFrom(
    ...[
      'https://idp.example',
      'https://idp.example/',
      'https://IDP.example',
      'http://idp.example/token',
      '//idp.example/token',
    ],
    ...[
      'https://user@idp.example/',
      'https://user:pw@idp.example/',
      'https://@idp.example/',
      'https://idp.example/#',
      'https://idp.example/#x',
    ],
    ...[
      'https://idp.example/?client_id=evil&request=x',
      'https://idp.example/?request_uri=urn:x&%72equest=y',
      'https://idp.example/?a=b&&c',
      ' https://idp.example/x ',
    ],
    ...[
      'https://idp.example/a\nb',
      'ht\ntps://idp.example',
      'https:idp.example',
      'https:\\\\idp.example',
      'https://[::1',
      'https://idp.example:99999',
      'https://',
      'javascript:alert(1)',
      'data:,x',
      'file:///etc/passwd',
      '/token',
      '',
    ],
  ),
  madeOf(['https://', 'idp.example', '/', '?', '#', '@', ':', 'client_id', 'request', '=', '&', 'a', '%23']).map(
    (rest) => `https://idp.example${rest}`,
  ),
)
const list = fc.array(
  fc.constantFrom<unknown>(
    'code',
    'S256',
    'plain',
    'EdDSA',
    'Ed25519',
    'RS256',
    'none',
    'HS256',
    'client_secret_basic',
    'client_secret_post',
    'private_key_jwt',
    'none',
    7,
    null,
  ),
  { maxLength: 4 },
)
const documentOctets = fc.oneof(
  {
    weight: 8,
    arbitrary: likeObject(DOCUMENT, fc.oneof(endpoint, endpoint, list, hostileJson)).map((value) =>
      Buffer.from(JSON.stringify(value)),
    ),
  },
  { weight: 2, arbitrary: likeOctets(Buffer.from(JSON.stringify(DOCUMENT))) },
  { weight: 1, arbitrary: hostileJson.map((value) => Buffer.from(JSON.stringify(value))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((octets) => Buffer.from(octets)) },
)
const status = fc.oneof({ weight: 8, arbitrary: fc.constant(200) }, fc.constantFrom(201, 400, 404, 429, 500, 503))
const type = fc.oneof(
  { weight: 8, arbitrary: fc.constant('application/json') },
  fc.constantFrom('text/html', 'application/json; charset=utf-16', 'application/jwk-set+json', ''),
)

/** Every endpoint as it may be used: over TLS, without a name in it, and where something is appended without a fragment. */
function checkMetadata(metadata: IdpMetadata): void {
  const { authorizationEndpoint, tokenEndpoint, jwksUri, endSessionEndpoint, revocationEndpoint, as } = metadata
  assert.equal(metadata.issuer, ISSUER)
  assert.equal(as.issuer, ISSUER)
  assert.deepEqual([as.end_session_endpoint, as.revocation_endpoint], [endSessionEndpoint, revocationEndpoint])
  for (const used of [authorizationEndpoint, tokenEndpoint, jwksUri, endSessionEndpoint, revocationEndpoint]) {
    if (used === undefined) continue
    const { protocol, username, password, hash } = new URL(used)
    assert.deepEqual([protocol, username, password, hash], ['https:', '', '', ''], used)
  }
  assert.ok(['client_secret_basic', 'client_secret_post'].includes(metadata.tokenAuthMethod))
}

/** RFC 9101 §5: beside what the endpoint's own query holds, exactly these two, and each once. */
function checkAuthorizationUrl(authorizationEndpoint: string): void {
  const before = new URL(authorizationEndpoint)
  const after = new URL(buildAuthorizationUrl(authorizationEndpoint, 'client-1', 'a.b.c'))
  assert.deepEqual([after.origin, after.pathname, after.hash], [before.origin, before.pathname, ''])
  assert.deepEqual(after.searchParams.getAll('client_id'), ['client-1'])
  assert.deepEqual(after.searchParams.getAll('request'), ['a.b.c'])
  assert.equal(after.searchParams.has('request_uri'), false)
  const ours = ['client_id', 'request', 'request_uri']
  const others = (url: URL): [string, string][] => [...url.searchParams].filter(([name]) => !ours.includes(name))
  assert.deepEqual(others(after), others(before))
}

test('KY-01, RO-02: a discovery document is unusable, or every endpoint of it is one that a secret may be sent to', (t) => {
  let accepted = 0
  const property = fc.asyncProperty(documentOctets, status, type, async (octets, code, contentType) => {
    const fetch = async (): Promise<Response> => answerOf(octets, code, contentType)
    const options = {
      issuer: ISSUER,
      allowInsecureIssuer: false,
      requestObjectAlg: 'EdDSA',
      tokenAuth: 'auto',
      hasSecret: true,
      hasAssertionKeys: false,
    } as const
    const metadata = createMetadata({ ...options, fetch, log: createTestLog(), now: () => NOW })
    const found = await orUnavailable(() => metadata.get())
    assert.equal(found === undefined, metadata.status().state !== 'ok')
    if (found === undefined) return
    accepted += 1
    checkMetadata(found)
  })
  return hold(t, property, { share: 3 }).then(() => assert.ok(accepted > 0))
})

test('RO-02: whatever the authorization endpoint has in its query, exactly client_id and request go along, each once', (t) =>
  hold(
    t,
    fc.property(
      endpoint.filter((text) => URL.canParse(text) && new URL(text).protocol === 'https:'),
      checkAuthorizationUrl,
    ),
    { share: 2, examples: [['https://idp.example/?client_id=evil&request=x&request_uri=y']] },
  ))

const NAMES =
  'code state iss error error_description access_token id_token refresh_token token_type response foo'.split(' ')
const TOKENS = ['access_token', 'id_token', 'refresh_token', 'token_type', 'response']

test('CB-04 to CB-13: a code is taken only from an answer with the one state, the one issuer, one code and nothing that contradicts it', (t) => {
  const value = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        'the-code',
        'the-state',
        ISSUER,
        '',
        'access_denied',
        'https://evil.example',
        `${ISSUER}/`,
      ),
    },
    hostileText,
  )
  const good: [string, string][] = [
    ['code', 'the-code'],
    ['state', 'the-state'],
    ['iss', ISSUER],
  ]
  const query = fc
    .tuple(fc.subarray(good, { minLength: 2 }), fc.array(fc.tuple(fc.constantFrom(...NAMES), value), { maxLength: 2 }))
    .map(([own, more]) => [...own, ...more])
  return hold(
    t,
    fc.property(query, fc.boolean(), (pairs, requiresIss) => {
      const server = { issuer: ISSUER, authorization_response_iss_parameter_supported: requiresIss }
      const outcome = parseAuthorizationResponse(new URLSearchParams(pairs), server, 'client-1', 'the-state')
      const all = (name: string): string[] => pairs.filter(([of]) => of === name).map(([, text]) => text)
      const isOnce = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri'].every(
        (name) => all(name).length <= 1,
      )
      const [code = '', ...others] = all('code')
      const [iss = ''] = all('iss')
      if (iss === '' && all('iss').length > 0 && !requiresIss) return // See below.
      const isIssuer = iss === '' ? !requiresIss : iss === ISSUER
      const isGood =
        isOnce &&
        others.length === 0 &&
        code !== '' &&
        code.length <= 4096 &&
        all('state')[0] === 'the-state' &&
        isIssuer &&
        all('error').length === 0 &&
        !TOKENS.some((name) => all(name).length > 0)
      assert.equal(outcome.kind, isGood ? 'code' : 'failed', JSON.stringify(outcome))
      if (outcome.kind === 'code') assert.equal(outcome.parameters.get('code'), code.toWellFormed())
      else assert.match(`${outcome.error} ${outcome.reason}`, /^[a-z_]+ [a-z_]{1,64}$/) // No text of the IdP's own.
    }),
    { share: 10 },
  )
})

test('CB-04: an iss that is there is compared, whatever it is, also where the IdP announces none (RFC 9207 §2.4)', (t) =>
  hold(
    t,
    fc.property(fc.oneof(fc.constantFrom('', ' ', `${ISSUER}/`), hostileText), (iss) => {
      const query = new URLSearchParams({ code: 'the-code', state: 'the-state', iss })
      const outcome = parseAuthorizationResponse(query, { issuer: ISSUER }, 'client-1', 'the-state')
      assert.equal(outcome.kind, 'failed', JSON.stringify(outcome))
    }),
    { examples: [['']] },
  ))
