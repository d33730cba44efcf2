import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { BffError } from '../../src/errors.ts'
import { verifyJws } from '../../src/idp/strict-jws.ts'
import { buildIdp } from './build-idp.ts'
import { createKey, signJws, startHostileIdp, type TestKey } from './hostile-idp.ts'

async function build(t: TestContext) {
  const world = await buildIdp(t)
  const { findKey } = world.idp.jwks
  /** True when a token signed by this key is believed. */
  const believes = (key: TestKey, header: object = { alg: 'EdDSA', kid: key.kid }): Promise<boolean> =>
    verifyJws(signJws({ sub: 'alice' }, key, header), world.idp.jwks).then(
      () => true,
      () => false,
    )
  return { ...world, findKey, believes, fetches: () => world.hostile.count('/jwks') }
}

const isUnavailable = (error: unknown): boolean => error instanceof BffError && error.code === 'idp_unavailable'

test('KY-06 many callers at once are one fetch, and the keys then serve for an hour', async (t) => {
  const { findKey, fetches, time, hostile } = await build(t)
  await Promise.all(Array.from({ length: 50 }, () => findKey({ kid: 'idp-1' })))
  time.now += 3600
  await findKey({ kid: 'idp-1' })
  assert.equal(fetches(), 1)
  assert.equal(hostile.last('/jwks').headers.accept, 'application/json')
})

test('KY-04, ID-05 a key that was rotated right after a fetch is found at once, by all who ask', async (t) => {
  const { hostile, believes, fetches, key } = await build(t)
  assert.ok(await believes(key))
  const next = createKey('idp-2')
  hostile.keys = [key.jwk, next.jwk]
  const answers = await Promise.all(Array.from({ length: 20 }, () => believes(next)))
  assert.ok(answers.every(Boolean))
  assert.equal(fetches(), 2)
})

test('KY-04 a key that was rotated between two sign-ins is found', async (t) => {
  const { hostile, believes, time, key } = await build(t)
  assert.ok(await believes(key))
  time.now += 7200
  const next = createKey('idp-2')
  hostile.keys = [next.jwk]
  assert.ok(await believes(next))
})

test('KY-05 after a successful refetch a removed key does not verify any more', async (t) => {
  const { hostile, believes, key, time, fetches } = await build(t)
  assert.ok(await believes(key))
  const next = createKey('idp-2')
  hostile.keys = [next.jwk]
  assert.ok(await believes(next)) // Its unknown id caused the refetch.
  assert.equal(await believes(key), false)
  hostile.keys = []
  time.now += 3601 // The hourly refetch, too, takes keys away: nobody's unknown id needed.
  const before = fetches()
  assert.equal(await believes(next), false)
  assert.ok(fetches() > before)
})

test('ID-05, BL-14 a thousand unknown key ids are one refetch in ten seconds', async (t) => {
  const { findKey, fetches, time, hostile } = await build(t)
  await findKey({ kid: 'idp-1' })
  const ids = Array.from({ length: 1000 }, (_, index) => `unknown-${index}`)
  const together = await Promise.all(ids.slice(0, 500).map((kid) => findKey({ kid })))
  assert.ok(together.every((key) => key === undefined))
  // Not asked for again, so nobody can say that there is no such key.
  for (const kid of ids.slice(500)) await assert.rejects(findKey({ kid }), isUnavailable)
  await assert.rejects(findKey({ kid: 'unknown' }), /^BffError: jwks: a key id that is unknown, a moment after another/)
  assert.equal(fetches(), 2)
  time.now += 9.9
  await assert.rejects(findKey({ kid: 'unknown' }), isUnavailable)
  assert.equal(fetches(), 2)
  time.now += 0.1
  const late = createKey('late')
  hostile.keys = [late.jwk]
  assert.ok(await findKey({ kid: 'late' }))
  assert.equal(fetches(), 3)
})

test('KY-03 with the IdP down the known keys serve for a day, then no longer', async (t) => {
  const { hostile, findKey, time } = await build(t)
  await findKey({ kid: 'idp-1' })
  hostile.on('/jwks', () => ({ status: 500 }))
  time.now += 24 * 3600
  assert.ok(await findKey({ kid: 'idp-1' }))
  await assert.rejects(findKey({ kid: 'unknown' }), isUnavailable)
  time.now += 1
  await assert.rejects(findKey({ kid: 'idp-1' }), isUnavailable)
})

test('KY-06 an answer that is no JWK Set, too large, too late or elsewhere is an outage, not an empty set', async (t) => {
  const thief = await startHostileIdp(t)
  const { hostile, findKey, key, time } = await build(t)
  thief.keys = [key.jwk]
  const answers: object[] = [
    { status: 500 },
    { status: 404, body: { keys: [key.jwk] } },
    { body: '<html>' },
    { body: [] },
    { body: { keys: 'none' } },
    { body: { keys: [key.jwk], padding: 'x'.repeat(1024 * 1024) } },
    { status: 302, headers: { location: `${thief.issuer}/jwks` } },
  ]
  for (const answer of answers) {
    hostile.on('/jwks', () => answer)
    await assert.rejects(findKey({ kid: 'idp-1' }), isUnavailable)
    time.now += 3
  }
  await assert.rejects(findKey({ kid: 'idp-1' }), /: GET http:.*\/jwks: answered 302/)
  hostile.on('/jwks', () => ({ status: 500 }))
  time.now += 3
  await assert.rejects(findKey({ kid: 'idp-1' }), /: jwks answered 500, without a JWK Set$/)
  assert.equal(thief.requests.length, 0)
})

test('KY-03 where the day ends while new keys are awaited in vain, there are none', async (t) => {
  const { hostile, findKey, time } = await build(t)
  await findKey({ kid: 'idp-1' })
  time.now += 3601
  hostile.on('/jwks', () => {
    time.now += 24 * 3600
    return { status: 500 }
  })
  await assert.rejects(findKey({ kid: 'idp-1' }), isUnavailable)
})

test('KY-06 entries of other kinds, and nonsense, are passed over', async (t) => {
  const { hostile, believes, key } = await build(t)
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
  const nonsense = [null, 7, 'key', [], {}, { kty: 'XYZ' }, { kty: 'OKP' }, { kty: 'OKP', crv: 'Ed25519', x: '!' }]
  hostile.keys = [...nonsense, { ...rsa, kid: 'rsa-1' }, { kty: 'oct', k: 'AAAA', kid: key.kid }, key.jwk]
  assert.ok(await believes(key))
})

const misfits: [string, (key: TestKey) => object][] = [
  ['for encryption', ({ jwk }) => ({ ...jwk, use: 'enc' })],
  ['for signing only', ({ jwk }) => ({ ...jwk, key_ops: ['sign'] })],
  ['of another algorithm', ({ jwk }) => ({ ...jwk, alg: 'ES256' })],
  ['of an HMAC algorithm', ({ jwk }) => ({ ...jwk, alg: 'HS256' })],
  ['whose private half is published', ({ privateKey, kid }) => ({ ...privateKey.export({ format: 'jwk' }), kid })],
  ['of X25519', ({ jwk }) => ({ ...jwk, crv: 'X25519' })],
  ['whose curve is no text', ({ jwk }) => ({ ...jwk, crv: [jwk.crv] })],
  ['whose octets are no text', ({ jwk }) => ({ ...jwk, x: [jwk.x] })],
  ['whose id is no text', ({ jwk }) => ({ ...jwk, kid: 7 })],
  ['cut short', ({ jwk }) => ({ ...jwk, x: String(jwk.x).slice(0, 40) })],
]
for (const [what, change] of misfits) {
  test(`ID-03, KY-06 a key ${what} verifies nothing`, async (t) => {
    const { hostile, believes, key } = await build(t)
    hostile.keys = [change(key)]
    assert.equal(await believes(key), false)
    assert.equal(await believes(key, { alg: 'EdDSA' }), false)
  })
}

test('ID-03 an Ed448 or EC key under the same id verifies nothing', async (t) => {
  const { hostile, findKey, believes, key } = await build(t)
  const ed448 = createKey(key.kid, 'ed448')
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  hostile.keys = [ed448.jwk, { ...ec, kid: key.kid }]
  assert.equal(await findKey({ kid: key.kid }), undefined)
  assert.equal(await believes(ed448), false)
})

test('ID-03, D5 a key without alg, with EdDSA or with Ed25519 verifies both names', async (t) => {
  const { hostile, believes, key, time } = await build(t)
  for (const alg of [undefined, 'EdDSA', 'Ed25519']) {
    hostile.keys = [{ ...key.jwk, alg, key_ops: ['verify'] }]
    time.now += 3601
    assert.ok(await believes(key, { alg: 'EdDSA', kid: key.kid }))
    assert.ok(await believes(key, { alg: 'Ed25519', kid: key.kid }))
  }
})

test('D8, ID-05 a token without key id is verified by the only key, and refused where there are two', async (t) => {
  const { hostile, believes, key, time } = await build(t)
  const withoutId = { alg: 'EdDSA' }
  assert.ok(await believes(key, withoutId))
  hostile.keys = [{ ...key.jwk, kid: undefined, use: undefined }] // Members that are undefined are absent in JSON.
  time.now += 3601
  assert.ok(await believes(key, withoutId))
  hostile.keys = [key.jwk, createKey('idp-2').jwk]
  time.now += 3601
  assert.equal(await believes(key, withoutId), false)
  assert.ok(await believes(key))
})

test('D8 one key listed under both algorithm names is one key; two keys of one id are none', async (t) => {
  const { hostile, believes, key, time } = await build(t)
  hostile.keys = [
    { ...key.jwk, alg: 'EdDSA' },
    { ...key.jwk, alg: 'Ed25519' },
  ]
  assert.ok(await believes(key))
  hostile.keys = [key.jwk, createKey(key.kid).jwk]
  time.now += 3601
  assert.equal(await believes(key), false)
})
