import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault, TokenKind } from '../../demo/idp/faults.ts'
import type { Browser } from '../support/browser.ts'
import { startFleet } from '../support/fleet.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

/** A token request takes 10 s at most; the rest is for a busy machine. */
const ANSWER_MS = 13_000

const redis = await startRedis({ after })
// Without rotation an answer that gets lost costs nothing, so that only the fault itself is seen.
const fleet = await startFleet({ after }, { store: redis.url, simulator: { rotateRefreshToken: false } })
const [first, second] = fleet.replicas
const { faults } = fleet.simulator

/** @param lifeS of the first access token */
async function signIn(login: string, lifeS: number): Promise<Browser> {
  faults.alterTokenResponse = (body) => ({ ...body, expires_in: lifeS })
  const browser = fleet.browser()
  assert.equal((await browser.signIn(login)).status, 303)
  faults.alterTokenResponse = undefined
  return browser
}

const isSignedIn = async (browser: Browser): Promise<boolean> =>
  (await Promise.all(fleet.replicas.map(({ url }) => browser.fetch(`${url}/auth/session`)))).every(
    (answer) => answer.json().authenticated === true,
  )

const cases: readonly (readonly [what: string, fault: Fault<TokenKind>])[] = [
  ['hangs', { kind: 'hang' }],
  ['resets the connection', { kind: 'reset' }],
  ['answers a page of HTML', { kind: 'html' }],
  ['answers half of the JSON', { kind: 'truncated' }],
  ['answers two megabytes', { kind: 'huge' }],
  ['redirects elsewhere', { kind: 'redirect', location: 'https://elsewhere.example/' }],
  ['answers 500', { kind: 'status', status: 500 }],
  ['asks for less', { kind: 'status', status: 429, retryAfter: 2 }],
]
for (const [what, fault] of cases) {
  test(`RF-05: an IdP that ${what} is 503 with Retry-After for a dead token; nobody is signed out, and it heals by itself`, async () => {
    const browser = await signIn('ada', 1)
    await sleep(2100)
    faults.token = { ...fault, grantType: 'refresh_token' }
    const before = fleet.simulator.stats.tokenRequests.refresh_token ?? 0
    const startedAt = performance.now()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => browser.fetch(`${n % 2 === 0 ? first.url : second.url}/api/x/1`)),
    )
    assert.ok(performance.now() - startedAt < ANSWER_MS)
    for (const answer of answers) {
      assert.equal(answer.status, 503, answer.text)
      assert.equal(answer.json().error, 'idp_unavailable')
      assert.match(String(answer.headers.get('retry-after')), /^[1-9]\d*$/)
    }
    const asked = (fleet.simulator.stats.tokenRequests.refresh_token ?? 0) - before
    assert.ok(asked <= 2, `no storm: ${asked}`)
    assert.ok(await isSignedIn(browser))
    faults.token = undefined
    await until(async () => (await browser.fetch(`${second.url}/api/x/1`)).status === 200)
    assert.ok(await isSignedIn(browser))
  })
}

test('contract §7: with discovery and keys down, sessions are served and readiness is degraded; a restarted replica too', async () => {
  const browser = await signIn('carl', 3600)
  for (const point of ['discovery', 'jwks', 'token'] as const) faults[point] = { kind: 'hang' }
  await first.end('SIGTERM')
  await first.start()
  assert.ok(await isSignedIn(browser))
  assert.equal((await browser.fetch(`${first.url}/api/x/1`)).status, 200)
  const ready = await fetch(`${first.adminUrl}/health/ready`)
  assert.equal(ready.status, 200)
  assert.equal(((await ready.json()) as { status: string }).status, 'degraded')
  faults.clear()
  const backMs = await until(async () => {
    const { status } = (await (await fetch(`${first.adminUrl}/health/ready`)).json()) as { status: string }
    return status === 'ok'
  }, 20_000)
  assert.ok(backMs < 20_000)
  assert.equal((await fleet.browser().signIn('dora')).status, 303)
})
