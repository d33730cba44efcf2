import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startFleet } from '../support/fleet.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

const redis = await startRedis({ after })
const fleet = await startFleet({ after }, { store: redis.url })
const [first, second] = fleet.replicas
const { faults, stats } = fleet.simulator

test('RF-03: SIGTERM waits for a refresh that nobody waits for any more, so that what the IdP rotated is not lost', async (t) => {
  faults.alterTokenResponse = (body) => ({ ...body, expires_in: 1 })
  const browser = fleet.browser()
  assert.equal((await browser.signIn('ada')).status, 303)
  faults.alterTokenResponse = undefined
  await sleep(2100)
  const headers = { cookie: await browser.jar.getCookieString(fleet.publicUrl), origin: fleet.publicUrl }
  faults.token = { kind: 'delay', delayMs: 1500, after: true, grantType: 'refresh_token', times: 1 }
  const leave = new AbortController()
  const left = assert.rejects(fetch(`${first.url}/api/x/1`, { headers, signal: leave.signal }))
  await until(() => stats.tokenRequests.refresh_token === 1)
  leave.abort()
  await left
  const startedAt = performance.now()
  assert.equal(await first.end('SIGTERM'), 0)
  const tookMs = performance.now() - startedAt
  t.diagnostic(`${Math.round(tookMs)} ms`)
  assert.ok(tookMs < 12_000)
  // The IdP takes a spent token for theft: had the answer been lost, this would end the session.
  assert.equal((await browser.fetch(`${second.url}/auth/refresh`, { method: 'POST' })).status, 200)
  assert.equal((await browser.fetch(`${second.url}/api/x/1`)).status, 200)
  assert.equal(stats.tokenRequests.refresh_token, 2)
})

test('contract §7: SIGTERM ends within 12 s with calls, streams and event streams open', async (t) => {
  await first.start()
  const browser = fleet.browser()
  assert.equal((await browser.signIn('bob')).status, 303)
  const headers = { cookie: await browser.jar.getCookieString(fleet.publicUrl), origin: fleet.publicUrl }
  const streams = await Promise.all(
    ['/auth/events', '/api/x/stream'].map((path) => fetch(`${first.url}${path}`, { headers })),
  )
  assert.deepEqual(
    streams.map(({ status }) => status),
    [200, 200],
  )
  const pending = fetch(`${first.url}/api/x/hang`, { headers }).catch(() => 'cut')
  await until(() => fleet.api.open() === 2)
  const startedAt = performance.now()
  assert.equal(await first.end('SIGTERM'), 0)
  const tookMs = performance.now() - startedAt
  t.diagnostic(`${Math.round(tookMs)} ms`)
  assert.ok(tookMs < 12_000, `${tookMs} ms`)
  await pending
  for (const { body } of streams) await body?.cancel().catch(() => {})
})
