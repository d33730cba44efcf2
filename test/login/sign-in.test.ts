import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { loadConfig } from '../../src/config.ts'
import { BffError } from '../../src/errors.ts'
import type { Idp } from '../../src/idp/idp.ts'
import { SignInRefused } from '../../src/idp/tokens.ts'
import { parseReturnTo } from '../../src/login/return-to.ts'
import { beginSignIn, completeSignIn } from '../../src/login/sign-in.ts'
import { createTransactions, type SignInTarget } from '../../src/login/transaction.ts'
import { createSeal } from '../../src/session/seal.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { baseEnv, createKey } from '../support/env.ts'

const issuer = 'https://idp.example'
const config = loadConfig({
  ...baseEnv(),
  PUBLIC_URL: 'https://app.example.com',
  OTEN_ISSUER: issuer,
  JAR_KEYS: createKey().privateJwk,
})
const authorizationEndpoint = `${issuer}/authorize`
const metadata = { issuer, authorizationEndpoint, as: { issuer, authorization_endpoint: authorizationEndpoint } }
const PAGE: SignInTarget = {
  kind: 'browser',
  returnTo: parseReturnTo('/inbox', { publicUrl: config.publicUrl, allowedOrigins: [] }),
}
const APP: SignInTarget = { kind: 'app', app: 'ios', codeChallenge: 'c'.repeat(43), state: 's' }

const TOKENS = {
  accessToken: 'the-access-token',
  accessTokenExpiresAt: 1_700_003_600,
  refreshToken: 'the-refresh-token',
  refreshTokenExpiresAt: 1_700_086_400,
  idToken: 'the.id.token',
  idTokenClaims: { iss: issuer, sub: 'ada', sid: 'the-sid', name: 'Ada', secret_claim: 'canary' },
  scope: 'openid',
}

/** A sign-in begun at an IdP whose answer to the code is the test's. */
async function build(target: SignInTarget, redeemCode: Idp['redeemCode']) {
  const now = (): number => 1_700_000_000.7
  const seal = createSeal(() => config.secrets.current().sessionKeys)
  const transactions = createTransactions({ store: createMemoryStore({ now }), seal, now })
  const idp = { metadata: { get: async () => metadata }, redeemCode } as unknown as Idp
  const deps = { config, idp, transactions, now }
  const begun = await beginSignIn(deps, target, { loginHint: 'ada@example.com', maxAge: 60 }, 'earlier-key')
  const { state = '' } = decodeJwt<{ state?: string }>(
    new URL(begun.authorizationUrl).searchParams.get('request') ?? '',
  )
  const transaction = await transactions.take(state, begun.cookie.value)
  assert.ok(transaction)
  const complete = (query: Record<string, string> = { code: 'the-code' }, given = transaction) =>
    completeSignIn(deps, given, new URLSearchParams({ state, iss: issuer, ...query }))
  return { begun, transaction, complete }
}

test('a begun sign-in says how long its URL is good for, and remembers what the answer is held against', async () => {
  const { begun, transaction } = await build(PAGE, async () => TOKENS)
  assert.equal(begun.expiresInS, 114)
  assert.equal(new URL(begun.authorizationUrl).origin, issuer)
  const { issuer: asked, redirectUri, maxAge, earlierSessionKey, target } = transaction
  assert.deepEqual([asked, redirectUri], [issuer, `${config.publicUrl}/auth/callback`])
  assert.deepEqual([maxAge, earlierSessionKey, target], [60, 'earlier-key', PAGE])
})

test('a completed sign-in has all that a session needs: of the claims, those that the configuration lets out', async () => {
  const asked: unknown[] = []
  const { transaction, complete } = await build(PAGE, async (input) => {
    asked.push({ ...input, parameters: Object.fromEntries(input.parameters) })
    return TOKENS
  })
  const { idTokenClaims: _claims, refreshTokenExpiresAt, ...tokens } = TOKENS
  assert.deepEqual(await complete(), {
    kind: 'signed-in',
    session: {
      issuer,
      sub: 'ada',
      sid: 'the-sid',
      claims: { sub: 'ada', name: 'Ada' },
      tokens: { ...tokens, obtainedAt: 1_700_000_000 },
      refreshTokenExpiresAt,
    },
  })
  const { redirectUri, codeVerifier, nonce } = transaction
  const parameters = { state: transaction.state, iss: issuer, code: 'the-code' }
  const rest = { scope: config.idp.scope, maxAge: 60, acrValues: undefined }
  assert.deepEqual(asked, [{ parameters, redirectUri, codeVerifier, nonce, ...rest }])
})

test('a sign-in of an app says whose it is, one of a browser names no app', async () => {
  const ofApp = await (await build(APP, async () => TOKENS)).complete()
  assert.equal(ofApp.kind === 'signed-in' && ofApp.session.app, 'ios')
  const ofPage = await (await build(PAGE, async () => TOKENS)).complete()
  assert.ok(ofPage.kind === 'signed-in' && !('app' in ofPage.session))
})

test('CB-12: an answer is not taken from another issuer than was asked', async () => {
  let calls = 0
  const { transaction, complete } = await build(PAGE, async () => {
    calls += 1
    return TOKENS
  })
  const outcome = await complete({ code: 'the-code' }, { ...transaction, issuer: 'https://other.example' })
  assert.deepEqual(outcome, { kind: 'failed', error: 'sign_in_failed', reason: 'issuer_changed' })
  assert.equal(calls, 0)
})

test('what goes wrong with the code has its own outcome: refused, IdP away, or a fault of ours that is not hidden', async () => {
  const fail = async (error: Error) => (await build(PAGE, async () => Promise.reject(error))).complete()
  assert.deepEqual(await fail(new SignInRefused('nonce')), {
    kind: 'failed',
    error: 'sign_in_failed',
    reason: 'nonce',
  })
  assert.deepEqual(await fail(new BffError('idp_unavailable', 'no answer')), {
    kind: 'failed',
    error: 'idp_unavailable',
    reason: 'no answer',
  })
  await assert.rejects(fail(new BffError('store_unavailable', 'away')), { code: 'store_unavailable' })
  await assert.rejects(fail(new TypeError('a fault')), TypeError)
  const other = Object.assign(new Error('not ours'), { code: 'idp_unavailable' })
  await assert.rejects(fail(other), /not ours/)
})

test('CB-06: an error of the IdP is handed on as one of the known words', async () => {
  const { complete } = await build(PAGE, async () => TOKENS)
  const outcome = await complete({ error: 'access_denied', error_description: '<script>' })
  assert.equal(outcome.kind === 'failed' && outcome.error, 'access_denied')
})
