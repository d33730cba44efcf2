import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Fleet, type FleetOptions, startFleet } from '../support/fleet.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

/** A lease that is not renewed runs out within 5 s; then the next holder waits 2.5 s for the one before. */
const TAKEN_OVER_MS = 9000

/** A signed-in browser whose access token is over, on two replicas. */
async function build(t: TestContext, options: Partial<FleetOptions> = {}) {
  const redis = await startRedis(t)
  const fleet = await startFleet(t, { store: redis.url, ...options })
  const { faults } = fleet.simulator
  faults.alterTokenResponse = (body) => ({ ...body, expires_in: 1 })
  const browser = fleet.browser()
  assert.equal((await browser.signIn('ada')).status, 303)
  faults.alterTokenResponse = undefined
  await sleep(2100) // Now it is over, whichever part of a second it came in.
  return { fleet, browser, faults }
}

const refreshesOf = ({ simulator }: Fleet): number => simulator.stats.tokenRequests.refresh_token ?? 0

test('RF-02: when the holder of the lease is killed while the IdP hangs, the other replica takes over, and nobody is signed out', async (t) => {
  const { fleet, browser, faults } = await build(t)
  const [first, second] = fleet.replicas
  faults.token = { kind: 'hang', grantType: 'refresh_token', times: 1 }
  const lost = assert.rejects(browser.fetch(`${first.url}/api/x/1`))
  await until(() => refreshesOf(fleet) === 1)
  const waiting = Promise.all(Array.from({ length: 20 }, () => browser.fetch(`${second.url}/api/x/1`)))
  const startedAt = performance.now()
  assert.equal(await first.end('SIGKILL'), 'SIGKILL')
  await lost
  const statuses = (await waiting).map(({ status }) => status)
  const tookMs = performance.now() - startedAt
  t.diagnostic(`taken over ${Math.round(tookMs)} ms after the kill`)
  assert.deepEqual(new Set(statuses), new Set([200]))
  assert.ok(tookMs < TAKEN_OVER_MS, `${tookMs} ms`)
  assert.equal(refreshesOf(fleet), 2)
  assert.equal(new Set(fleet.api.seen).size, 1, 'all with the one new token')
  await first.start()
  assert.equal((await browser.session()).authenticated, true)
  assert.equal((await browser.fetch(`${first.url}/api/x/1`)).status, 200)
  assert.equal(refreshesOf(fleet), 2)
})

test('RF-03: killed between the answer and the write, the session goes on with what the IdP still accepts', async (t) => {
  const { fleet, browser, faults } = await build(t, { simulator: { rotateRefreshToken: false } })
  const [first, second] = fleet.replicas
  faults.token = { kind: 'delay', delayMs: 1000, after: true, grantType: 'refresh_token', times: 1 } // Carried out first.
  const lost = assert.rejects(browser.fetch(`${first.url}/api/x/1`))
  await until(() => refreshesOf(fleet) === 1)
  await first.end('SIGKILL')
  await lost
  assert.equal((await browser.fetch(`${second.url}/api/x/1`)).status, 200)
  assert.equal((await browser.fetch(`${second.url}/auth/session`)).json().authenticated, true)
  assert.equal(refreshesOf(fleet), 2)
})

test('RF-04: where the IdP takes the spent token for theft, that crash ends the session with 401, once, and no other', async (t) => {
  const { fleet, browser, faults } = await build(t)
  const [first, second] = fleet.replicas
  const neighbour = fleet.browser()
  await neighbour.signIn('bob')
  faults.token = { kind: 'delay', delayMs: 1000, after: true, grantType: 'refresh_token', times: 1 }
  const lost = assert.rejects(browser.fetch(`${first.url}/api/x/1`))
  await until(() => refreshesOf(fleet) === 1)
  await first.end('SIGKILL')
  await lost
  assert.equal((await browser.fetch(`${second.url}/api/x/1`)).status, 401)
  assert.equal(refreshesOf(fleet), 2)
  assert.deepEqual((await browser.fetch(`${second.url}/auth/session`)).json(), { authenticated: false })
  assert.equal((await neighbour.fetch(`${second.url}/auth/session`)).json().authenticated, true)
  assert.deepEqual(fleet.api.seen, [])
})
