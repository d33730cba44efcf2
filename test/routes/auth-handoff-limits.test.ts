import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPhone } from '../flows/phone.ts'
import { openBrowser, sendPlain } from '../flows/steps.ts'
import { createWorld, SPA } from '../support/world.ts'

test('MH-14: redemptions are limited per address, with 429 and Retry-After', async (t) => {
  const world = await createWorld(t, { env: { RATE_LIMIT_PER_MINUTE: '3' } })
  const phone = createPhone(world)
  const { code } = await phone.signIn('ada')
  const answers = [await phone.redeem('guess'), await phone.redeem('guess'), await phone.redeem('guess')]
  assert.deepEqual(
    answers.map(({ status }) => status),
    [400, 400, 400],
  )
  const limited = await phone.redeem(code)
  assert.equal(limited.status, 429)
  assert.equal(limited.json().error, 'rate_limited')
  assert.match(String(limited.headers.get('retry-after')), /^([1-9]|[1-5]\d|60)$/)
  assert.equal(limited.headers.get('cache-control'), 'no-store')
})

test('MH-14: a redemption reads no cookie: neither does one help, nor is its session touched', async (t) => {
  const world = await createWorld(t)
  const browser = openBrowser(world)
  await browser.signIn('grace')
  const cookie = `oten_session=${await browser.cookie('oten_session')}`
  const phone = createPhone(world)
  const { code } = await phone.signIn('ada')
  const redeem = (value: string) =>
    sendPlain(world, '/auth/handoff', {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie },
      body: JSON.stringify({ code: value, code_verifier: phone.verifier, session: 'token' }),
    })
  assert.equal((await redeem('x'.repeat(43))).status, 400)
  const answer = await redeem(code)
  assert.equal((answer.json().user as { sub: string }).sub, 'ada')
  assert.deepEqual(answer.setCookies, [])
  assert.equal((await browser.session()).authenticated, true)
})

test('CS-06: a preflight for a redemption is answered for a listed origin alone', async (t) => {
  const world = await createWorld(t)
  const ask = (origin: string) =>
    sendPlain(world, '/auth/handoff', {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    })
  assert.equal((await ask(SPA)).headers.get('access-control-allow-origin'), SPA)
  assert.equal((await ask('https://evil.example')).headers.get('access-control-allow-origin'), null)
})

test('BL-13: a code whose IdP session was logged out before the redemption gives no session', async (t) => {
  const world = await createWorld(t)
  const browser = openBrowser(world)
  await browser.signIn('ada')
  const phone = createPhone(world, { browser })
  const { code } = await phone.signIn('ada')
  await browser.fetch('/auth/logout', { method: 'POST' })
  const answer = await phone.redeem(code, { session: 'token' })
  assert.equal(answer.status, 400)
  assert.equal(answer.json().error, 'invalid_grant')
  for await (const key of world.store.scan('session:')) assert.fail(`${key} is left`)

  const again = await phone.signIn('ada')
  assert.equal((await phone.redeem(again.code)).status, 200, 'what begins after the logout comes alive')
})

test('SC-13: when the store does not answer a redemption is 503, and does not say that the code is wrong', async (t) => {
  const world = await createWorld(t)
  const phone = createPhone(world)
  const { code } = await phone.signIn('ada')
  await world.store.close()
  const answer = await phone.redeem(code)
  assert.equal(answer.status, 503)
  assert.equal(answer.json().error, 'store_unavailable')
  assert.match(String(answer.headers.get('retry-after')), /^[1-9]\d*$/)
})

test('the log says why a redemption failed, without the code and the verifier', async (t) => {
  const world = await createWorld(t)
  const phone = createPhone(world)
  const { code } = await phone.signIn('ada')
  const { error_id: id } = (await phone.redeem(code, { code_verifier: 'canary'.repeat(8) })).json()
  const line = world.logs.find((text) => text.includes(`"request_id":"${id}"`) && text.includes('request refused'))
  assert.match(String(line), /wrong_verifier/)
  assert.ok(!world.logs.join('').includes(code))
  assert.doesNotMatch(world.logs.join(''), /canary/)
})
