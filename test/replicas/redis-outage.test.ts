import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openEvents } from '../support/event-source.ts'
import { startFleet } from '../support/fleet.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

const OUTAGE_MS = 10_000
/** Promised for the way back, without a restart (contract §7). */
const RECOVERY_MS = 10_000

/** Two replicas on a Redis that keeps its data through a restart, and a signed-in browser. */
async function build(t: TestContext) {
  const redis = await startRedis(t, ['--appendonly', 'yes', '--appendfsync', 'always'])
  const fleet = await startFleet(t, { store: redis.url })
  const browser = fleet.browser()
  return { redis, fleet, browser, faults: fleet.simulator.faults }
}

test('SC-13: while Redis is away for 10 s every answer is 503 with Retry-After, none says signed out; then all goes on', async (t) => {
  const { redis, fleet, browser } = await build(t)
  const [first, second] = fleet.replicas
  await browser.signIn('ada')
  const before = await browser.session()
  const cookie = await browser.jar.getCookieString(fleet.publicUrl)
  const events = await openEvents(t, `${second.url}/auth/events`, { cookie })
  assert.equal((await events.next())?.event, 'session')
  const underWay = fleet.browser()
  const started = await underWay.fetch('/auth/start')
  const callback = await underWay.passIdp(String(started.json().authorization_url), 'bob')

  await redis.stop()
  // Served from memory until a broken connection is noticed.
  await until(async () => {
    const answers = await Promise.all([first, second].map(({ url }) => browser.fetch(`${url}/auth/session`)))
    return answers.every(({ status }) => status === 503)
  }, 2000)
  const stoppedAt = performance.now()
  while (performance.now() - stoppedAt < OUTAGE_MS) {
    for (const { url, adminUrl } of [first, second]) {
      for (const [method, path] of [
        ['GET', '/auth/session'],
        ['GET', '/api/x/1'],
        ['GET', '/auth/sessions'],
        ['POST', '/auth/refresh'],
        ['POST', '/auth/logout'],
        ['GET', '/auth/start'],
      ] as const) {
        const answer = await browser.fetch(`${url}${path}`, { method })
        assert.equal(answer.status, 503, `${method} ${path}: ${answer.text}`)
        assert.equal(answer.json().error, 'store_unavailable')
        assert.match(String(answer.headers.get('retry-after')), /^[1-9]\d*$/)
        assert.deepEqual(answer.setCookies, [], 'no cookie is cleared')
      }
      const ready = await fetch(`${adminUrl}/health/ready`)
      assert.equal(ready.status, 503)
      const { checks } = (await ready.json()) as { checks: Record<string, { status: string; reason?: string }> }
      assert.equal(checks.store?.status, 'unavailable')
      assert.equal(checks.idp?.status, 'ok')
      assert.equal((await fetch(`${adminUrl}/health/live`)).status, 200)
    }
    await sleep(200)
  }
  await redis.restart()
  const restartedAt = performance.now()
  for (const { url, adminUrl } of [first, second]) {
    await until(async () => (await fetch(`${adminUrl}/health/ready`)).ok, RECOVERY_MS)
    const after = (await browser.fetch(`${url}/auth/session`)).json()
    assert.equal(after.session_id, before.session_id)
    assert.equal((await browser.fetch(`${url}/api/x/1`)).status, 200)
  }
  t.diagnostic(`both ready ${Math.round(performance.now() - restartedAt)} ms after Redis was back`)
  assert.ok(performance.now() - restartedAt < RECOVERY_MS)
  assert.equal((await underWay.navigate(callback)).status, 303, 'a sign-in that was at the IdP meanwhile completes')
  assert.equal((await underWay.session()).authenticated, true)
  // The subscription is back too, though perhaps a moment later.
  await until(async () => {
    assert.equal((await browser.fetch(`${first.url}/auth/refresh`, { method: 'POST' })).status, 200)
    return (await events.next(500)) !== undefined
  }, RECOVERY_MS)
})

test('RF-03: tokens that the IdP rotated while Redis was away are written when it is back, and neither replica shows the spent one', async (t) => {
  const { redis, fleet, browser, faults } = await build(t)
  const [first, second] = fleet.replicas
  faults.alterTokenResponse = (body) => ({ ...body, expires_in: 1 })
  await browser.signIn('ada')
  faults.alterTokenResponse = undefined
  await sleep(2100) // Now it is over, whichever part of a second it came in.
  const refreshes = () => fleet.simulator.stats.tokenRequests.refresh_token ?? 0
  faults.token = { kind: 'delay', delayMs: 1000, after: true, grantType: 'refresh_token', times: 1 }
  const caught = browser.fetch(`${first.url}/api/x/1`)
  await until(() => refreshes() === 1)
  await redis.stop()
  const answer = await caught
  assert.equal(answer.status, 503, answer.text)
  assert.equal(answer.json().error, 'store_unavailable')
  await sleep(7000) // The lease has run out by the clock of the restarted Redis.
  await redis.restart()
  const calls = await Promise.all(
    Array.from({ length: 20 }, async (_, n) => {
      const { url } = n % 2 === 0 ? first : second
      let status = 503
      await until(async () => {
        status = (await browser.fetch(`${url}/api/x/1`)).status
        return status !== 503
      }, 15_000)
      return status
    }),
  )
  assert.deepEqual(new Set(calls), new Set([200]))
  assert.equal(refreshes(), 1, 'the IdP was asked once')
  assert.equal((await browser.fetch(`${second.url}/auth/refresh`, { method: 'POST' })).status, 200)
  assert.equal((await browser.session()).authenticated, true)
})
