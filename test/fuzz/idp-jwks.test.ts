import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { exportJWK } from 'jose'
import { createJwks } from '../../src/idp/jwks.ts'
import type { IdpMetadata } from '../../src/idp/metadata.ts'
import { hostileJson, likeObject, likeOctets } from './arbitraries.ts'
import { FIXED_KEY } from './fixed-key.ts'
import { answerOf, orUnavailable } from './idp-outcomes.ts'
import { hold } from './settings.ts'

const X = String(FIXED_KEY.jwk.x)
const OTHER_X = 'PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw'
const JWK = { kty: 'OKP', crv: 'Ed25519', x: X, kid: 'k1', alg: 'EdDSA', use: 'sig' }
const jwkValue = fc.oneof(
  fc.constantFrom<unknown>(
    X,
    OTHER_X,
    `${X}=`,
    X.slice(1),
    `${X}A`,
    'k1',
    'k2',
    '',
    'OKP',
    'EC',
    'RSA',
    'oct',
    'Ed25519',
    'Ed448',
    'X25519',
    'EdDSA',
    'ES256',
  ),
  fc.constantFrom<unknown>('sig', 'enc', ['verify'], ['sign'], ['sign', 'verify'], [], 'verify'),
  hostileJson,
)
const jwk = fc.oneof(
  { weight: 4, arbitrary: likeObject({ ...JWK, key_ops: ['verify'] }, jwkValue) },
  { weight: 2, arbitrary: likeObject({ ...JWK, x: OTHER_X, kid: 'k2' }, jwkValue) },
  { weight: 1, arbitrary: likeObject({ ...JWK, d: X }, jwkValue) },
  { weight: 1, arbitrary: hostileJson },
)

type Members = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** RFC 8037 §2, RFC 7517 §4: a public Ed25519 key that may verify. */
function isUsable(entry: unknown): entry is Members {
  if (!isObject(entry)) return false
  const { kty, crv, x, kid, alg, use, key_ops: operations } = entry
  const isKey = kty === 'OKP' && crv === 'Ed25519' && typeof x === 'string' && !('d' in entry)
  const isFor = [undefined, 'EdDSA', 'Ed25519'].some((name) => name === alg) && (use === undefined || use === 'sig')
  return (
    isKey &&
    isFor &&
    (kid === undefined || typeof kid === 'string') &&
    (operations === undefined || (Array.isArray(operations) && operations.includes('verify')))
  )
}

test('ID-05, KY-04: a key is used only if the IdP lists it for signatures under this id, and no other key beside it', (t) =>
  hold(
    t,
    fc.asyncProperty(
      fc.array(jwk, { maxLength: 4 }),
      fc.constantFrom('k1', 'k2', '', undefined),
      async (entries, kid) => {
        const fetch = async (): Promise<Response> => Response.json({ keys: entries })
        const { own } = createJwks({
          metadata: { get: async () => ({ jwksUri: 'https://idp.example/jwks' }) as IdpMetadata },
          fetch,
          now: () => 1_800_000_000,
        })
        const key = await own.findKey({ kid })
        const listed = (JSON.parse(JSON.stringify(entries)) as unknown[]).filter(isUsable)
        const fitting = listed.filter((entry) => kid === undefined || entry.kid === kid)
        const octets = fitting.map(({ x }) => Buffer.from(String(x), 'base64url')).filter(({ length }) => length === 32)
        const keys = new Set(octets.map((point) => point.toString('base64url')))
        if (key !== undefined) assert.deepEqual([(await exportJWK(key)).x], [...keys])
        else assert.ok(keys.size !== 1 || !fitting.every(({ x }) => x === X), 'a key that fits alone was not used')
      },
    ),
    { share: 3 },
  ))

const status = fc.oneof({ weight: 8, arbitrary: fc.constant(200) }, fc.constantFrom(201, 400, 404, 429, 500, 503))

test('KY-04: whatever octets are served as a JWK Set, it is keys or idp_unavailable', (t) => {
  const octets = fc.oneof(
    likeOctets(Buffer.from(JSON.stringify({ keys: [JWK] }))),
    hostileJson.map((value) => Buffer.from(JSON.stringify(value))),
    fc.array(hostileJson).map((keys) => Buffer.from(JSON.stringify({ keys }))),
  )
  return hold(
    t,
    fc.asyncProperty(octets, status, async (sent, code) => {
      const fetch = async (): Promise<Response> => answerOf(sent, code)
      const { own } = createJwks({
        metadata: { get: async () => ({ jwksUri: 'https://idp.example/jwks' }) as IdpMetadata },
        fetch,
        now: () => 1_800_000_000,
      })
      const key = await orUnavailable(() => own.findKey({ kid: 'k1' }))
      assert.ok(key === undefined || code === 200)
    }),
    { share: 2 },
  )
})
