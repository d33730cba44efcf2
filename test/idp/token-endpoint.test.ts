import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BffError } from '../../src/errors.ts'
import { SignInRefused } from '../../src/idp/tokens.ts'
import { buildIdp } from './build-idp.ts'
import { signJws } from './hostile-idp.ts'

test('ID-10 the second check takes the time from the clock that was given, also for nbf', async (t) => {
  const { idp, grant, claims, key, time, redeemInput } = await buildIdp(t)
  for (const jump of [0, -400 * 86_400, 800 * 86_400]) {
    time.now += jump
    grant({ id_token: signJws(claims({ nbf: time.now }), key) })
    assert.equal((await idp.redeemCode(redeemInput())).idTokenClaims.nbf, time.now)
  }
})

test('TX-11 the operator’s alert says which error, which method and what to look at; other errors are no alert', async (t) => {
  const { idp, hostile, log, redeemInput } = await buildIdp(t)
  const errors = () => log.lines.filter(({ level }) => level === 'error')
  for (const error of ['invalid_client', 'unauthorized_client']) {
    hostile.on('/token', () => ({ status: 400, body: { error } }))
    await assert.rejects(idp.redeemCode(redeemInput()), SignInRefused)
    const alert = { oauth_error: error, tokenAuthMethod: 'client_secret_basic', alert: 'idp_client_refused' }
    assert.deepEqual(errors().at(-1)?.fields, alert)
    assert.match(errors().at(-1)?.message ?? '', /client secret or the assertion keys, OTEN_TOKEN_AUTH, .*whitelist/)
  }
  hostile.on('/token', () => ({ status: 400, body: { error: 'invalid_grant' } }))
  await assert.rejects(idp.redeemCode(redeemInput()), SignInRefused)
  assert.equal(errors().length, 2)
})

test('LG-05 the log can tell a refusal by the IdP from an outage, and each from the other of its kind', async (t) => {
  const { idp, hostile, redeemInput } = await buildIdp(t)
  const failure = () => idp.redeemCode(redeemInput()).catch((error: unknown) => error)
  hostile.on('/token', () => ({ status: 400, body: { error: 'invalid_grant' } }))
  const refused = await failure()
  assert.ok(refused instanceof SignInRefused)
  assert.equal(refused.message, 'sign-in refused: invalid_grant')
  hostile.on('/token', () => ({ status: 503 }))
  const outage = await failure()
  assert.ok(outage instanceof BffError)
  assert.equal(outage.message, 'token endpoint answered 503')
})
