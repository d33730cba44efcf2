import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type RefreshInput, refreshTokens } from '../../src/idp/refresh-tokens.ts'
import type { TokenEndpointDeps } from '../../src/idp/token-endpoint.ts'
import { buildIdp, CLIENT_ID, type World } from './build-idp.ts'
import { createKey, signJws } from './hostile-idp.ts'

/** A session to refresh, whose ID token was issued an hour ago. */
async function build(t: TestContext) {
  const world = await buildIdp(t)
  const { key, claims, time, idp } = world
  const issued = { iat: time.now - 3600, exp: time.now - 3300, auth_time: time.now - 3600, sid: 's1' }
  const input: RefreshInput = {
    refreshToken: 'canary-refresh-token',
    idToken: signJws(claims(issued), key),
    scope: 'openid profile',
  }
  return { ...world, input, refresh: () => idp.refresh(input) }
}

const revoked = ({ hostile }: World): (string | null)[] =>
  hostile.requests
    .filter(({ path }) => path === '/revoke')
    .map(({ body }) => body.get('token'))
    .sort()

test('RF-01 one request with client authentication; without rotation the old refresh and ID token stay', async (t) => {
  const { hostile, grant, refresh, input, time, claims } = await build(t)
  grant({ id_token: undefined })
  const outcome = await refresh()
  assert.deepEqual(outcome, {
    kind: 'refreshed',
    tokens: {
      accessToken: 'canary-access-token',
      accessTokenExpiresAt: time.now + 900,
      refreshToken: input.refreshToken,
      idToken: input.idToken,
      idTokenClaims: claims({ iat: time.now - 3600, exp: time.now - 3300, auth_time: time.now - 3600, sid: 's1' }),
      scope: 'openid profile',
    },
  })
  const { body, headers } = hostile.last('/token')
  assert.deepEqual(Object.fromEntries(body), { grant_type: 'refresh_token', refresh_token: input.refreshToken })
  assert.match(String(headers.authorization), /^Basic /)
  assert.equal(hostile.count('/token'), 1)
})

test('RF-01 a new refresh token replaces the old one, and a narrower scope the old scope', async (t) => {
  const { grant, refresh, claims, key, time } = await build(t)
  const idToken = signJws(claims({ nonce: undefined, name: 'Ada' }), key)
  grant({ id_token: idToken, refresh_token: 'rt-2', refresh_expires_in: 60, scope: 'openid' })
  const outcome = await refresh()
  assert.ok(outcome.kind === 'refreshed')
  const { refreshToken, refreshTokenExpiresAt, scope, idTokenClaims } = outcome.tokens
  assert.deepEqual([refreshToken, refreshTokenExpiresAt, scope], ['rt-2', time.now + 60, 'openid'])
  assert.equal(outcome.tokens.idToken, idToken)
  assert.equal(idTokenClaims.name, 'Ada')
})

test('RF-04 invalid_grant says that the session is over', async (t) => {
  const { hostile, refresh } = await build(t)
  hostile.on('/token', () => ({ status: 400, body: { error: 'invalid_grant' } }))
  assert.deepEqual(await refresh(), { kind: 'invalid_grant' })
  assert.equal(hostile.count('/token'), 1)
})

test('RF-05 whatever else goes wrong keeps the session, with the wait that the IdP asks for', async (t) => {
  const { hostile, refresh, log } = await build(t)
  hostile.on('/token', () => ({ status: 503, headers: { 'retry-after': '17' } }))
  assert.deepEqual(await refresh(), { kind: 'unavailable', reason: 'token endpoint answered 503', retryAfterS: 17 })
  for (const error of ['invalid_request', 'invalid_scope', 'teapot']) {
    hostile.on('/token', () => ({ status: 400, body: { error } }))
    assert.equal((await refresh()).kind, 'unavailable')
  }
  for (const body of ['<html>', { token_type: 'Bearer' }, { access_token: 'at', token_type: 'mac' }]) {
    hostile.on('/token', () => ({ body }))
    const outcome = await refresh()
    assert.match(
      outcome.kind === 'unavailable' ? outcome.reason : '',
      /^token response malformed: (?:access_token|token_type)$/,
    )
  }
  assert.equal(hostile.count('/revoke'), 0)
  assert.deepEqual(
    log.lines.filter(({ level }) => level === 'error'),
    [],
  )
  await hostile.stop()
  assert.equal((await refresh()).kind, 'unavailable')
})

test('RF-05, TX-11 an IdP that refuses the client itself keeps the session and calls the operator', async (t) => {
  const { hostile, refresh, log } = await build(t)
  hostile.on('/token', () => ({ status: 401, body: { error: 'invalid_client' } }))
  assert.deepEqual(await refresh(), { kind: 'unavailable', reason: 'invalid_client' })
  assert.equal(log.lines.filter(({ level }) => level === 'error').length, 1)
})

test('RF-05 a refresh token that the IdP may have seen is not sent again', async (t) => {
  const { hostile, refresh } = await build(t)
  hostile.on('/token', (_received, response) => {
    response.destroy()
    return undefined
  })
  assert.equal((await refresh()).kind, 'unavailable')
  assert.equal(hostile.count('/token'), 1)
})

const mismatches: [string, string, (world: World) => string][] = [
  ['another issuer', 'iss', ({ claims, key, hostile }) => signJws(claims({ iss: `${hostile.issuer}1` }), key)],
  ['another user', 'sub_changed', ({ claims, key }) => signJws(claims({ sub: 'alice1' }), key)],
  ['another audience', 'aud', ({ claims, key }) => signJws(claims({ aud: 'other' }), key)],
  ['another nonce', 'nonce_mismatch', ({ claims, key }) => signJws(claims({ nonce: 'other' }), key)],
  ['another sign-in', 'auth_time_changed', ({ claims, key, time }) => signJws(claims({ auth_time: time.now }), key)],
  ['another key', 'signature', ({ claims }) => signJws(claims(), createKey('idp-1'))],
  ['no time left', 'exp', ({ claims, key, time }) => signJws(claims({ exp: time.now - 31 }), key)],
  [
    'another purpose',
    'typ',
    ({ claims, key }) => signJws(claims(), key, { alg: 'EdDSA', kid: key.kid, typ: 'at+jwt' }),
  ],
]
for (const [what, reason, forge] of mismatches) {
  test(`RF-06 an ID token with ${what} ends the session; the new tokens are not used but revoked`, async (t) => {
    const world = await build(t)
    world.grant({ id_token: forge(world), refresh_token: 'rt-2' })
    assert.deepEqual(await world.refresh(), { kind: 'mismatch', reason })
    assert.deepEqual(revoked(world), ['canary-access-token', 'rt-2'])
  })
}

test('RF-06 the second, certified check has its say here, too', async (t) => {
  const { grant, idp, claims, key, input } = await build(t)
  grant({ id_token: signJws(claims({ auth_time: -1 }), key) })
  const outcome = await idp.refresh({ ...input, idToken: signJws(claims(), key) })
  assert.deepEqual(outcome, { kind: 'mismatch', reason: 'openid_check' })
})

test('RF-06 a session whose own ID token makes no sense is not continued', async (t) => {
  const { grant, idp, input, claims, key } = await build(t)
  grant({ id_token: undefined })
  assert.deepEqual(await idp.refresh({ ...input, idToken: 'x' }), { kind: 'mismatch', reason: 'segments' })
  for (const idToken of [signJws(claims({ sub: undefined }), key), signJws(claims({ iss: undefined }), key)]) {
    assert.deepEqual(await idp.refresh({ ...input, idToken }), { kind: 'mismatch', reason: 'sub' })
  }
  const odd = signJws(claims({ sid: 7 }), key)
  assert.deepEqual(await idp.refresh({ ...input, idToken: odd }), { kind: 'mismatch', reason: 'sid' })
  assert.equal((await idp.refresh({ ...input, idToken: signJws(claims(), key) })).kind, 'refreshed')
})

test('a fault of our own is thrown, not taken for one of the IdP', async (t) => {
  const { refresh, secrets, hostile } = await build(t)
  secrets.current = { ...secrets.current, clientSecret: undefined }
  await assert.rejects(refresh(), /needs OTEN_CLIENT_SECRET/)
  assert.equal(hostile.count('/token'), 0)
})

test('a fault of our own while the answer is checked is thrown, too', async (t) => {
  const { input, idp, secrets, time, log, claims, key } = await build(t)
  const deps: TokenEndpointDeps = {
    clientId: CLIENT_ID,
    allowInsecureIssuer: true,
    secrets: { current: () => secrets.current },
    metadata: idp.metadata,
    jwks: { findKey: () => Promise.reject(new RangeError('ours')) },
    fetch: async () => Response.json({ access_token: 'at', token_type: 'Bearer', id_token: signJws(claims(), key) }),
    now: () => time.now,
    log,
  }
  await assert.rejects(refreshTokens(deps, input), /RangeError: ours/)
})

test('RF-06 an ID token with the nonce and sign-in time of the session is fine', async (t) => {
  const { grant, refresh, claims, key, time } = await build(t)
  grant({ id_token: signJws(claims({ auth_time: time.now - 3600 }), key) })
  assert.equal((await refresh()).kind, 'refreshed')
})

test('RF-06 a new ID token that cannot be checked now is no mismatch, but not believed either', async (t) => {
  const { hostile, refresh } = await build(t)
  hostile.on('/jwks', () => ({ status: 500 }))
  assert.equal((await refresh()).kind, 'unavailable')
})

test('RF-06 the refresh token that came with an ID token that cannot be checked now is kept, since the old one is spent', async (t) => {
  const { hostile, refresh, grant, claims, key } = await build(t)
  hostile.on('/jwks', () => ({ status: 500 }))
  grant({ id_token: signJws(claims({ nonce: undefined }), key), refresh_token: 'rt-2' })
  const outcome = await refresh()
  assert.ok(outcome.kind === 'unavailable')
  assert.equal(outcome.successor, 'rt-2')
  assert.equal(hostile.count('/revoke'), 0)
})

test('KY-04 key ids that strangers invented do not keep a rotated key from being found', async (t) => {
  const { hostile, idp, refresh, grant, claims, key } = await build(t)
  grant({ id_token: signJws(claims({ nonce: undefined }), key) })
  assert.equal((await refresh()).kind, 'refreshed')
  assert.equal(await idp.jwks.findKey({ kid: 'invented' }), undefined)
  const next = createKey('idp-2')
  hostile.keys = [key.jwk, next.jwk]
  grant({ id_token: signJws(claims({ nonce: undefined }), next) })
  assert.equal((await refresh()).kind, 'refreshed')
})

test('ID-05 a second unknown key id in ten seconds is no mismatch, since nobody looked', async (t) => {
  const { refresh, grant, claims, key } = await build(t)
  grant({ id_token: signJws(claims({ nonce: undefined }), key) })
  assert.equal((await refresh()).kind, 'refreshed')
  grant({ id_token: signJws(claims({ nonce: undefined }), createKey('idp-2')) })
  assert.deepEqual(await refresh(), { kind: 'mismatch', reason: 'key_unknown' })
  grant({ id_token: signJws(claims({ nonce: undefined }), createKey('idp-3')), refresh_token: 'rt-2' })
  const outcome = await refresh()
  assert.ok(outcome.kind === 'unavailable')
  assert.equal(outcome.successor, 'rt-2')
})
