import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type IdTokenExpectations,
  verifyIdTokenClaims,
  verifyParties,
  verifyRefreshedIdTokenClaims,
} from '../../src/idp/id-token.ts'
import { TokenRefused } from '../../src/idp/strict-jws.ts'

const NOW = 1_800_000_000
const HEADER = { alg: 'EdDSA', kid: 'k1' }
const ISSUER = 'https://account.oten.com'
const CLIENT_ID = '6f1a7c5e'

const good = { iss: ISSUER, aud: CLIENT_ID, sub: 'alice', iat: NOW, exp: NOW + 300, nonce: 'nonce-1' }
const expected: IdTokenExpectations = {
  issuer: ISSUER,
  clientId: CLIENT_ID,
  now: NOW,
  nonce: 'nonce-1',
  accessToken: 'access-token',
}

/** `undefined` when the claims pass, otherwise the reason. A member that is `undefined` is absent, as after JSON. */
function check(
  changes: Record<string, unknown>,
  expectations: Partial<IdTokenExpectations> = {},
  header: Record<string, unknown> = {},
): string | undefined {
  const claims = JSON.parse(JSON.stringify({ ...good, ...changes }))
  return reasonOf(() => verifyIdTokenClaims({ ...HEADER, ...header }, claims, { ...expected, ...expectations }))
}

function reasonOf(verify: () => unknown): string | undefined {
  try {
    verify()
    return undefined
  } catch (error) {
    assert.ok(error instanceof TokenRefused, String(error))
    return error.reason
  }
}

/** Each value must be refused for this reason. */
function refuses(name: string, values: readonly unknown[], reason = name): void {
  for (const value of values) assert.equal(check({ [name]: value }), reason, `${name}: ${JSON.stringify(value)}`)
}

test('a good ID token passes, and its claims come back whole', () => {
  const claims = { ...good, sid: 's1', name: 'Ada', extra: { a: [1] } }
  assert.deepEqual(verifyIdTokenClaims(HEADER, claims, expected), claims)
})

test('ID-07 iss must be the issuer, character by character', () => {
  refuses('iss', [undefined, null, '', `${ISSUER}1`, `${ISSUER}/`, 'https://ACCOUNT.oten.com', [ISSUER], 7])
})

test('ID-08 aud must be this client and nobody else', () => {
  refuses('aud', [
    undefined,
    null,
    '',
    'other',
    `${CLIENT_ID}1`,
    [],
    ['other'],
    [CLIENT_ID, 'other'],
    ['other', CLIENT_ID],
  ])
  refuses('aud', [[CLIENT_ID, CLIENT_ID], [[CLIENT_ID]], { 0: CLIENT_ID }, 7])
  assert.equal(check({ aud: [CLIENT_ID] }), undefined)
  assert.equal(check({ aud: [CLIENT_ID, 'other'], azp: CLIENT_ID }), 'aud')
})

test('ID-09 azp, where present, must be this client', () => {
  refuses('azp', ['other', '', null, [CLIENT_ID]])
  assert.equal(check({ azp: CLIENT_ID }), undefined)
})

test('ID-10 exp is required and in the future, give or take 30 s', () => {
  refuses('exp', [undefined, null, String(NOW + 300), NOW - 31, NOW - 30, 0, -1, [NOW + 300]])
  assert.equal(check({ exp: NOW - 29 }), undefined)
  assert.equal(
    reasonOf(() => verifyIdTokenClaims(HEADER, { ...good, exp: Number.POSITIVE_INFINITY }, expected)),
    'exp',
  )
})

test('ID-10 iat is required, not in the future, and at most ten minutes old, give or take 30 s', () => {
  refuses('iat', [undefined, null, String(NOW), NOW + 31, NOW - 631, NOW - 7 * 86_400])
  for (const iat of [NOW + 30, NOW - 630, NOW - 0.5]) assert.equal(check({ iat }), undefined)
})

test('ID-10 nbf, where present, is honoured', () => {
  refuses('nbf', [NOW + 31, null, String(NOW)])
  for (const nbf of [NOW + 30, NOW, 0]) assert.equal(check({ nbf }), undefined)
})

test("ID-11 nonce is required and must be the transaction's", () => {
  refuses('nonce', [undefined, null, 7, ['nonce-1']], 'nonce_missing')
  refuses('nonce', ['', 'nonce-11', 'nonce-', 'nonce-2', 'NONCE-1', 'nonce-1 '], 'nonce_mismatch')
})

test('ID-12 sub is 1 to 255 printable ASCII characters', () => {
  refuses('sub', [undefined, null, '', 7, ['alice'], 'x'.repeat(256), 'jürgen', 'a\nb', 'a\u0000', '\u007f'])
  assert.equal(check({ sub: 'x'.repeat(255) }), undefined)
  assert.equal(check({ sub: 'auth0|5f7c ~!' }), undefined)
})

test('sid, where present, is text', () => {
  refuses('sid', ['', 7, null])
  assert.equal(check({ sid: 's1' }), undefined)
})

test('ID-13 at_hash, where present, must be that of the access token', () => {
  const accessToken = 'YmJiZTAwYmYtMzgyOC00NzhkLTkyOTItNjJjNDM3MGYzOWIy9sFhvH8K_x8UIHj1osisS57f5DduL'
  const hash = 'p2LHG4H-8pYDc0hyVOo3iIHvZJUqe9tbj3jESOuXbkY'
  assert.equal(check({ at_hash: hash }, { accessToken }), undefined)
  assert.equal(check({ at_hash: hash }, { accessToken }, { alg: 'Ed25519' }), undefined)
  assert.equal(check({ at_hash: hash }, { accessToken: `${accessToken}1` }), 'at_hash')
  const sha256Half = 'xsZZrUssMXjL3FBlzoSh2g'
  for (const wrong of [`${hash}1`, hash.toLowerCase(), '', null, 7, sha256Half]) {
    assert.equal(check({ at_hash: wrong }, { accessToken }), 'at_hash')
  }
})

test('ID-14 with max_age the sign-in must be recent, give or take 30 s, and its time known', () => {
  const maxAge = 60
  for (const authTime of [NOW, NOW - 60, NOW - 90, NOW + 30])
    assert.equal(check({ auth_time: authTime }, { maxAge }), undefined)
  for (const authTime of [undefined, null, String(NOW), NOW + 31]) {
    assert.equal(check({ auth_time: authTime }, { maxAge }), 'auth_time')
  }
  assert.equal(check({ auth_time: NOW - 91 }, { maxAge }), 'auth_time_too_old')
  assert.equal(check({ auth_time: NOW - 31 }, { maxAge: 0 }), 'auth_time_too_old')
  assert.equal(check({ auth_time: NOW - 30 }, { maxAge: 0 }), undefined)
})

test('ID-14 without max_age, auth_time may be absent or old, but not nonsense', () => {
  assert.equal(check({ auth_time: NOW - 86_400 }), undefined)
  refuses('auth_time', ['yesterday', null])
})

test('ID-14 acr, where present, must be one that was asked for', () => {
  const acrValues = 'urn:mfa urn:passkey'
  for (const acr of ['urn:mfa', 'urn:passkey', undefined]) assert.equal(check({ acr }, { acrValues }), undefined)
  for (const acr of ['urn:password', 'urn:mfa urn:passkey', '', 7, null])
    assert.equal(check({ acr }, { acrValues }), 'acr')
  assert.equal(check({ acr: 'urn:password' }), undefined)
})

test('ID-15 another kind of token is refused by its type', () => {
  for (const typ of [undefined, 'JWT', 'jwt', 'application/jwt', 'APPLICATION/JWT']) {
    assert.equal(check({}, {}, typ === undefined ? {} : { typ }), undefined)
  }
  const others = [
    'at+jwt',
    'application/at+jwt',
    'logout+jwt',
    'oauth-authz-req+jwt',
    'client-authentication+jwt',
    'secevent+jwt',
    'jwtapplication/',
  ]
  for (const typ of [...others, '', 'application/', 7, null, ['JWT']]) assert.equal(check({}, {}, { typ }), 'typ')
})

test('ID-15 a token with events is refused', () => {
  refuses('events', [{ 'http://schemas.openid.net/event/backchannel-logout': {} }, {}, null, 'x'])
})

test('RF-06 a refreshed token must be of the same user and sign-in', () => {
  const original = { ...good, auth_time: NOW - 3600 }
  const { nonce, ...fresh } = good
  const refresh = (changes: Record<string, unknown>) => {
    const claims = JSON.parse(JSON.stringify({ ...fresh, ...changes }))
    return reasonOf(() => verifyRefreshedIdTokenClaims(HEADER, claims, { ...expected, original }))
  }
  for (const changes of [{}, { nonce }, { auth_time: NOW - 3600 }, { aud: [CLIENT_ID] }]) {
    assert.equal(refresh(changes), undefined)
  }
  assert.equal(refresh({ sub: 'alice1' }), 'sub_changed')
  assert.equal(refresh({ sub: undefined }), 'sub')
  assert.equal(refresh({ iss: `${ISSUER}1` }), 'iss')
  assert.equal(refresh({ aud: 'other' }), 'aud')
  assert.equal(refresh({ nonce: 'other' }), 'nonce_mismatch')
  assert.equal(refresh({ nonce: null }), 'nonce_mismatch')
  assert.equal(refresh({ auth_time: NOW }), 'auth_time_changed')
  assert.equal(refresh({ exp: NOW - 31 }), 'exp')
  assert.equal(refresh({ events: {} }), 'events')
  assert.equal(refresh({ at_hash: 'wrong' }), 'at_hash')
})

test('RF-06 a sign-in time that only the refreshed token tells contradicts nothing', () => {
  const claims = { ...good, auth_time: NOW - 3600 }
  assert.deepEqual(verifyRefreshedIdTokenClaims(HEADER, claims, { ...expected, original: good }), claims)
})

test('RF-06 a session of another issuer is not continued by this one', () => {
  const original = { ...good, iss: 'https://old.example' }
  assert.equal(
    reasonOf(() => verifyRefreshedIdTokenClaims(HEADER, good, { ...expected, original })),
    'iss_changed',
  )
})

test('ID-10 any token from the IdP is held against issuer, audience and time', () => {
  const parties = { issuer: ISSUER, clientId: CLIENT_ID, now: NOW }
  assert.equal(
    reasonOf(() => verifyParties({ iss: ISSUER, aud: CLIENT_ID, iat: NOW, exp: NOW + 60 }, parties)),
    undefined,
  )
  assert.equal(
    reasonOf(() => verifyParties({}, parties)),
    'iss',
  )
})
