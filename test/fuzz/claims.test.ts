import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { verifyIdTokenClaims, verifyRefreshedIdTokenClaims } from '../../src/idp/id-token.ts'
import { verifyLogoutToken } from '../../src/idp/logout-token.ts'
import { TokenRefused } from '../../src/idp/strict-jws.ts'
import { signJws } from '../idp/hostile-idp.ts'
import { hostileJson, piece } from './arbitraries.ts'
import { FIXED_KEY, FIXED_KEYS } from './fixed-key.ts'
import { hold } from './settings.ts'

type Claims = Record<string, unknown>

const NOW = 1_800_000_000
const PARTIES = { issuer: 'https://idp.example', clientId: 'client-1', now: NOW }
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

const at = (...offsets: readonly number[]): readonly number[] => offsets.map((offset) => NOW + offset)
/** The left half (OIDC Core §3.1.3.6) of SHA-512, which goes with Ed25519. */
const AT_HASH = createHash('sha512').update('the-access-token').digest().subarray(0, 32).toString('base64url')

/** For each claim what lies on either side of its limit, or only looks like it. */
const NEARBY: Readonly<Record<string, readonly unknown[]>> = {
  iss: [
    'https://idp.example',
    'https://idp.example/',
    'https://IDP.example',
    'http://idp.example',
    ['https://idp.example'],
  ],
  aud: [
    'client-1',
    ['client-1'],
    ['client-1', 'client-1'],
    ['client-1', 'other'],
    ['other'],
    [],
    'client-1 ',
    ['client-1', null],
  ],
  exp: [...at(-31, -30, -29, 0, 300, 1e9), `${NOW + 300}`, NOW + 0.5],
  iat: [...at(-631, -630, -629, 0, 29, 30, 31), `${NOW}`, NOW - 0.5],
  nbf: [...at(-1000, 0, 29, 30, 31), `${NOW}`],
  auth_time: [...at(-1000, -91, -90, -89, 0, 30, 31), `${NOW}`],
  nonce: ['the-nonce', 'the-nonce ', 'the-nonc', 'THE-NONCE', ''],
  sub: ['alice', '', ' ', 'a'.repeat(255), 'a'.repeat(256), 'al\u00efce', 'alice\n', 'alice\u007f', 7],
  sid: ['sid-1', '', 'sid-2', 7],
  azp: ['client-1', 'other', ''],
  at_hash: [AT_HASH, `${AT_HASH}=`, AT_HASH.slice(1), ''],
  acr: ['gold', 'silver', 'lead', 'gold silver', ''],
  events: [
    { [EVENT]: {} },
    { [EVENT]: { a: 1 } },
    { [EVENT]: null },
    { [EVENT]: [] },
    { [EVENT]: 'x' },
    {},
    [EVENT],
    { other: {} },
  ],
  jti: ['jti-1', '', 7],
}

const TYPES = [
  undefined,
  'JWT',
  'jwt',
  'application/jwt',
  'Application/JWT',
  'logout+jwt',
  'at+jwt',
  'application/application/jwt',
  '',
  7,
  null,
]

/** Good claims with up to four of them changed. */
function nearly(good: Claims): fc.Arbitrary<Claims> {
  const change = fc.constantFrom(...Object.keys(NEARBY)).chain((name) => {
    const value = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...(NEARBY[name] ?? [])) },
      { weight: 2, arbitrary: hostileJson },
      { weight: 1, arbitrary: fc.constant(undefined) },
    )
    return fc.tuple(fc.oneof({ weight: 20, arbitrary: fc.constant(name) }, piece), value)
  })
  return fc.array(change, { maxLength: 4 }).map((changes) => {
    const changed = new Map(Object.entries(good))
    for (const [name, value] of changes) value === undefined ? changed.delete(name) : changed.set(name, value)
    return JSON.parse(JSON.stringify(Object.fromEntries(changed))) as Claims
  })
}

const isNumber = (value: unknown): value is number => typeof value === 'number'
const isAbsentOr = (value: unknown, holds: (value: unknown) => boolean): boolean => value === undefined || holds(value)
const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''

/** RFC 7519 §4.1 and the limits of ID-07, ID-08 and ID-10, written down once more. */
const isOfParties = ({ iss, aud, exp, iat, nbf }: Claims): boolean =>
  iss === 'https://idp.example' &&
  (aud === 'client-1' || (Array.isArray(aud) && aud.length === 1 && aud[0] === 'client-1')) &&
  isNumber(exp) &&
  exp > NOW - 30 &&
  isNumber(iat) &&
  iat <= NOW + 30 &&
  iat >= NOW - 630 &&
  isAbsentOr(nbf, (value) => isNumber(value) && value <= NOW + 30)

const isIdToken = (typ: unknown, claims: Claims): boolean =>
  isOfParties(claims) &&
  isAbsentOr(typ, (value) => typeof value === 'string' && /^(?:application\/)?jwt$/i.test(value)) &&
  claims.events === undefined &&
  typeof claims.sub === 'string' &&
  /^[ -~]+$/.test(claims.sub) &&
  !claims.sub.includes('\n') &&
  claims.sub.length <= 255 &&
  isAbsentOr(claims.sid, isText) &&
  isAbsentOr(claims.azp, (azp) => azp === 'client-1') &&
  isAbsentOr(claims.at_hash, (hash) => hash === AT_HASH) &&
  isAbsentOr(claims.auth_time, isNumber)

/** The claims that were believed; undefined for a refusal, and a failure for anything else. */
function outcome(check: () => unknown): unknown {
  try {
    return check()
  } catch (error) {
    assert.ok(error instanceof TokenRefused, `throws ${String(error)}`)
    assert.match(error.reason, /^[a-z_]+$/) // A fixed word: it goes to the log.
    return undefined
  }
}

const good = { iss: PARTIES.issuer, aud: PARTIES.clientId, exp: NOW + 300, iat: NOW, sub: 'alice', nonce: 'the-nonce' }
const typ = fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.constantFrom(...TYPES))

test('ID-07 to ID-15: of all ID tokens exactly those are believed whose every claim holds, and as they are', (t) => {
  const maxAge = fc.option(fc.constantFrom(0, 60), { nil: undefined })
  const acrValues = fc.option(fc.constantFrom('gold silver', 'gold'), { nil: undefined })
  const seen = { tried: 0, believed: 0 }
  const property = fc.property(typ, nearly(good), maxAge, acrValues, (type, claims, age, acr) => {
    const expected = { ...PARTIES, nonce: 'the-nonce', accessToken: 'the-access-token', maxAge: age, acrValues: acr }
    const { auth_time: authTime } = claims
    const isRecent = age === undefined || (isNumber(authTime) && authTime <= NOW + 30 && NOW - authTime <= age + 30)
    const isOfClass =
      acr === undefined || isAbsentOr(claims.acr, (given) => acr.split(' ').some((name) => name === given))
    const isGood = isIdToken(type, claims) && claims.nonce === 'the-nonce' && isRecent && isOfClass
    const header = { alg: 'EdDSA', ...(type !== undefined && { typ: type }) }
    assert.deepEqual(
      outcome(() => verifyIdTokenClaims(header, claims, expected)),
      isGood ? claims : undefined,
    )
    seen.tried += 1
    seen.believed += isGood ? 1 : 0
  })
  return hold(t, property, { share: 20 }).then(() => {
    assert.ok(seen.believed > seen.tried / 20 && seen.believed < seen.tried / 1.1, JSON.stringify(seen))
  })
})

test('RF-06: of all ID tokens of a refresh exactly those are believed that speak of the same user and sign-in', (t) => {
  const original = fc.constantFrom<Claims>(
    good,
    { ...good, auth_time: NOW - 90 },
    { iss: PARTIES.issuer, sub: 'alice' },
    { ...good, sub: 'bob' },
  )
  return hold(
    t,
    fc.property(typ, nearly(good), original, (type, claims, before) => {
      const expected = { ...PARTIES, accessToken: 'the-access-token', original: before }
      const isSame =
        claims.sub === before.sub &&
        isAbsentOr(claims.nonce, (nonce) => nonce === before.nonce) &&
        (before.auth_time === undefined || isAbsentOr(claims.auth_time, (authTime) => authTime === before.auth_time))
      const header = { alg: 'EdDSA', ...(type !== undefined && { typ: type }) }
      const believed = outcome(() => verifyRefreshedIdTokenClaims(header, claims, expected))
      assert.deepEqual(believed, isIdToken(type, claims) && isSame ? claims : undefined)
    }),
    { share: 20 },
  )
})

test('BL-02 to BL-08: of all logout tokens exactly those are believed that name somebody and the one event, without a nonce', (t) => {
  const base = { ...good, sid: 'sid-1', jti: 'jti-1', events: { [EVENT]: {} } }
  const { nonce: _nonce, ...goodLogout } = base
  const isObject = (value: unknown): value is Claims =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  const isLogoutToken = (type: unknown, claims: Claims): boolean =>
    isOfParties(claims) &&
    isAbsentOr(type, (value) => typeof value === 'string' && /^(?:application\/)?(?:logout\+)?jwt$/i.test(value)) &&
    isObject(claims.events) &&
    isObject(claims.events[EVENT]) &&
    !('nonce' in claims) &&
    isText(claims.jti) &&
    isAbsentOr(claims.sub, isText) &&
    isAbsentOr(claims.sid, isText) &&
    (claims.sub !== undefined || claims.sid !== undefined)
  return hold(
    t,
    fc.asyncProperty(typ, nearly(goodLogout), async (type, claims) => {
      const token = signJws(claims, FIXED_KEY, { alg: 'EdDSA', kid: 'k1', ...(type !== undefined && { typ: type }) })
      if (token.length > 16_384) return
      const { sub, sid, jti, exp } = claims
      const expected = { issuer: PARTIES.issuer, sub, sid, jti, expiresAt: exp }
      const believed = await verifyLogoutToken(token, FIXED_KEYS, PARTIES).catch((error: unknown) =>
        outcome(() => {
          throw error
        }),
      )
      assert.deepEqual(believed, isLogoutToken(type, claims) ? expected : undefined)
    }),
    { share: 2 },
  )
})

test('BL-04: no token is at once an ID token and a logout token, whatever it says', (t) =>
  hold(
    t,
    fc.asyncProperty(typ, nearly({ ...good, jti: 'jti-1' }), async (type, claims) => {
      const header = { alg: 'EdDSA', kid: 'k1', ...(type !== undefined && { typ: type }) }
      const expected = { ...PARTIES, nonce: 'the-nonce', accessToken: 'the-access-token' }
      const idToken = outcome(() => verifyIdTokenClaims(header, claims, expected))
      if (idToken === undefined) return
      const token = signJws(claims, FIXED_KEY, header)
      await assert.rejects(verifyLogoutToken(token, FIXED_KEYS, PARTIES), TokenRefused)
    }),
    { share: 2 },
  ))
