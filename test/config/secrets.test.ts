import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { loadConfig } from '../../src/config.ts'
import { assertRefused, type Env, findFaults, RFC_8037_JWK, RFC_8037_THUMBPRINT, VALID_ENV } from './valid-env.ts'

const HS256: Env = { ...VALID_ENV, JAR_ALG: 'HS256', JAR_KEYS: undefined }
const makeJwk = (members: object = {}): string =>
  JSON.stringify({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), ...members })
const makeKey = (): string => randomBytes(32).toString('base64url')

test('RO-16 an HS256 secret has 32 octets; 16 to 31 start with a warning, fewer do not start', () => {
  const start = (secret: string) => loadConfig({ ...HS256, OTEN_CLIENT_SECRET: secret })
  assert.deepEqual(start('x'.repeat(32)).warnings, [])
  for (const octets of [31, 16]) {
    assert.match(start('x'.repeat(octets)).warnings.join(), /^OTEN_CLIENT_SECRET: has fewer than the 32 octets/)
  }
  const short = 'c4nary-15-chars'
  assertRefused({ ...HS256, OTEN_CLIENT_SECRET: short }, 'OTEN_CLIENT_SECRET', /16 octets or more for HS256/, [short])
})

test('RO-16 octets of UTF-8 count, not characters', () => {
  assert.deepEqual(loadConfig({ ...HS256, OTEN_CLIENT_SECRET: 'ä'.repeat(16) }).warnings, [])
  assert.deepEqual(findFaults({ ...HS256, OTEN_CLIENT_SECRET: '€'.repeat(5) }).length, 1)
  assert.deepEqual(findFaults({ ...HS256, OTEN_CLIENT_SECRET: '€€€€€x' }), [])
})

test('RO-16 the secret is taken as it is', () => {
  for (const secret of [
    ' leading and trailing, and a comma \n',
    'c2VjcmV0\r\n',
    '%20',
    '"quoted"',
    'é'.normalize('NFD'),
  ]) {
    assert.equal(loadConfig({ ...VALID_ENV, OTEN_CLIENT_SECRET: secret }).secrets.current().clientSecret, secret)
  }
})

test('without HS256 a secret of any length will do, with no warning', () => {
  const config = loadConfig({ ...VALID_ENV, OTEN_CLIENT_SECRET: 'x' })
  assert.equal(config.secrets.current().clientSecret, 'x')
  assert.deepEqual(config.warnings, [])
})

test('the secret is needed unless a key does both: request objects and client authentication', () => {
  const none: Env = { ...VALID_ENV, OTEN_CLIENT_SECRET: undefined }
  const asserting = { OTEN_TOKEN_AUTH: 'private_key_jwt', CLIENT_ASSERTION_KEYS: makeJwk() }
  for (const OTEN_TOKEN_AUTH of ['auto', 'client_secret_basic', 'client_secret_post']) {
    assertRefused({ ...none, OTEN_TOKEN_AUTH }, 'OTEN_CLIENT_SECRET', /is required/)
  }
  assertRefused({ ...none, ...asserting, JAR_ALG: 'HS256', JAR_KEYS: '' }, 'OTEN_CLIENT_SECRET', /is required/)
  for (const JAR_ALG of ['EdDSA', 'Ed25519']) assert.deepEqual(findFaults({ ...none, ...asserting, JAR_ALG }), [])
})

test('RO-02 the keys that the chosen algorithms need are required', () => {
  assertRefused({ ...VALID_ENV, JAR_KEYS: '' }, 'JAR_KEYS', /is required for JAR_ALG=EdDSA/)
  assertRefused({ ...VALID_ENV, JAR_KEYS: '', JAR_ALG: 'Ed25519' }, 'JAR_KEYS', /is required for JAR_ALG=Ed25519/)
  assertRefused({ ...VALID_ENV, OTEN_TOKEN_AUTH: 'private_key_jwt' }, 'CLIENT_ASSERTION_KEYS', /is required/)
  assert.deepEqual(findFaults({ ...HS256, OTEN_CLIENT_SECRET: 'x'.repeat(32) }), [])
})

test('RO-01 RO-02 an unknown algorithm is the only fault told: what it needs is not known', () => {
  assertRefused({ ...VALID_ENV, JAR_ALG: 'none', JAR_KEYS: '' }, 'JAR_ALG', /one of/)
  assertRefused({ ...VALID_ENV, OTEN_TOKEN_AUTH: 'none', OTEN_CLIENT_SECRET: '' }, 'OTEN_TOKEN_AUTH', /one of/)
})

test('RO-18 no key and no kid serves both purposes', () => {
  const both = (CLIENT_ASSERTION_KEYS: string): Env => ({
    ...VALID_ENV,
    OTEN_TOKEN_AUTH: 'private_key_jwt',
    JAR_KEYS: JSON.stringify({ ...RFC_8037_JWK, kid: 'c4nary' }),
    CLIENT_ASSERTION_KEYS,
  })
  for (const keys of [JSON.stringify({ ...RFC_8037_JWK, kid: 'other' }), makeJwk({ kid: 'c4nary' })]) {
    assertRefused(both(keys), 'CLIENT_ASSERTION_KEYS', /serves one purpose only/, ['c4nary', RFC_8037_THUMBPRINT])
  }
  const { jarKeys, assertionKeys } = loadConfig(both(makeJwk({ kid: 'other' }))).secrets.current()
  assert.deepEqual([jarKeys[0]?.kid, assertionKeys[0]?.kid], ['c4nary', 'other'])
})

test('JAR_KEY_ID names no assertion key', () => {
  const env = {
    ...VALID_ENV,
    OTEN_TOKEN_AUTH: 'private_key_jwt',
    CLIENT_ASSERTION_KEYS: makeJwk(),
    JAR_KEY_ID: 'oten-7',
  }
  const { jarKeys, assertionKeys } = loadConfig(env).secrets.current()
  assert.equal(jarKeys[0]?.kid, 'oten-7')
  assert.notEqual(assertionKeys[0]?.kid, 'oten-7')
})

test('a JAR_KEY_ID against the kid of the key is refused', () => {
  const JAR_KEYS = JSON.stringify({ ...RFC_8037_JWK, kid: 'c4nary' })
  assertRefused({ ...VALID_ENV, JAR_KEYS, JAR_KEY_ID: 'other' }, 'JAR_KEYS', /JAR_KEY_ID contradicts/, [
    'c4nary',
    'other',
  ])
})

test('KY-07 JAR_ALG=Ed25519 gives the public keys that name', () => {
  const { jarKeys } = loadConfig({ ...VALID_ENV, JAR_ALG: 'Ed25519' }).secrets.current()
  assert.equal(jarKeys[0]?.publicJwk.alg, 'Ed25519')
})

test('keys that sign nothing start with a warning', () => {
  const warn = (env: Env) => loadConfig({ ...VALID_ENV, OTEN_CLIENT_SECRET: 'x'.repeat(32), ...env }).warnings.join()
  assert.match(warn({ JAR_ALG: 'HS256' }), /^JAR_KEYS: is published but signs nothing/)
  assert.match(warn({ JAR_ALG: 'HS256', JAR_KEYS: '', JAR_KEY_ID: 'x' }), /^JAR_KEY_ID: names no key/)
  assert.match(warn({ CLIENT_ASSERTION_KEYS: makeJwk() }), /^CLIENT_ASSERTION_KEYS: is published but signs nothing/)
})

test('SESSION_KEYS: the first seals; each is named by its hash', () => {
  const keys = [makeKey(), makeKey()]
  const { sessionKeys } = loadConfig({ ...VALID_ENV, SESSION_KEYS: keys.join(', ') }).secrets.current()
  assert.deepEqual(
    sessionKeys.map(({ key }) => key.toString('base64url')),
    keys,
  )
  for (const { id, key } of sessionKeys) {
    assert.equal(id, createHash('sha256').update(key).digest('base64url').slice(0, 8))
  }
})

const once = makeKey()
const REFUSED_SESSION_KEYS: readonly (readonly [what: string, value: string, reason: RegExp])[] = [
  ['31 octets', randomBytes(31).toString('base64url'), /entry 1 must be exactly 32 random bytes/],
  ['33 octets', randomBytes(33).toString('base64url'), /exactly 32 random bytes/],
  ['hex', randomBytes(32).toString('hex'), /exactly 32 random bytes/],
  ['padding', `${makeKey()}=`, /without padding/],
  ['plain base64', `${'+/'.repeat(21)}A`, /write - for \+ and _ for \//],
  ['other characters', `${makeKey().slice(1)}!`, /exactly 32 random bytes/],
  ['bits beyond the 256', `${'AB'.repeat(21)}B`, /exactly 32 random bytes/],
  ['zeros', Buffer.alloc(32).toString('base64url'), /is not random/],
  ['one octet repeated', Buffer.alloc(32, 7).toString('base64url'), /is not random/],
  ['the same key twice', `${once},${makeKey()},${once}`, /same key twice/],
  ['an empty entry', `${once},,${makeKey()}`, /entry 2 is empty/],
  ['only a comma', `${once},`, /entry 2 is empty/],
]

for (const [what, value, reason] of REFUSED_SESSION_KEYS) {
  test(`SESSION_KEYS with ${what} is refused, and not shown`, () => {
    assertRefused({ ...VALID_ENV, SESSION_KEYS: value }, 'SESSION_KEYS', reason, value.split(',').filter(Boolean))
  })
}
