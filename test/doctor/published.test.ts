import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Config, loadConfig } from '../../src/config.ts'
import {
  checkAudience,
  checkClientAuthentication,
  checkCodeFlow,
  checkIdTokenAlgorithms,
  checkLogout,
  checkRequestObjects,
} from '../../src/doctor/published.ts'
import { foreseeRegistrations, listRegistrations } from '../../src/doctor/registration.ts'
import { VALID_ENV } from '../config/valid-env.ts'
import { createKey } from '../support/env.ts'
import { assertCheck } from './patient.ts'

const ISSUER = 'https://account.sbx.oten.dev'
const OTEN = 'https://account.oten.com'

const load = (env: Record<string, string> = {}): Config => loadConfig({ ...VALID_ENV, ...env })

test('doctor reads what discovery says of request objects', () => {
  const name = 'request objects'
  const check = (document: Record<string, unknown>, alg: Config['requestObject']['alg'] = 'EdDSA') =>
    checkRequestObjects({ ...document }, alg)
  const algs = (...list: string[]) => ({ request_object_signing_alg_values_supported: list })
  assertCheck(check({}), 'ok', name, /does not say which algorithms/)
  assertCheck(check(algs('EdDSA')), 'ok', name, /^EdDSA is announced; they are optional$/)
  const required = { ...algs('HS256'), require_signed_request_object: true }
  assertCheck(check(required, 'HS256'), 'ok', name, /^HS256 is announced; signed ones are required$/)
  assertCheck(check(algs('Ed25519')), 'warn', name, /its other name only, Ed25519/, /set JAR_ALG=Ed25519 if/)
  assertCheck(check(algs('EdDSA'), 'Ed25519'), 'warn', name, /its other name only, EdDSA/, /set JAR_ALG=EdDSA if/)
  assertCheck(check(algs('EdDSA'), 'HS256'), 'FAIL', name, /HS256 is not among .* \(EdDSA\)/, /set JAR_ALG/)
  assertCheck(check(algs()), 'FAIL', name, /\(none\)/, /set JAR_ALG/)
})

test('doctor knows the two audiences that Oten documents, and warns of any other', () => {
  const check = (audience: string | undefined) => [checkAudience(audience, ISSUER)]
  assertCheck(check(undefined), 'ok', 'audience', /for https:\/\/account\.sbx\.oten\.dev$/)
  assertCheck(check(ISSUER), 'ok', 'audience', /for https:\/\/account\.sbx\.oten\.dev$/)
  assertCheck(check(OTEN), 'ok', 'audience', /\(JAR_AUDIENCE\), as Oten documents/)
  assertCheck(check(`${ISSUER}/`), 'warn', 'audience', /neither the issuer nor/, /leave JAR_AUDIENCE unset/)
})

test('doctor warns where PKCE or the ID-token algorithms are not announced at all', () => {
  const flow = [checkCodeFlow({ response_types_supported: ['code'] })]
  assertCheck(flow, 'warn', 'code flow', /PKCE is not announced/, /sends S256 anyway/)
  assertCheck([checkIdTokenAlgorithms({})], 'warn', 'ID tokens', /does not say/, /EdDSA is what is accepted/)
  const ed25519 = { id_token_signing_alg_values_supported: ['RS256', 'Ed25519'] }
  assertCheck([checkIdTokenAlgorithms(ed25519)], 'ok', 'ID tokens', /^Ed25519 is announced$/)
})

test('doctor holds OTEN_TOKEN_AUTH against the announced methods', () => {
  const name = 'client authentication'
  const check = (env: Record<string, string>, methods?: string[], algs?: string[]) => [
    checkClientAuthentication(
      {
        token_endpoint_auth_methods_supported: methods,
        token_endpoint_auth_signing_alg_values_supported: algs,
      },
      load(env),
    ),
  ]
  assertCheck(check({}), 'ok', name, /^client_secret_basic, chosen by auto; the document does not say/)
  assertCheck(check({}, ['client_secret_post']), 'ok', name, /^client_secret_post, chosen by auto$/)
  const basic = { OTEN_TOKEN_AUTH: 'client_secret_basic' }
  const unannounced = check(basic, ['client_secret_post'])
  assertCheck(unannounced, 'warn', name, /is not announced \(client_secret_post\)/, /set OTEN_TOKEN_AUTH to auto/)
  const jwt = { OTEN_TOKEN_AUTH: 'private_key_jwt', CLIENT_ASSERTION_KEYS: createKey().privateJwk }
  assertCheck(
    check(jwt, ['private_key_jwt'], ['RS256']),
    'warn',
    name,
    /neither EdDSA nor Ed25519/,
    /client_secret_basic/,
  )
  assertCheck(check(jwt, ['private_key_jwt'], ['EdDSA']), 'ok', name, /^private_key_jwt, by OTEN_TOKEN_AUTH$/)
})

test('doctor reads what becomes of a logout', () => {
  const endpoints = { end_session_endpoint: `${OTEN}/logout`, revocation_endpoint: `${OTEN}/revoke` }
  const name = 'back-channel logout'
  const both = checkLogout({ ...endpoints, backchannel_logout_supported: true }, 'auto')
  assertCheck(both, 'ok', 'logout', /a sign-out goes on to Oten/)
  assertCheck(both, 'ok', 'revocation', /are revoked/)
  assertCheck(both, 'ok', name, /^on, and announced \(BACKCHANNEL_LOGOUT=auto\)$/)
  assertCheck(checkLogout(endpoints, 'auto'), 'ok', name, /^off, since it is not announced/)
  assertCheck(checkLogout(endpoints, 'on'), 'warn', name, /and not announced/, /set BACKCHANNEL_LOGOUT=auto/)
  assertCheck(checkLogout({ ...endpoints, backchannel_logout_supported: true }, 'off'), 'ok', name, /^off, by/)
  assertCheck(checkLogout({}, 'auto'), 'warn', 'logout', /no end_session_endpoint/, /ask Oten support/)
})

test('doctor prints the URIs to register as the service uses them', () => {
  const own = 'https://app.example.com'
  const list = (env: Record<string, string>) => listRegistrations(load(env)).map(({ detail }) => detail)
  assert.deepEqual(list({ POST_LOGOUT_REDIRECT_URI: 'https://www.example.com/bye', BACKCHANNEL_LOGOUT: 'on' }), [
    `redirect URI ${own}/auth/callback`,
    'logout URI https://www.example.com/bye',
    `back-channel logout URI ${own}/auth/backchannel-logout, where Oten offers it`,
  ])
  assert.match(list({ BACKCHANNEL_LOGOUT: 'off' })[2] ?? '', /^no back-channel logout URI/)
  assert.equal(foreseeRegistrations({ PUBLIC_URL: own })[0]?.detail, `redirect URI ${own}/auth/callback`)
  assert.deepEqual(foreseeRegistrations({ PUBLIC_URL: `${own}/` }), [])
})
