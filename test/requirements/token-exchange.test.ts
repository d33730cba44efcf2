import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPhone } from '../flows/phone.ts'
import { openBrowser } from '../flows/steps.ts'
import { buildIdp } from '../idp/build-idp.ts'
import { startApi } from '../support/api.ts'
import type { Answer } from '../support/browser.ts'
import { openEvents } from '../support/event-source.ts'
import { createWorld } from '../support/world.ts'

test('TX-04: every request to the IdP has ten seconds in all, a revocation fewer', async (t) => {
  const { idp, hostile, redeemInput, grant } = await buildIdp(t)
  const timeout = t.mock.method(AbortSignal, 'timeout')
  const { idToken } = await idp.redeemCode(redeemInput())
  grant({ id_token: undefined })
  await idp.refresh({ refreshToken: 'rt', idToken, scope: 'openid' })
  const limits = () => timeout.mock.calls.map(({ arguments: [milliseconds] }) => milliseconds)
  assert.deepEqual(
    hostile.requests.map(({ path }) => path),
    ['/.well-known/openid-configuration', '/token', '/jwks', '/token'],
  )
  assert.deepEqual(limits(), [10_000, 10_000, 10_000, 10_000])
  await idp.revoke({ token: 'rt', tokenTypeHint: 'refresh_token' })
  assert.ok(
    limits()
      .slice(4)
      .some((milliseconds) => milliseconds < 10_000),
    'nobody waits so long for a sign-out',
  )
})

test('TX-09: no access token and no refresh token is in any answer to a browser or an app, its headers and URLs included', async (t) => {
  const api = await startApi(t)
  const world = await createWorld(t, { env: { API_ROUTES: `/api/x=${api.url}` } })
  const tokens: string[] = []
  world.simulator.faults.alterTokenResponse = (body) => {
    tokens.push(String(body.access_token), String(body.refresh_token))
    return body
  }
  const answers: Answer[] = []
  const keep = async (answer: Promise<Answer>): Promise<Answer> => {
    answers.push(await answer)
    return answer
  }

  const browser = openBrowser(world)
  const started = await keep(browser.fetch('/auth/start'))
  const callback = await browser.passIdp(String(started.json().authorization_url), 'ada')
  await keep(browser.navigate(callback))
  for (const path of ['/auth/session', '/auth/session?touch=true', '/auth/sessions', '/api/x/1', '/auth/jwks.json']) {
    assert.equal((await keep(browser.fetch(path))).status, 200, path)
  }
  assert.equal((await keep(browser.fetch('/auth/refresh', { method: 'POST' }))).status, 200)
  const cookie = await browser.jar.getCookieString(world.publicUrl)
  const events = await openEvents(t, `${world.publicUrl}/auth/events`, { cookie, origin: world.publicUrl })
  const heard = JSON.stringify([await events.next(), events.headers])
  const logout = await keep(browser.fetch('/auth/logout', { method: 'POST' }))
  await keep(browser.navigate(String(logout.json().logout_url)))

  const phone = createPhone(world)
  const { answer, code } = await phone.signIn('ada')
  answers.push(answer)
  for (const session of ['token', 'cookie']) await keep(phone.redeem(code, { session }))

  assert.equal(tokens.length, 6, 'two sign-ins and a refresh')
  assert.equal(api.seen[0], `Bearer ${tokens[0]}`, 'the tokens are the ones that are used')
  const outputs = answers.map(({ headers, text }) => JSON.stringify([...headers]) + text)
  for (const token of tokens) {
    assert.ok(token.length >= 20)
    for (const output of [...outputs, heard]) assert.ok(!output.includes(token), output.slice(0, 200))
    assert.ok(!world.logs.join('').includes(token))
  }
})
