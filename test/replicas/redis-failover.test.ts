import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSentinel } from '../store/redis-topologies.ts'
import { openEvents } from '../support/event-source.ts'
import { startFleet } from '../support/fleet.ts'
import { askRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

/** Promised for the way back to Redis, without a restart (contract §7); the Sentinel itself takes a second to notice. */
const RECOVERY_MS = 10_000

test('SC-13: when the primary dies its replica takes over, sessions, refreshes and event streams go on, and nobody is signed out', async (t) => {
  const { url, servers } = await startSentinel(t)
  const [primary, replica] = servers
  assert.ok(primary !== undefined && replica !== undefined)
  const fleet = await startFleet(t, { store: url })
  const [first, second] = fleet.replicas
  const browsers = await Promise.all(
    Array.from({ length: 10 }, async (_, n) => {
      const browser = fleet.browser()
      assert.equal((await browser.signIn(`user-${n}`)).status, 303)
      return browser
    }),
  )
  const [ada = assert.fail()] = browsers
  const cookie = await ada.jar.getCookieString(fleet.publicUrl)
  const events = await openEvents(t, `${second.url}/auth/events`, { cookie })
  assert.equal((await events.next())?.event, 'session')
  const offset = async (port: number) =>
    /(?:master|slave)_repl_offset:(\d+)/.exec(await askRedis(port, 'INFO', 'replication'))?.[1]
  await until(async () => (await offset(primary.port)) === (await offset(replica.port)))

  await primary.stop()
  const statuses = new Set<number>()
  const backMs = await until(async () => {
    const answers = await Promise.all(
      browsers.map((browser, n) => browser.fetch(`${n % 2 === 0 ? first.url : second.url}/auth/session`)),
    )
    for (const { status, text } of answers) {
      statuses.add(status)
      assert.ok(status === 503 || text.includes('"authenticated":true'), `a false "signed out": ${text}`)
    }
    return answers.every(({ status }) => status === 200)
  }, RECOVERY_MS)
  t.diagnostic(`served again ${Math.round(backMs)} ms after the primary was killed`)
  assert.ok(statuses.has(503), 'there was an outage')

  const refreshed = await Promise.all(
    browsers.map((browser, n) =>
      browser.fetch(`${n % 2 === 0 ? second.url : first.url}/auth/refresh`, { method: 'POST' }),
    ),
  )
  assert.deepEqual(new Set(refreshed.map(({ status }) => status)), new Set([200]))
  await until(async () => {
    assert.equal((await ada.fetch(`${first.url}/auth/refresh`, { method: 'POST' })).status, 200)
    return (await events.next(500)) !== undefined
  }, RECOVERY_MS)
  assert.equal((await fleet.browser().signIn('late')).status, 303)
})
