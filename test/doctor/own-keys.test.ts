import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSigningKey } from '../../src/doctor/signing-key.ts'
import { createSigningKey } from '../idp/build-idp.ts'
import { startHostileIdp } from '../idp/hostile-idp.ts'
import { createKey } from '../support/env.ts'
import { createWorld } from '../support/world.ts'
import { assertCheck, buildEnv, diagnose } from './patient.ts'

test('doctor sees that the service that runs has another key than this configuration', async (t) => {
  const key = createKey().privateJwk
  const { publicUrl, simulator } = await createWorld(t, { env: { JAR_KEYS: key } })
  const env = buildEnv(publicUrl, simulator.issuer)
  assertCheck(await diagnose({ ...env, JAR_KEYS: key }), 'ok', 'own keys', /publishes the keys of this configuration/)
  const remedy = /give the service the same JAR_KEYS and JAR_KEY_ID/
  assertCheck(await diagnose(env), 'FAIL', 'own keys', /does not publish key-of-the-patient/, remedy)
  const renamed = await diagnose({ ...env, JAR_KEYS: key, JAR_KEY_ID: 'renamed' })
  assertCheck(renamed, 'FAIL', 'own keys', /does not publish renamed/, remedy)
  const rotating = JSON.stringify({ keys: [JSON.parse(key), JSON.parse(createKey().privateJwk)] })
  assertCheck(await diagnose({ ...env, JAR_KEYS: rotating }), 'FAIL', 'own keys', /does not publish [\w-]{43}:/, remedy)
})

const NO_KEYS = [
  { status: 404, body: '<!doctype html>' },
  { status: 502, body: '<!doctype html>' },
  { status: 200, body: '<!doctype html>' },
  { status: 503, body: { keys: [] } },
]

for (const { status, body } of NO_KEYS) {
  test(`doctor takes a PUBLIC_URL that answers ${status} where its keys should be for a service that is not there yet`, async (t) => {
    const other = await startHostileIdp(t)
    other.on('/auth/jwks.json', () => ({ status, body }))
    const env = buildEnv(other.issuer, 'https://localhost:9')
    const { ALLOW_INSECURE_ISSUER: _unused, ...rest } = env
    const checks = await diagnose(rest)
    const remedy = /start the service, and let the reverse proxy send \/auth\/ of PUBLIC_URL to its PORT/
    assertCheck(checks, 'warn', 'own keys', new RegExp(`answered ${status}, without a JWK Set`), remedy)
  })
}

test('doctor sees that what the key signs cannot be verified with what is published', () => {
  const key = createSigningKey('k')
  const { publicJwk } = createSigningKey('k')
  assertCheck([checkSigningKey('EdDSA', { jarKeys: [key] })], 'ok', 'signing key', /^EdDSA, kid k, signs/)
  const mixed = [checkSigningKey('EdDSA', { jarKeys: [{ ...key, publicJwk }] })]
  assertCheck(mixed, 'FAIL', 'signing key', /cannot be verified/, /keys -- generate/)
  assert.equal(checkSigningKey('EdDSA', { jarKeys: [] }).status, 'FAIL')
})
