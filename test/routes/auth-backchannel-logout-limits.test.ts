import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reachCallback } from '../flows/steps.ts'
import type { Answer } from '../support/browser.ts'
import { assertDone, build, isSignedIn } from './build-backchannel-logout.ts'

for (const target of [{ sub: 'ada' }, 'sid'] as const) {
  test(`BL-13: a sign-in that a logout by ${target === 'sid' ? 'sid' : 'sub'} overtakes does not come alive`, async (t) => {
    const { world, sign, send } = await build(t)
    const { browser, url } = await reachCallback(world)
    // While the code is being redeemed, the user is signed out at the IdP.
    let sent: Promise<Answer> | undefined
    world.simulator.faults.alterIdToken = (claims) => {
      sent = send(sign(target === 'sid' ? { sid: claims.sid } : target))
      return {}
    }
    world.simulator.faults.token = { kind: 'delay', delayMs: 500, after: true }
    const answer = await browser.navigate(url.href)
    assertDone(await (sent as Promise<Answer>))
    assert.notEqual(answer.status, 200)
    assert.equal(await isSignedIn(browser), false)
    world.simulator.faults.clear()
    await browser.signIn('ada')
    assert.equal(await isSignedIn(browser), true, 'one that starts later does')
  })
}

test('BL-14: a thousand invented key ids are one look at the JWKS per interval', async (t) => {
  const { world, sign, send } = await build(t, { env: { RATE_LIMIT_PER_MINUTE: '0' } })
  assertDone(await send(sign({ sid: 'any' })))
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() }) // However slow the machine: one interval.
  const before = world.simulator.stats.jwksRequests
  for (let batch = 0; batch < 20; batch++) {
    const tokens = Array.from({ length: 50 }, (_, at) => sign({ sid: 'any' }, { kid: `invented-${batch}-${at}` }))
    for (const answer of await Promise.all(tokens.map((token) => send(token)))) assert.equal(answer.status, 400)
  }
  assert.equal(world.simulator.stats.jwksRequests - before, 1)
  world.advance(10)
  await send(sign({ sid: 'any' }, { kid: 'invented-later' }))
  assert.equal(world.simulator.stats.jwksRequests - before, 2)
})

test('BL-14: one address gets 600 in a minute, then 429 with Retry-After', async (t) => {
  const { send } = await build(t)
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const answers = await Promise.all(Array.from({ length: 601 }, () => send('nonsense')))
  const limited = answers.filter(({ status }) => status === 429)
  assert.equal(limited.length, 1)
  assert.match(String(limited[0]?.headers.get('retry-after')), /^[1-9]\d?$/)
})
