import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { Faults, JsonObject, Simulator } from '../../demo/idp/simulator.ts'
import {
  authorizationUrl,
  createBrowser,
  decode,
  REDIRECT_URI,
  redeem,
  refresh,
  requestTokens,
  SECRET,
  signIn,
  start,
  VERIFIER,
} from './idp-client.ts'

const offline = { scope: 'openid offline_access' }
const QUICKLY = () => AbortSignal.timeout(1000)

const discovery = (simulator: Simulator, init: RequestInit = {}) =>
  fetch(`${simulator.issuer}/.well-known/openid-configuration`, { redirect: 'manual', ...init })

async function document(simulator: Simulator): Promise<JsonObject> {
  return (await (await discovery(simulator)).json()) as JsonObject
}

/** What an answer looks like: status and headers, or that there was none. */
async function describe(response: Promise<Response>): Promise<string> {
  try {
    const { status, headers, body } = await response
    let octets = 0
    for await (const chunk of body ?? []) octets += (chunk as Uint8Array).length
    const extras = [headers.get('retry-after'), headers.get('location')].filter((value) => value !== null)
    const size = octets > 2 * 1024 * 1024 ? ['huge'] : []
    return [status, (headers.get('content-type') ?? '').split(';')[0], ...extras, ...size].join(' ')
  } catch (cause) {
    if (cause instanceof DOMException) return 'hangs'
    return String((cause as { cause?: { code?: string } }).cause?.code)
  }
}

/** Endpoint, fault, and what the caller gets. */
const TRANSPORT: readonly [keyof Faults, object, string][] = [
  ['token', { kind: 'hang' }, 'hangs'],
  ['token', { kind: 'reset' }, 'ECONNRESET'],
  ['token', { kind: 'reset', after: true }, 'ECONNRESET'],
  ['token', { kind: 'status', status: 500 }, '500 application/json'],
  ['token', { kind: 'status', status: 502, retryAfter: 7 }, '502 application/json 7'],
  ['token', { kind: 'status' }, '503 application/json'],
  ['token', { kind: 'status', status: 429, retryAfter: '1' }, '429 application/json 1'],
  ['token', { kind: 'html' }, '200 text/html'],
  ['token', { kind: 'huge' }, '200 application/json huge'],
  ['token', { kind: 'redirect', location: 'https://evil.example/' }, '302 text/html https://evil.example/'],
  ['token', { kind: 'invalid_grant' }, '400 application/json'],
  ['token', { kind: 'invalid_client' }, '401 application/json'],
  ['discovery', { kind: 'status' }, '503 application/json'],
  ['discovery', { kind: 'hang' }, 'hangs'],
  ['discovery', { kind: 'reset' }, 'ECONNRESET'],
  ['discovery', { kind: 'html' }, '200 text/html'],
  ['jwks', { kind: 'status' }, '503 application/json'],
  ['jwks', { kind: 'hang' }, 'hangs'],
  ['jwks', { kind: 'huge' }, '200 application/jwk-set+json huge'],
  ['authorize', { kind: 'status' }, '503 application/json'],
  ['userinfo', { kind: 'status' }, '503 application/json'],
  ['revocation', { kind: 'status' }, '503 application/json'],
  ['revocation', { kind: 'hang' }, 'hangs'],
  ['endSession', { kind: 'status' }, '503 application/json'],
]
const PATHS: Partial<Record<keyof Faults, string>> = {
  token: '/v1/oauth/token',
  discovery: '/.well-known/openid-configuration',
  jwks: '/v1/oauth/jwks',
  authorize: '/v1/oauth/authorize',
  userinfo: '/v1/oauth/userinfo',
  revocation: '/v1/oauth/revoke',
  endSession: '/v1/oauth/logout',
}

test('each transport fault does what it says, once, and the next request is served', async (t) => {
  const simulator = await start(t)
  const { body } = await signIn(simulator, { changes: offline })
  let refreshToken = body.refresh_token
  for (const [point, fault, expected] of TRANSPORT) {
    await t.test(`${point} ${JSON.stringify(fault)}: ${expected}`, async () => {
      const isPost = point === 'token' || point === 'revocation'
      const parameters = { client_id: 'hs', client_secret: SECRET, token: 'x', grant_type: 'refresh_token' }
      const form = new URLSearchParams({ ...parameters, refresh_token: String(refreshToken) })
      const send = () =>
        fetch(`${simulator.issuer}${PATHS[point]}`, {
          redirect: 'manual',
          signal: QUICKLY(),
          ...(isPost ? { method: 'POST', body: form } : {}),
        })
      Object.assign(simulator.faults, { [point]: { ...fault, times: 1 } })
      assert.equal(await describe(send()), expected)
      assert.match(await describe(send()), /^(200|400|401) /)
      simulator.faults.clear()
      refreshToken = (await signIn(simulator, { changes: offline })).body.refresh_token
    })
  }
})

test('a truncated answer is no JSON, and a delayed one comes late but right', async (t) => {
  const simulator = await start(t)
  simulator.faults.discovery = { kind: 'truncated' }
  await assert.rejects(document(simulator), SyntaxError)
  simulator.faults.discovery = { kind: 'delay', delayMs: 120 }
  const before = performance.now()
  assert.equal((await document(simulator)).issuer, simulator.issuer)
  assert.ok(performance.now() - before >= 110)
})

test('a lost answer means that the refresh token was used; a failure before means that it was not', async (t) => {
  const simulator = await start(t)
  for (const [after, outcome] of [
    [false, 200],
    [true, 400],
  ] as const) {
    const { body } = await signIn(simulator, { changes: offline })
    simulator.faults.token = { kind: 'reset', after, times: 1, grantType: 'refresh_token' }
    await assert.rejects(refresh(simulator, body.refresh_token))
    assert.equal((await refresh(simulator, body.refresh_token)).status, outcome)
  }
})

test('a fault of the token endpoint can wait for one grant', async (t) => {
  const simulator = await start(t)
  simulator.faults.token = { kind: 'status', status: 503, grantType: 'refresh_token' }
  const { status, body } = await signIn(simulator, { changes: offline })
  assert.equal(status, 200)
  assert.equal((await refresh(simulator, body.refresh_token)).status, 503)
})

test('members of the token response can be missing or wrong', async (t) => {
  const simulator = await start(t)
  const browser = createBrowser()
  for (const member of ['access_token', 'token_type', 'id_token', 'expires_in']) {
    simulator.faults.token = { kind: 'missing', members: [member] }
    const { status, body } = await signIn(simulator, { browser, changes: { prompt: 'login' } })
    assert.equal(status, 200)
    assert.equal(member in body, false, member)
  }
  simulator.faults.token = { kind: 'wrong-token-type' }
  assert.equal((await signIn(simulator, {})).body.token_type, 'mac')
  simulator.faults.token = { kind: 'alter', set: { expires_in: '60' } }
  assert.equal((await signIn(simulator, {})).body.expires_in, '60')
  simulator.faults.clear()
  simulator.faults.alterTokenResponse = (body) => ({ ...body, scope: 'openid' })
  assert.equal((await signIn(simulator, {})).body.scope, 'openid')
})

test('the discovery document can say something else', async (t) => {
  const simulator = await start(t)
  const good = await document(simulator)
  const { faults } = simulator
  const under = async (fault: Faults['discovery']) => {
    faults.discovery = fault
    return document(simulator)
  }
  assert.equal((await under({ kind: 'wrong-issuer' })).issuer, 'https://impostor.example')
  assert.deepEqual((await under({ kind: 'no-s256' })).code_challenge_methods_supported, ['plain'])
  const { authorization_endpoint, token_endpoint, jwks_uri } = await under({ kind: 'no-endpoints' })
  assert.deepEqual([authorization_endpoint, token_endpoint, jwks_uri], [undefined, undefined, undefined])
  assert.equal((await under({ kind: 'no-end-session' })).end_session_endpoint, undefined)
  assert.equal((await under({ kind: 'no-revocation' })).revocation_endpoint, undefined)
  assert.equal((await under({ kind: 'no-request-parameter' })).request_parameter_supported, false)
  const algs = (await under({ kind: 'other-request-object-algs' })).request_object_signing_alg_values_supported
  assert.deepEqual(algs, ['RS256', 'ES256'])
  assert.equal((await under({ kind: 'missing', members: ['jwks_uri'] })).jwks_uri, undefined)
  assert.equal((await under({ kind: 'alter', set: { issuer: 'x' } })).issuer, 'x')
  faults.clear()
  faults.alterDiscovery = (its) => ({ ...its, issuer: 'y' })
  assert.equal((await document(simulator)).issuer, 'y')
  faults.clear()
  assert.deepEqual(await document(simulator), good)
})

test('the discovery document announces what was asked for at the start', async (t) => {
  const simulator = await start(t, {
    advertise: { revocation_endpoint: undefined, token_endpoint_auth_methods_supported: ['client_secret_post'] },
    authorizationResponseIss: false,
    idTokenAlg: 'Ed25519',
  })
  const metadata = await document(simulator)
  assert.equal(metadata.revocation_endpoint, undefined)
  assert.deepEqual(metadata.token_endpoint_auth_methods_supported, ['client_secret_post'])
  assert.equal(metadata.authorization_response_iss_parameter_supported, undefined)
  assert.deepEqual(metadata.id_token_signing_alg_values_supported, ['Ed25519'])
  assert.deepEqual(metadata.request_object_signing_alg_values_supported, ['HS256', 'EdDSA', 'Ed25519'])
  const callback = await createBrowser().signIn(await authorizationUrl(simulator))
  assert.equal(callback.searchParams.get('iss'), null)
  assert.equal(decode((await redeem(simulator, callback)).body.id_token, 0).alg, 'Ed25519')
})

test('ID tokens can be altered and signed in every wrong way', async (t) => {
  const simulator = await start(t)
  const verify = async (jwt: string | undefined) => {
    const jwks = createLocalJWKSet(simulator.publicJwks as Parameters<typeof createLocalJWKSet>[0])
    return (await jwtVerify(String(jwt), jwks)).payload
  }
  simulator.faults.alterIdToken = (claims) => ({ claims: { ...claims, aud: 'someone-else' } })
  assert.equal((await verify((await signIn(simulator)).body.id_token)).aud, 'someone-else')
  for (const sign of ['other-key', 'flip', 'none', 'HS256'] as const) {
    simulator.faults.alterIdToken = () => ({ sign })
    const { body } = await signIn(simulator)
    assert.equal(decode(body.id_token, 0).alg, sign === 'none' || sign === 'HS256' ? sign : 'EdDSA')
    assert.equal(decode(body.id_token).sub, 'ada')
    await assert.rejects(verify(body.id_token), sign)
  }
  simulator.faults.alterIdToken = (_claims, header) => ({ header: { ...header, kid: 'unknown' } })
  assert.equal(decode((await signIn(simulator)).body.id_token, 0).kid, 'unknown')
  simulator.faults.clear()
  simulator.faults.replaceIdToken = (jwt) => `${jwt}.extra`
  assert.equal((await signIn(simulator)).body.id_token?.split('.').length, 4)
})

test('a rotated key signs at once, and the old one stays published or not', async (t) => {
  const simulator = await start(t)
  const published = async () =>
    ((await (await fetch(`${simulator.issuer}/v1/oauth/jwks`)).json()) as { keys: { kid: string }[] }).keys.map(
      ({ kid }) => kid,
    )
  const [first] = await published()
  const second = simulator.rotateSigningKey()
  assert.deepEqual(await published(), [second, first])
  assert.equal(decode((await signIn(simulator)).body.id_token, 0).kid, second)
  const third = simulator.rotateSigningKey({ keepOld: false })
  assert.deepEqual(await published(), [third])
  simulator.faults.alterJwks = () => ({ keys: [] })
  assert.deepEqual(await published(), [])
})

test('tests can forge what only the simulator could sign', async (t) => {
  const simulator = await start(t)
  const jwks = createLocalJWKSet(simulator.publicJwks as Parameters<typeof createLocalJWKSet>[0])
  const forged = simulator.signJwt({ sub: 'mallory' }, { typ: 'logout+jwt' })
  const { payload, protectedHeader } = await jwtVerify(forged, jwks)
  assert.deepEqual([payload.sub, protectedHeader.typ], ['mallory', 'logout+jwt'])
  await assert.rejects(jwtVerify(simulator.signJwt({ sub: 'mallory' }, {}, 'flip'), jwks))
  assert.equal(simulator.privateJwk.kid, simulator.publicJwks.keys[0]?.kid)
  assert.equal(typeof simulator.privateJwk.d, 'string')
})

test('the authorization response can be altered on its way back, also when it is an error', async (t) => {
  const simulator = await start(t)
  const { faults } = simulator
  const under = async (fault: Faults['callback'], action = 'allow') => {
    faults.callback = fault
    return createBrowser().signIn(await authorizationUrl(simulator), 'ada', action)
  }
  assert.equal((await under({ kind: 'no-iss' })).searchParams.get('iss'), null)
  assert.equal((await under({ kind: 'wrong-iss' }, 'deny')).searchParams.get('iss'), 'https://impostor.example')
  assert.equal((await under({ kind: 'no-state' })).searchParams.get('state'), null)
  assert.notEqual((await under({ kind: 'wrong-state' })).searchParams.get('state'), 'the-state')
  assert.equal((await under({ kind: 'extra-parameters', set: { a: 1 } })).searchParams.get('a'), '1')
  const failed = await under({ kind: 'error', set: { error: 'temporarily_unavailable' } })
  assert.deepEqual(
    [failed.searchParams.get('error'), failed.searchParams.get('code')],
    ['temporarily_unavailable', null],
  )
  faults.clear()
  faults.alterCallback = (url) => new URL(`${url.href}&iss=twice`)
  const twice = await createBrowser().signIn(await authorizationUrl(simulator))
  assert.equal(twice.searchParams.getAll('iss').length, 2)
  assert.equal(`${twice.origin}${twice.pathname}`, REDIRECT_URI)
})

test('closing ends connections that hang', async (t) => {
  const simulator = await start(t)
  simulator.faults.discovery = { kind: 'hang' }
  const hung = describe(discovery(simulator))
  while (simulator.stats.discoveryRequests === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await simulator.close()
  assert.notEqual(await hung, 'hangs')
  await start(t) // Another one starts, and `after` can close the first again.
})

test('a token request without a grant, and one with a grant that does not exist, are counted and refused', async (t) => {
  const simulator = await start(t)
  assert.equal((await requestTokens(simulator, {})).body.error, 'invalid_request')
  const { body } = await requestTokens(simulator, { grant_type: 'password', code_verifier: VERIFIER })
  assert.equal(body.error, 'unsupported_grant_type')
  assert.deepEqual(simulator.stats.tokenRequests, { none: 1, password: 1 })
})
