import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertCheck, createPatient, diagnose, findTroubles } from './patient.ts'

/** Lines of a service that does not run, which is so in all of these tests. */
const NOT_RUNNING = 'warn own keys'

test('doctor names an issuer that differs by a slash, and tries the rest as if it were corrected', async (t) => {
  const { env, simulator } = await createPatient(t)
  const checks = await diagnose({ ...env, OTEN_ISSUER: `${simulator.issuer}/` })
  assertCheck(checks, 'FAIL', 'issuer', /they differ only by a trailing slash/, new RegExp(`=${simulator.issuer}$`))
  assertCheck(checks, 'ok', 'authorization request', /accepted/)
  assertCheck(checks, 'ok', 'audience', new RegExp(`for ${simulator.issuer}$`))
  assert.deepEqual(findTroubles(checks), [NOT_RUNNING, 'FAIL issuer'])
})

test('doctor sends neither a request nor a secret where another issuer answers', async (t) => {
  const { env, simulator } = await createPatient(t)
  simulator.faults.discovery = { kind: 'wrong-issuer' }
  const checks = await diagnose(env)
  assertCheck(checks, 'FAIL', 'issuer', /"https:\/\/impostor\.example" in the metadata/, /set OTEN_ISSUER to exactly/)
  assertCheck(checks, 'warn', 'identity provider', /are not checked/, /correct the issuer/)
  assert.deepEqual(findTroubles(checks), [NOT_RUNNING, 'FAIL issuer', 'warn identity provider'])
  assert.equal(simulator.stats.authorizeRequests, 0)
  assert.deepEqual(simulator.stats.tokenRequests, {})
})

const FAULTS = [
  { fault: { kind: 'no-s256' }, name: 'code flow', detail: /lacks S256 \(plain\)/, remedy: /ask Oten support/ },
  { fault: { kind: 'alter', set: { response_types_supported: ['token'] } }, name: 'code flow', detail: /lacks code/ },
  { fault: { kind: 'missing', members: ['response_types_supported'] }, name: 'code flow', detail: /lacks code/ },
  { fault: { kind: 'no-request-parameter' }, name: 'request objects', detail: /parameter_supported is false/ },
  {
    fault: { kind: 'other-request-object-algs' },
    name: 'request objects',
    detail: /EdDSA is not among the announced algorithms \(RS256 ES256\)/,
    remedy: /set JAR_ALG/,
  },
  {
    fault: { kind: 'alter', set: { id_token_signing_alg_values_supported: ['RS256'] } },
    name: 'ID tokens',
    detail: /neither EdDSA nor Ed25519 is announced \(RS256\)/,
  },
  {
    fault: { kind: 'alter', set: { token_endpoint_auth_methods_supported: ['tls_client_auth'] } },
    name: 'client authentication',
    detail: /no announced method is configured here \(tls_client_auth\)/,
    remedy: /set OTEN_TOKEN_AUTH/,
  },
  {
    fault: { kind: 'alter', set: { code_challenge_methods_supported: 'S256' } },
    name: 'metadata',
    detail: /code_challenge_methods_supported is not a list/,
  },
] as const

for (const { fault, name, detail, ...rest } of FAULTS) {
  const what = 'set' in fault ? JSON.stringify(fault.set) : fault.kind
  test(`doctor fails on discovery with ${what}, and still tries both endpoints`, async (t) => {
    const { env, simulator } = await createPatient(t)
    simulator.faults.discovery = { ...fault } as typeof simulator.faults.discovery
    const checks = await diagnose(env)
    assertCheck(checks, 'FAIL', name, detail, 'remedy' in rest ? rest.remedy : /ask Oten support/)
    assertCheck(checks, 'ok', 'authorization request', /accepted/)
    assertCheck(checks, 'ok', 'token endpoint', /authenticated/)
    assert.equal(findTroubles(checks).filter((trouble) => trouble.startsWith('FAIL')).length, 1)
    assert.equal(simulator.stats.discoveryRequests, 1)
  })
}

test('doctor warns of what only serves users less well: no logout at Oten, no revocation', async (t) => {
  const { env, simulator } = await createPatient(t)
  simulator.faults.discovery = {
    kind: 'alter',
    set: { end_session_endpoint: undefined, revocation_endpoint: undefined, backchannel_logout_supported: undefined },
  }
  const checks = await diagnose(env)
  assertCheck(checks, 'warn', 'logout', /there is no end_session_endpoint/, /sign out at Oten/)
  assertCheck(checks, 'warn', 'revocation', /there is no revocation_endpoint/, /short-lived/)
  assertCheck(checks, 'ok', 'back-channel logout', /off, since it is not announced/)
  assert.deepEqual(findTroubles(checks), [NOT_RUNNING, 'warn logout', 'warn revocation'])
})

test('doctor says which endpoint is missing, and tries none', async (t) => {
  const { env, simulator } = await createPatient(t)
  simulator.faults.discovery = { kind: 'missing', members: ['token_endpoint'] }
  const checks = await diagnose(env)
  assertCheck(checks, 'FAIL', 'endpoints', /token_endpoint is missing from the metadata/, /ask Oten support/)
  assertCheck(checks, 'warn', 'identity provider', /are not checked/, /correct the endpoints/)
  assert.deepEqual(findTroubles(checks), [NOT_RUNNING, 'FAIL endpoints', 'warn identity provider'])
  assert.equal(simulator.stats.authorizeRequests, 0)
})

const ANSWERS = [
  { fault: { kind: 'status', status: 503 }, detail: /discovery answered 503/, remedy: /try again later/ },
  { fault: { kind: 'status', status: 404 }, detail: /discovery answered 404/, remedy: /set OTEN_ISSUER to the base/ },
  { fault: { kind: 'html' }, detail: /other than a JSON object/, remedy: /set OTEN_ISSUER to the base/ },
  { fault: { kind: 'truncated' }, detail: /other than a JSON object/, remedy: /set OTEN_ISSUER to the base/ },
  { fault: { kind: 'redirect' }, detail: /answered 302: redirects are not followed/, remedy: /set OTEN_ISSUER/ },
  { fault: { kind: 'reset' }, detail: /cannot be reached: the connection broke \(\w+\)/, remedy: /try again/ },
  { fault: { kind: 'huge' }, detail: /its answer is too large \(\w+\)/, remedy: /check OTEN_ISSUER/ },
] as const

for (const { fault, detail, remedy } of ANSWERS) {
  test(`doctor fails on a discovery that answers with ${JSON.stringify(fault)}`, async (t) => {
    const { env, simulator } = await createPatient(t)
    simulator.faults.discovery = { ...fault }
    const checks = await diagnose(env)
    assertCheck(checks, 'FAIL', 'issuer', detail, remedy)
    assert.deepEqual(findTroubles(checks), [NOT_RUNNING, 'FAIL issuer', 'warn identity provider'])
  })
}
