import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { type Fleet, startFleet } from '../support/fleet.ts'
import { startRedis } from '../support/redis.ts'

const SESSIONS = 1000
const CALLS = 20
const SIGN_INS_AT_ONCE = 16

/** Signs users in, some at a time. @returns each one's cookie */
async function signInAll(fleet: Fleet, names: readonly string[]): Promise<string[]> {
  const cookies: string[] = []
  const waiting = [...names]
  const work = async (): Promise<void> => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const browser = fleet.browser()
      assert.equal((await browser.signIn(name)).status, 303)
      cookies.push(await browser.jar.getCookieString(fleet.publicUrl))
    }
  }
  await Promise.all(Array.from({ length: SIGN_INS_AT_ONCE }, work))
  return cookies
}

test(`RF-02: ${SESSIONS} sessions × ${CALLS} calls at once on two replicas are ${SESSIONS} token requests; no call fails, and nobody is signed out`, async (t) => {
  const redis = await startRedis(t)
  // An IdP that rotates refresh tokens, and takes one that comes a second time for theft.
  const fleet = await startFleet(t, { store: redis.url, env: { LOG_LEVEL: 'warn' } })
  const { faults, stats } = fleet.simulator
  faults.alterTokenResponse = (body) => ({ ...body, expires_in: 1 })
  const names = Array.from({ length: SESSIONS }, (_, n) => `user-${n}`)
  const startedAt = performance.now()
  const cookies = await signInAll(fleet, names)
  t.diagnostic(`${SESSIONS} sign-ins in ${Math.round(performance.now() - startedAt)} ms`)
  faults.alterTokenResponse = undefined
  await sleep(2100) // Every access token is over.

  const dispatcher = new Agent({ connections: 500 })
  t.after(() => dispatcher.close())
  const call = async (cookie: string, n: number): Promise<number> => {
    const { url } = fleet.replicas[n % 2 === 0 ? 0 : 1]
    const headers = { cookie, origin: fleet.publicUrl }
    const { statusCode, body } = await request(`${url}/api/x/1`, { dispatcher, headers, headersTimeout: 60_000 })
    await body.dump()
    return statusCode
  }
  const stormAt = performance.now()
  // By session, so that the calls of one are on their way together.
  const calls = cookies.flatMap((cookie) => Array.from({ length: CALLS }, (_, n) => call(cookie, n)))
  const statuses = Map.groupBy(await Promise.all(calls), (status) => status)
  t.diagnostic(`${SESSIONS * CALLS} calls in ${Math.round(performance.now() - stormAt)} ms`)
  assert.deepEqual(
    [...statuses].map(([status, those]) => [status, those.length]),
    [[200, SESSIONS * CALLS]],
  )
  assert.equal(stats.tokenRequests.refresh_token, SESSIONS)
  const uses = Map.groupBy(fleet.api.seen, (authorization) => authorization)
  assert.equal(uses.size, SESSIONS, 'one new token for each session')
  assert.deepEqual(new Set([...uses.values()].map(({ length }) => length)), new Set([CALLS]), 'used by its own calls')
  const views = await Promise.all(
    cookies.map(async (cookie) => {
      const { body } = await request(`${fleet.publicUrl}/auth/session`, { dispatcher, headers: { cookie } })
      return (await body.json()) as { authenticated: boolean }
    }),
  )
  assert.ok(views.every(({ authenticated }) => authenticated))
})
