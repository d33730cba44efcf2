import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { BffError } from '../../src/errors.ts'
import { SignInRefused } from '../../src/idp/tokens.ts'
import { createLog } from '../../src/log.ts'
import { buildIdp, CLIENT_ID, CLIENT_SECRET, CODE, CODE_VERIFIER, REDIRECT_URI, type World } from './build-idp.ts'
import { type Answer, createKey, signJws } from './hostile-idp.ts'

/** The reason for which the sign-in is refused; fails when it is not. */
async function refusal(
  { idp, redeemInput }: World,
  changes: Parameters<World['redeemInput']>[0] = {},
): Promise<string> {
  const error = await idp.redeemCode(redeemInput(changes)).then(
    () => assert.fail('the sign-in was accepted'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof SignInRefused, String(error))
  return error.reason
}

const isUnavailable = (error: unknown): boolean => error instanceof BffError && error.code === 'idp_unavailable'

/** The tokens that were revoked, sorted. */
const revoked = ({ hostile }: World): (string | null)[] =>
  hostile.requests
    .filter(({ path }) => path === '/revoke')
    .map(({ body }) => body.get('token'))
    .sort()

test('TX-01 the code is sent once, as a form, with its verifier and the same redirect URI', async (t) => {
  const { idp, hostile, redeemInput } = await buildIdp(t)
  await idp.redeemCode(redeemInput())
  const { method, query, headers, body } = hostile.last('/token')
  assert.equal(hostile.count('/token'), 1)
  assert.equal(method, 'POST')
  assert.equal(query.size, 0)
  assert.match(String(headers['content-type']), /^application\/x-www-form-urlencoded/)
  assert.deepEqual(Object.fromEntries(body), {
    grant_type: 'authorization_code',
    code: CODE,
    redirect_uri: REDIRECT_URI,
    code_verifier: CODE_VERIFIER,
  })
})

test('TX-05 the tokens come back with their lives as instants', async (t) => {
  const { idp, key, claims, grant, time, redeemInput } = await buildIdp(t)
  const idToken = signJws(claims({ sid: 's1', name: 'Ada' }), key)
  grant({ refresh_token: 'rt', refresh_expires_in: 1800, scope: 'openid', id_token: idToken })
  assert.deepEqual(await idp.redeemCode(redeemInput()), {
    accessToken: 'canary-access-token',
    accessTokenExpiresAt: time.now + 900,
    refreshToken: 'rt',
    refreshTokenExpiresAt: time.now + 1800,
    idToken,
    idTokenClaims: claims({ sid: 's1', name: 'Ada' }),
    scope: 'openid',
  })
})

test('TX-07 without expires_in, scope and refresh token: 300 s, the scope that was asked for, no refresh token', async (t) => {
  const { idp, grant, time, redeemInput } = await buildIdp(t)
  grant({ expires_in: 'soon', scope: undefined })
  const tokens = await idp.redeemCode(redeemInput({ scope: 'openid email' }))
  assert.equal(tokens.accessTokenExpiresAt, time.now + 300)
  assert.equal(tokens.scope, 'openid email')
  assert.equal('refreshToken' in tokens, false)
})

test('TX-07 a life counts from before the request, so that a slow answer does not lengthen it', async (t) => {
  const { idp, hostile, key, claims, time, redeemInput } = await buildIdp(t)
  const requestedAt = time.now
  hostile.on('/token', () => {
    time.now += 5.5
    return { body: { access_token: 'at', token_type: 'Bearer', expires_in: 900, id_token: signJws(claims(), key) } }
  })
  assert.equal((await idp.redeemCode(redeemInput())).accessTokenExpiresAt, requestedAt + 900)
})

test('TX-10 an access token is not looked into', async (t) => {
  const { idp, grant, redeemInput } = await buildIdp(t)
  for (const accessToken of ['x', 'a.b.c', '~!$%', 'eyJhbGciOiJub25lIn0.e30.']) {
    grant({ access_token: accessToken })
    assert.equal((await idp.redeemCode(redeemInput())).accessToken, accessToken)
  }
})

const answers: [string, Answer, string][] = [
  ['no JSON', { body: '<html>' }, 'access_token'],
  ['no access token', { body: { token_type: 'Bearer' } }, 'access_token'],
  ['no ID token', { body: { access_token: 'at', token_type: 'Bearer' } }, 'id_token_missing'],
  ['an ID token of a wrong type', { body: { access_token: 'at', token_type: 'Bearer', id_token: 7 } }, 'id_token'],
  ['a token type that is not Bearer', { body: { access_token: 'at', token_type: 'mac', id_token: 'x' } }, 'token_type'],
  ['an ID token that is none', { body: { access_token: 'at', token_type: 'Bearer', id_token: 'x' } }, 'segments'],
  ['success by another status', { status: 201, body: { access_token: 'at', token_type: 'Bearer' } }, 'unknown_error'],
  ['invalid_grant', { status: 400, body: { error: 'invalid_grant' } }, 'invalid_grant'],
  ['an unknown error', { status: 418, body: { error: 'teapot' } }, 'unknown_error'],
]
for (const [what, answer, reason] of answers) {
  test(`TX-05, TX-11 the sign-in is refused for ${what}, and the code is not sent again`, async (t) => {
    const world = await buildIdp(t)
    world.hostile.on('/token', () => answer)
    assert.equal(await refusal(world), reason)
    assert.equal(world.hostile.count('/token'), 1)
    assert.deepEqual(
      world.log.lines.filter(({ level }) => level === 'error'),
      [],
    )
  })
}

for (const [status, error] of [
  [401, 'invalid_client'],
  [403, 'unauthorized_client'],
] as const) {
  test(`TX-11 ${error} calls the operator, and says what to check`, async (t) => {
    const world = await buildIdp(t)
    const headers = { 'www-authenticate': 'Basic realm="oten"' }
    world.hostile.on('/token', () => ({ status, headers, body: { error, error_description: 'canary' } }))
    assert.equal(await refusal(world), error)
    const alerts = world.log.lines.filter(({ level }) => level === 'error')
    assert.equal(alerts.length, 1)
    assert.match(alerts[0]?.message ?? '', /secret.*keys.*OTEN_TOKEN_AUTH.*IP whitelist/)
    assert.doesNotMatch(JSON.stringify(alerts), /canary/)
  })
}

test('TX-11 a token endpoint that cannot answer is an outage, with its Retry-After', async (t) => {
  const { idp, hostile, redeemInput } = await buildIdp(t)
  for (const status of [429, 500, 503]) {
    hostile.on('/token', () => ({ status, headers: { 'retry-after': '17' } }))
    const error = await idp.redeemCode(redeemInput()).catch((reason: unknown) => reason)
    assert.ok(isUnavailable(error))
    assert.equal(error instanceof BffError && error.retryAfterS, 17)
  }
  assert.equal(hostile.count('/token'), 3)
})

test('TX-03 a token endpoint that hangs up after reading gets the code exactly once', async (t) => {
  const { idp, hostile, redeemInput } = await buildIdp(t)
  hostile.on('/token', (_received, response) => {
    response.destroy()
    return undefined
  })
  await assert.rejects(idp.redeemCode(redeemInput()), isUnavailable)
  assert.equal(hostile.count('/token'), 1)
})

test('TX-04 a token endpoint that redirects gets no second request, here or elsewhere', async (t) => {
  const { idp, hostile, redeemInput } = await buildIdp(t)
  hostile.on('/token', () => ({ status: 307, headers: { location: '/token2' } }))
  await assert.rejects(idp.redeemCode(redeemInput()), isUnavailable)
  assert.deepEqual([hostile.count('/token'), hostile.count('/token2')], [1, 0])
})

test('TX-08 on a bad nonce nothing is returned or used, and both tokens are revoked', async (t) => {
  const world = await buildIdp(t)
  world.grant({ refresh_token: 'rt', id_token: signJws(world.claims({ nonce: 'of-another' }), world.key) })
  assert.equal(await refusal(world), 'nonce_mismatch')
  assert.deepEqual(revoked(world), ['canary-access-token', 'rt'])
  const hints = world.hostile.requests
    .filter(({ path }) => path === '/revoke')
    .map(({ body }) => body.get('token_type_hint'))
  assert.deepEqual(hints.sort(), ['access_token', 'refresh_token'])
  const others = world.hostile.requests.filter(({ headers }) => String(headers.authorization).startsWith('Bearer'))
  assert.deepEqual(others, [])
})

test('TX-08 tokens of a malformed answer, or of one whose keys cannot be had, are revoked too', async (t) => {
  const malformed = await buildIdp(t)
  malformed.grant({ token_type: 'mac', refresh_token: 'rt' })
  assert.equal(await refusal(malformed), 'token_type')
  assert.deepEqual(revoked(malformed), ['canary-access-token', 'rt'])

  const keyless = await buildIdp(t)
  keyless.hostile.on('/jwks', () => ({ status: 500 }))
  await assert.rejects(keyless.idp.redeemCode(keyless.redeemInput()), isUnavailable)
  assert.deepEqual(revoked(keyless), ['canary-access-token'])
})

test('TX-08 a revocation that fails changes nothing about the refusal', async (t) => {
  const world = await buildIdp(t)
  world.hostile.on('/revoke', () => ({ status: 500 }))
  world.grant({ id_token: signJws(world.claims({ nonce: 'of-another' }), world.key) })
  assert.equal(await refusal(world), 'nonce_mismatch')
})

const forgeries: [string, string, (world: World) => string][] = [
  ['ID-01', 'signature', ({ claims }) => signJws(claims(), createKey('idp-1'))],
  ['ID-02', 'alg', ({ claims, key }) => signJws(claims(), key, { alg: 'HS256', kid: key.kid })],
  ['ID-04', 'crit', ({ claims, key }) => signJws(claims(), key, { alg: 'EdDSA', kid: key.kid, crit: ['exp'] })],
  ['ID-05', 'key_unknown', ({ claims }) => signJws(claims(), createKey('unknown'))],
  ['ID-06', 'json', ({ claims, key }) => signJws(JSON.stringify(claims()).replace('{', '{"sub":"mallory",'), key)],
  ['ID-07', 'iss', ({ claims, key }) => signJws(claims({ iss: 'https://evil.example' }), key)],
  ['ID-08', 'aud', ({ claims, key }) => signJws(claims({ aud: [CLIENT_ID, 'other'], azp: CLIENT_ID }), key)],
  ['ID-09', 'azp', ({ claims, key }) => signJws(claims({ azp: 'other' }), key)],
  ['ID-10', 'exp', ({ claims, key, time }) => signJws(claims({ exp: time.now - 31 }), key)],
  ['ID-10', 'iat', ({ claims, key, time }) => signJws(claims({ iat: time.now - 7 * 86_400 }), key)],
  ['ID-11', 'nonce_missing', ({ claims, key }) => signJws(claims({ nonce: undefined }), key)],
  ['ID-12', 'sub', ({ claims, key }) => signJws(claims({ sub: '' }), key)],
  ['ID-13', 'at_hash', ({ claims, key }) => signJws(claims({ at_hash: 'wrong' }), key)],
  ['ID-15', 'typ', ({ claims, key }) => signJws(claims(), key, { alg: 'EdDSA', kid: key.kid, typ: 'at+jwt' })],
  ['ID-15', 'events', ({ claims, key }) => signJws(claims({ events: {} }), key)],
]
for (const [id, reason, forge] of forgeries) {
  test(`${id} a sign-in with a bad ID token (${reason}) is refused, its tokens revoked`, async (t) => {
    const world = await buildIdp(t)
    world.grant({ id_token: forge(world) })
    assert.equal(await refusal(world), reason)
    assert.deepEqual(revoked(world), ['canary-access-token'])
  })
}

test('ID-14 max_age and acr_values of the transaction are enforced', async (t) => {
  const world = await buildIdp(t)
  assert.equal(await refusal(world, { maxAge: 60 }), 'auth_time')
  world.grant({ id_token: signJws(world.claims({ auth_time: world.time.now - 91, acr: 'low' }), world.key) })
  assert.equal(await refusal(world, { maxAge: 60 }), 'auth_time_too_old')
  assert.equal(await refusal(world, { acrValues: 'high' }), 'acr')
  await world.idp.redeemCode(world.redeemInput({ maxAge: 3600, acrValues: 'low high' }))
})

test('the second, certified check has its say: what only it finds odd is refused as well', async (t) => {
  const world = await buildIdp(t)
  world.grant({ id_token: signJws(world.claims({ auth_time: -1 }), world.key) })
  assert.equal(await refusal(world), 'openid_check')
  world.grant({ id_token: signJws(world.claims({ nonce: '' }), world.key) })
  assert.equal(await refusal(world, { nonce: '' }), 'openid_check')
  assert.deepEqual(revoked(world), ['canary-access-token', 'canary-access-token'])
})

test('D5 a token is accepted under either algorithm name, whichever the metadata lists', async (t) => {
  const { idp, grant, claims, key, redeemInput } = await buildIdp(t)
  for (const alg of ['EdDSA', 'Ed25519']) {
    grant({ id_token: signJws(claims(), key, { alg, kid: key.kid }) })
    await idp.redeemCode(redeemInput())
  }
})

test('KY-04 a sign-in whose token is signed by a brand-new key succeeds', async (t) => {
  const { idp, hostile, grant, claims, redeemInput } = await buildIdp(t)
  await idp.redeemCode(redeemInput())
  const next = createKey('idp-2')
  hostile.keys = [next.jwk]
  grant({ id_token: signJws(claims(), next) })
  await idp.redeemCode(redeemInput())
})

test('ID-10 the second check, too, goes by the clock that was given', async (t) => {
  const { idp, grant, time, redeemInput } = await buildIdp(t)
  for (const jump of [-400 * 86_400, 800 * 86_400]) {
    time.now += jump
    grant()
    await idp.redeemCode(redeemInput())
  }
})

test('KY-01, ST-13 without usable metadata no code leaves', async (t) => {
  const { idp, hostile, redeemInput } = await buildIdp(t)
  hostile.metadata.issuer = `${hostile.issuer}/`
  await assert.rejects(idp.redeemCode(redeemInput()), isUnavailable)
  assert.equal(hostile.count('/token'), 0)
})

/** Every way in which a sign-in can end, for the log. */
const endings: ((world: World) => void)[] = [
  ({ grant }) => grant(),
  ({ grant, claims, key }) =>
    grant({ id_token: signJws(claims({ nonce: 'canary-other' }), key), refresh_token: 'canary-rt' }),
  ({ grant }) => grant({ token_type: 'canary-type', refresh_token: 'canary-rt' }),
  ({ grant }) => grant({ id_token: 'canary.canary.canary' }),
  ({ hostile }) => hostile.on('/token', () => ({ status: 400, body: { error: 'canary-error' } })),
  ({ hostile }) =>
    hostile.on('/token', () => ({ status: 401, body: { error: 'invalid_client', error_description: CODE } })),
  ({ hostile }) => hostile.on('/token', () => ({ status: 503, body: `canary ${CODE}` })),
  ({ hostile }) => hostile.on('/token', () => ({ status: 302, headers: { location: '/?canary' } })),
  ({ hostile }) => hostile.on('/token', () => ({ body: 'canary-html' })),
  ({ hostile }) =>
    hostile.on('/token', (_received, response) => {
      response.socket?.end('canary no HTTP\r\n\r\n')
      return undefined
    }),
]

async function logOf(t: TestContext, ending: (world: World) => void): Promise<string> {
  const world = await buildIdp(t)
  ending(world)
  const written: string[] = []
  const { log } = createLog('trace', { write: (line) => written.push(line) })
  await world.idp.redeemCode(world.redeemInput()).catch((err: unknown) => log.error({ err }, 'failed'))
  return `${JSON.stringify(world.log.lines)} ${written.join(' ')}`
}

test('TX-09, LG-01 however a sign-in ends, neither our log nor the error has a token, code, secret or IdP text', async (t) => {
  assert.ok([CLIENT_SECRET, CODE, CODE_VERIFIER].every((value) => value.includes('canary')))
  for (const ending of endings) assert.doesNotMatch(await logOf(t, ending), /canary/)
})
