import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKey as createHostileKey, signJws, startHostileIdp } from '../idp/hostile-idp.ts'
import { CLIENT_SECRET, createKey } from '../support/env.ts'
import { assertCheck, buildEnv, createPatient, diagnose, findTroubles } from './patient.ts'

const NAME = 'token endpoint'

for (const tokenAuth of ['client_secret_basic', 'client_secret_post'] as const) {
  test(`doctor sees that the client authenticates by ${tokenAuth}, with a code that nobody issued`, async (t) => {
    const { env, simulator } = await createPatient(t, { client: { tokenAuth } })
    const checks = await diagnose({ ...env, OTEN_TOKEN_AUTH: tokenAuth })
    assertCheck(checks, 'ok', NAME, new RegExp(`^authenticated by ${tokenAuth}`))
    assertCheck(checks, 'ok', 'client authentication', new RegExp(`^${tokenAuth}, by OTEN_TOKEN_AUTH$`))
    assert.deepEqual(simulator.stats.tokenRequests, { authorization_code: 1 })
  })
}

test('doctor sees that the client authenticates by private_key_jwt, and that another key does not', async (t) => {
  const [assertion, signing] = [createKey(), createKey()]
  const keys = [assertion, signing].map(({ publicJwk }, index) => ({ ...publicJwk, kty: 'OKP', kid: `k${index}` }))
  const { env } = await createPatient(t, { client: { tokenAuth: 'private_key_jwt', jwks: { keys } } })
  const name = (key: { privateJwk: string }, kid: string): string =>
    JSON.stringify({ ...JSON.parse(key.privateJwk), kid })
  const { OTEN_CLIENT_SECRET: _unused, ...rest } = env
  const keyed = {
    ...rest,
    JAR_KEYS: name(signing, 'k1'),
    OTEN_TOKEN_AUTH: 'private_key_jwt',
    CLIENT_ASSERTION_KEYS: name(assertion, 'k0'),
  }
  assertCheck(await diagnose(keyed), 'ok', NAME, /authenticated by private_key_jwt/)
  const checks = await diagnose({ ...keyed, CLIENT_ASSERTION_KEYS: name(createKey(), 'k0') })
  assertCheck(checks, 'FAIL', NAME, /invalid_client: .* by private_key_jwt/, /public half of CLIENT_ASSERTION_KEYS/)
})

test('doctor sees a wrong client secret, and says what else looks like one', async (t) => {
  const { env, simulator } = await createPatient(t)
  const checks = await diagnose({ ...env, OTEN_CLIENT_SECRET: `not-${CLIENT_SECRET}` })
  const remedy = /check OTEN_CLIENT_SECRET, OTEN_CLIENT_ID and OTEN_TOKEN_AUTH, and whether the IP whitelist .* at Oten/
  assertCheck(checks, 'FAIL', NAME, /^invalid_client: Oten refuses this client by client_secret_basic$/, remedy)
  assert.deepEqual(findTroubles(checks), ['warn own keys', `FAIL ${NAME}`])
  assert.deepEqual(simulator.stats.tokenRequests, { authorization_code: 1 }) // A lock-out counts failures.
})

test('doctor tells an outage of the token endpoint from a refusal', async (t) => {
  const { env, simulator } = await createPatient(t)
  simulator.faults.token = { kind: 'status', status: 503 }
  assertCheck(await diagnose(env), 'FAIL', NAME, /token endpoint answered 503/, /try again later/)
  simulator.faults.token = { kind: 'status', status: 429, retryAfter: 7 }
  assertCheck(await diagnose(env), 'warn', NAME, /status 429/, /wait a minute/)
  simulator.faults.token = { kind: 'reset' }
  assertCheck(await diagnose(env), 'FAIL', NAME, /cannot be reached: the connection broke/, /try again/)
})

const REFUSALS = [
  ['unauthorized_client', 'FAIL', /may not redeem codes/, /Regular Web Application/],
  ['invalid_request', 'warn', /refused with invalid_request .* cannot be told/, /sign in once/],
  ['a word of its own', 'warn', /refused with unknown_error .* cannot be told/, /sign in once/],
] as const

for (const [error, status, detail, remedy] of REFUSALS) {
  test(`doctor on a token endpoint that answers ${error}: ${status}`, async (t) => {
    const idp = await startHostileIdp(t)
    idp.on('/token', () => ({ status: 400, body: { error } }))
    assertCheck(await diagnose(buildEnv('http://localhost:9', idp.issuer)), status, NAME, detail, remedy)
  })
}

test('doctor does not trust a token endpoint that takes an invented code', async (t) => {
  const idp = await startHostileIdp(t)
  const key = createHostileKey('k')
  idp.keys = [key.jwk]
  const tokens = { access_token: 'canary-access-token', token_type: 'Bearer', id_token: signJws({ sub: 'x' }, key) }
  idp.on('/token', () => ({ body: tokens }))
  const checks = await diagnose(buildEnv('http://localhost:9', idp.issuer))
  assertCheck(checks, 'FAIL', NAME, /an invented code was accepted/, /check OTEN_ISSUER/)
})
