import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeFailure } from '../../src/doctor/failure.ts'
import { fetchPage } from '../../src/doctor/page.ts'
import { CLIENT_SECRET, createKey } from '../support/env.ts'
import { assertCheck, createPatient, diagnose, findTroubles, KEY_ID } from './patient.ts'

const NAME = 'authorization request'
const BASE_TROUBLES = ['warn own keys', `FAIL ${NAME}`]

for (const alg of ['HS256', 'Ed25519'] as const) {
  test(`doctor sees that a request signed with ${alg} is accepted`, async (t) => {
    const { env } = await createPatient(t, { client: { requestObjectAlg: alg } })
    const checks = await diagnose({ ...env, JAR_ALG: alg })
    assertCheck(checks, 'ok', NAME, /^accepted: the answer is a redirect to http:\S+$/)
    assertCheck(
      checks,
      'ok',
      'signing key',
      alg === 'HS256' ? /OTEN_CLIENT_SECRET/ : new RegExp(`kid ${KEY_ID}, signs`),
    )
  })
}

test('doctor sees that the signing key is not registered, and says which one it is', async (t) => {
  const { env, simulator } = await createPatient(t)
  const checks = await diagnose({ ...env, JAR_KEYS: createKey().privateJwk, JAR_KEY_ID: KEY_ID })
  const words =
    /refused with invalid_request_object: the answer is an error page \(status 400\), saying "[^"]*no registered key/
  assertCheck(checks, 'FAIL', NAME, words, new RegExp(`register the public half .*\\(now ${KEY_ID}\\)`))
  assert.deepEqual(findTroubles(checks), BASE_TROUBLES)
  assert.equal(simulator.stats.authorizeRequests, 1)
})

test('doctor sees that HS256 is refused where the client is registered for EdDSA only', async (t) => {
  const { env } = await createPatient(t)
  const { JAR_KEYS: _unused, ...rest } = env
  const checks = await diagnose({ ...rest, JAR_ALG: 'HS256' })
  const remedy = /may sign with HS256 at Oten; if not, set JAR_ALG=EdDSA and register a key; .*JAR_TYP=JWT/
  assertCheck(checks, 'FAIL', NAME, /invalid_request_object.*registered is EdDSA/, remedy)
  assert.deepEqual(findTroubles(checks), BASE_TROUBLES)
})

test('doctor sees that the client secret is wrong for HS256, at both endpoints', async (t) => {
  const { env } = await createPatient(t, { client: { requestObjectAlg: 'HS256' } })
  const { JAR_KEYS: _unused, ...rest } = env
  const checks = await diagnose({ ...rest, JAR_ALG: 'HS256', OTEN_CLIENT_SECRET: `not-${CLIENT_SECRET}` })
  assertCheck(checks, 'FAIL', NAME, /invalid_request_object/, /check OTEN_CLIENT_SECRET/)
  assertCheck(checks, 'FAIL', 'token endpoint', /invalid_client/, /check OTEN_CLIENT_SECRET/)
})

test('doctor sees that the redirect URI is not registered, and prints the one to register', async (t) => {
  const { env, publicUrl } = await createPatient(t, { client: { redirectUris: ['http://localhost:1/auth/callback'] } })
  const checks = await diagnose(env)
  const remedy = new RegExp(`^register the redirect URI ${publicUrl}/auth/callback with Oten`)
  assertCheck(checks, 'FAIL', NAME, /refused with invalid_request: .*redirect_uri is not registered/, remedy)
  assert.deepEqual(findTroubles(checks), BASE_TROUBLES)
})

test('doctor sees that the client id is unknown', async (t) => {
  const { env } = await createPatient(t)
  const checks = await diagnose({ ...env, OTEN_CLIENT_ID: 'nobody' })
  assertCheck(checks, 'FAIL', NAME, /refused with invalid_client/, /check OTEN_CLIENT_ID .*IP whitelist/)
})

test('doctor sees that a scope is not allowed, in an error that comes back to the service', async (t) => {
  const { env } = await createPatient(t)
  const checks = await diagnose({ ...env, OTEN_SCOPE: 'openid canary' })
  assertCheck(checks, 'FAIL', NAME, /refused with invalid_scope: .* a redirect back to the service/, /OTEN_SCOPE/)
})

test('doctor sees that the audience is refused, and what else Oten documents', async (t) => {
  const { env } = await createPatient(t)
  const checks = await diagnose({ ...env, JAR_AUDIENCE: 'https://account.oten.com' })
  assertCheck(checks, 'ok', 'audience', /as Oten documents/)
  assertCheck(checks, 'FAIL', NAME, /refused with invalid_request: .*aud is not the issuer/, /leave JAR_AUDIENCE unset/)
})

test('doctor sees that the authorization endpoint fails, and does not take it for a refusal of the request', async (t) => {
  const { env, simulator } = await createPatient(t)
  simulator.faults.authorize = { kind: 'status', status: 503 }
  const failing = await diagnose(env)
  assertCheck(failing, 'FAIL', NAME, /temporarily_unavailable: .*status 503/, /try again later/)
  simulator.faults.authorize = { kind: 'status', status: 429 }
  assertCheck(await diagnose(env), 'warn', NAME, /status 429/, /wait a minute/)
  simulator.faults.authorize = { kind: 'reset' }
  assertCheck(await diagnose(env), 'FAIL', NAME, /cannot be reached: the connection broke/, /try again/)
  simulator.faults.authorize = { kind: 'hang' }
  const silent = fetchPage(`${simulator.issuer}/v1/oauth/authorize`, 200)
  await assert.rejects(silent, (error) => describeFailure(error).kind === 'timeout')
})

test('doctor cannot tell a page without a form, and says so', async (t) => {
  const { env, simulator } = await createPatient(t)
  simulator.faults.authorize = { kind: 'html' }
  assertCheck(await diagnose(env), 'warn', NAME, /a page without a form \(status 200\)/, /sign in once with a browser/)
})
