import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { createKey, startHostileIdp } from '../idp/hostile-idp.ts'
import { assertCheck, buildEnv, createPatient, diagnose } from './patient.ts'

test('doctor counts the keys of the IdP that an ID token could be verified with', async (t) => {
  const { env, simulator } = await createPatient(t)
  simulator.rotateSigningKey()
  assertCheck(await diagnose(env), 'ok', 'JWKS', /^2 usable Ed25519 keys \(2 published\)$/)
})

test('doctor sees that no key of the IdP is usable here', async (t) => {
  const idp = await startHostileIdp(t)
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
  idp.keys = [{ ...rsa, kid: 'r' }, createKey('e', 'ed448').jwk, { ...createKey('x').jwk, use: 'enc' }]
  const checks = await diagnose(buildEnv('http://localhost:9', idp.issuer))
  assertCheck(checks, 'FAIL', 'JWKS', /^no usable Ed25519 key \(3 published\)$/, /ask Oten support/)
})

test('doctor does not take keys from a failure', async (t) => {
  const idp = await startHostileIdp(t)
  idp.on('/jwks', () => ({ status: 500, body: { keys: [createKey('k').jwk] } }))
  const checks = await diagnose(buildEnv('http://localhost:9', idp.issuer))
  assertCheck(checks, 'FAIL', 'JWKS', /answered 500, without a JWK Set/, /try again later/)
})

test('doctor sees that the JWKS endpoint gives no keys, and why', async (t) => {
  const { env, simulator } = await createPatient(t)
  simulator.faults.jwks = { kind: 'html' }
  assertCheck(await diagnose(env), 'FAIL', 'JWKS', /answered 200, without a JWK Set/, /try again later/)
  simulator.faults.jwks = { kind: 'status', status: 500 }
  assertCheck(await diagnose(env), 'FAIL', 'JWKS', /answered 500, without a JWK Set/, /try again later/)
  simulator.faults.jwks = { kind: 'reset' }
  assertCheck(await diagnose(env), 'FAIL', 'JWKS', /cannot be reached: the connection broke/, /try again/)
})
