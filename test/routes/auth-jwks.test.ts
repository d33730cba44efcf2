import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { createKey } from '../support/env.ts'
import { buildStart, NAVIGATION, readError, SPA } from './build-start.ts'

const createJwk = (kid: string) => ({ ...(JSON.parse(createKey().privateJwk) as Record<string, unknown>), kid })

test('GET /auth/jwks.json: the public keys, in public members alone, cacheable for 300 s', async (t) => {
  const [first, retired, assertion] = [createJwk('jar-1'), createJwk('jar-0'), createJwk('assertion-1')]
  const { get } = await buildStart(t, {
    JAR_KEYS: JSON.stringify({ keys: [first, retired] }),
    CLIENT_ASSERTION_KEYS: JSON.stringify(assertion),
    OTEN_TOKEN_AUTH: 'private_key_jwt',
  })
  const response = await get('/auth/jwks.json')
  assert.equal(response.statusCode, 200)
  assert.equal(response.headers['content-type'], 'application/jwk-set+json; charset=utf-8')
  assert.equal(response.headers['cache-control'], 'public, max-age=300')
  assert.equal(response.headers['x-content-type-options'], 'nosniff')
  assert.equal(response.headers['referrer-policy'], 'no-referrer')
  assert.equal(response.headers['set-cookie'], undefined)
  const publish = ({ kid, x }: Record<string, unknown>) => {
    return { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' }
  }
  assert.deepEqual(response.json(), { keys: [publish(first), publish(retired), publish(assertion)] })
  for (const { d } of [first, retired, assertion] as { d?: unknown }[]) assert.ok(!response.body.includes(String(d)))
})

for (const alg of ['EdDSA', 'Ed25519'] as const) {
  test(`RO-02 RO-04: a request object signed with ${alg} verifies with what is published, and nothing else`, async (t) => {
    const keys = [createJwk('jar-1'), createJwk('jar-0')]
    const service = await buildStart(t, { JAR_ALG: alg, JAR_KEYS: JSON.stringify({ keys }) })
    const { jwt, header } = await service.start()
    assert.deepEqual(header, { alg, typ: 'oauth-authz-req+jwt', kid: 'jar-1' })
    const jwks = (await service.get('/auth/jwks.json')).json<JSONWebKeySet>()
    const currentDate = new Date(service.time.now * 1000)
    const expected = { issuer: 'bff', audience: 'https://account.oten.test', typ: 'oauth-authz-req+jwt', currentDate }
    const { payload } = await jwtVerify(jwt, createLocalJWKSet(jwks), { ...expected, algorithms: [alg] })
    assert.equal(payload.client_id, 'bff')
    await assert.rejects(jwtVerify(jwt, createLocalJWKSet({ keys: jwks.keys.slice(1) }), expected))
  })
}

test('RO-04: JAR_KEY_ID is the kid in the header and in what is published', async (t) => {
  const service = await buildStart(t, { JAR_KEY_ID: 'assigned-by-oten' })
  assert.equal((await service.start()).header.kid, 'assigned-by-oten')
  const { keys } = (await service.get('/auth/jwks.json')).json<JSONWebKeySet>()
  assert.deepEqual(
    keys.map(({ kid }) => kid),
    ['assigned-by-oten'],
  )
})

test('with HS256 and no keys the set is empty, and the secret is nowhere', async (t) => {
  const service = await buildStart(t, { JAR_ALG: 'HS256', JAR_KEYS: '' })
  const response = await service.get('/auth/jwks.json')
  assert.equal(response.statusCode, 200)
  assert.deepEqual(response.json(), { keys: [] })
  assert.deepEqual((await service.start()).header, { alg: 'HS256', typ: 'oauth-authz-req+jwt' })
})

test('KY-08: a changed key file is published and signs within 5 s, without a restart', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'jwks-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'jar-private-key.jwk.json')
  const [before, after] = [createJwk('jar-1'), createJwk('jar-2')]
  const write = (...keys: object[]): void => writeFileSync(file, JSON.stringify({ keys }), { mode: 0o600 })
  write(before)
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const service = await buildStart(t, { JAR_KEYS: '', JAR_KEYS_FILE: file })
  t.after(service.config.secrets.watch({ onChange: () => {}, onFault: () => {} }))
  assert.equal((await service.start()).header.kid, 'jar-1')
  write(after, before)
  for (let second = 0; second < 5; second++) t.mock.timers.tick(1000)
  assert.equal((await service.start()).header.kid, 'jar-2')
  const { keys } = (await service.get('/auth/jwks.json')).json<JSONWebKeySet>()
  assert.deepEqual(
    keys.map(({ kid }) => kid),
    ['jar-2', 'jar-1'],
  ) // The old one verifies what is under way.
})

test('the keys may be read from anywhere and by anyone, without a look at cookies', async (t) => {
  const { get } = await buildStart(t)
  const cross = { 'sec-fetch-site': 'cross-site', origin: 'https://elsewhere.example' }
  for (const headers of [NAVIGATION, cross, { origin: SPA }, { cookie: '__Host-Http-oten_session=x' }]) {
    const response = await get('/auth/jwks.json', { ...headers })
    assert.equal(response.statusCode, 200)
    assert.equal(response.headers['set-cookie'], undefined)
  }
})

test('HC-01 HC-06: other methods are 405 with Allow, and are not cached', async (t) => {
  const { app } = await buildStart(t)
  for (const method of ['POST', 'PUT', 'DELETE'] as const) {
    const response = await app.inject({ method, url: '/auth/jwks.json' })
    assert.equal(response.statusCode, 405)
    assert.equal(response.headers.allow, 'GET')
    assert.equal(response.headers['cache-control'], 'no-store')
    assert.equal(readError(response), 'method_not_allowed')
  }
})
