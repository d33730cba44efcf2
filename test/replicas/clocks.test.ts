import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startFleet } from '../support/fleet.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

/** The second replica is 20 s behind. (Ahead, its requests would be from the future for the IdP, which refuses such.) */
const redis = await startRedis({ after })
const fleet = await startFleet(
  { after },
  { store: redis.url, clockOffsetsS: [0, -20], env: { BACKCHANNEL_LOGOUT: 'on' } },
)
const [first, behind] = fleet.replicas

/** As `browser.signIn`, but each step at the replica of choice. */
async function signInAcross(login: string, startAt: string, callbackAt: string) {
  const browser = fleet.browser()
  const started = await browser.fetch(`${startAt}/auth/start`)
  const callback = new URL(await browser.passIdp(String(started.json().authorization_url), login))
  const finish = () => browser.navigate(`${callbackAt}${callback.pathname}${callback.search}`)
  return { browser, finish }
}

test('the clocks of the two replicas are 20 s apart, or this file shows nothing', async () => {
  const { browser } = await signInAndReturn('anyone', first.url)
  const [own = 0, other = 0] = await Promise.all(
    fleet.replicas.map(async ({ url }) => Number((await browser.fetch(`${url}/auth/session`)).json().expires_in)),
  )
  assert.ok(Math.abs(other - own - 20) <= 1, `${own} s, ${other} s`)
})

test('a sign-in that starts at one replica and ends at the other works, either way', async () => {
  for (const [startAt, callbackAt] of [
    [first.url, behind.url],
    [behind.url, first.url],
  ] as const) {
    const { browser, finish } = await signInAcross('ada', startAt, callbackAt)
    assert.equal((await finish()).status, 303)
    for (const { url } of fleet.replicas) {
      assert.equal((await browser.fetch(`${url}/auth/session`)).json().authenticated, true)
    }
  }
})

for (const [what, outAt, inAt] of [
  ['ahead', first.url, behind.url],
  ['behind', behind.url, first.url],
] as const) {
  test(`BL-13: after a sign-out at the replica that is ${what}, a sign-in that was under way at the other stays out, and one from then on comes in`, async () => {
    const login = `bob-${what}`
    const { browser: old } = await signInAndReturn(login, outAt)
    const underWay = await signInAcross(login, inAt, inAt)
    const nowS = Math.floor(Date.now() / 1000)
    const token = fleet.simulator.signJwt(
      {
        iss: fleet.simulator.issuer,
        aud: 'bff',
        iat: nowS - 15, // For both clocks neither too old nor from the future.
        exp: nowS + 120,
        jti: login,
        sub: login,
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      },
      { typ: 'logout+jwt' },
    )
    const body = new URLSearchParams({ logout_token: token })
    assert.equal((await fetch(`${outAt}/auth/backchannel-logout`, { method: 'POST', body })).status, 200)
    assert.equal((await old.fetch(`${inAt}/auth/session`)).json().authenticated, false)
    assert.match(String((await underWay.finish()).location), /auth_error=sign_in_failed/)
    assert.equal((await underWay.browser.fetch(`${inAt}/auth/session`)).json().authenticated, false)
    const next = await signInAcross(login, inAt, inAt)
    assert.doesNotMatch(String((await next.finish()).location), /auth_error/)
    assert.equal((await next.browser.fetch(`${outAt}/auth/session`)).json().authenticated, true)
  })
}

async function signInAndReturn(login: string, at: string) {
  const started = await signInAcross(login, at, at)
  assert.equal((await started.finish()).status, 303)
  return started
}

test('RF-02: 40 calls at both replicas with a token that is over are one token request, and all get through', async () => {
  fleet.simulator.faults.alterTokenResponse = (body) => ({ ...body, expires_in: 1 })
  const { browser } = await signInAndReturn('carl', first.url)
  fleet.simulator.faults.alterTokenResponse = undefined
  await sleep(2100)
  // By the clock of the one that is behind, the token has 20 s left: it is for the API to refuse it then.
  const before = fleet.simulator.stats.tokenRequests.refresh_token ?? 0
  assert.equal((await browser.fetch(`${first.url}/api/x/1`)).status, 200)
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, n) => browser.fetch(`${n % 2 === 0 ? first.url : behind.url}/api/x/1`)),
  )
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  assert.equal((fleet.simulator.stats.tokenRequests.refresh_token ?? 0) - before, 1)
})

test('a sign-out at either is one at the other', async () => {
  for (const [outAt, seenAt] of [
    [first.url, behind.url],
    [behind.url, first.url],
  ] as const) {
    const { browser } = await signInAndReturn('dora', seenAt)
    assert.equal((await browser.fetch(`${outAt}/auth/logout`, { method: 'POST' })).status, 200)
    await until(async () => (await browser.fetch(`${seenAt}/auth/session`)).json().authenticated === false, 2000)
  }
})
