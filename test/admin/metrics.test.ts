import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createPhone } from '../flows/phone.ts'
import { openEvents } from '../support/event-source.ts'
import { createWorld, type World } from '../support/world.ts'

/** Reads one sample of the text that Prometheus gets; undefined where there is none. */
async function read(world: World, sample: string): Promise<number | undefined> {
  const answer = await fetch(`${world.adminUrl}/metrics`)
  assert.equal(answer.status, 200)
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  const line = (await answer.text()).split('\n').find((text) => text.startsWith(`${sample} `))
  return line === undefined ? undefined : Number(line.slice(sample.length))
}

/** Asserts samples of the metrics, each by its name and labels. */
async function assertSamples(world: World, expected: Readonly<Record<string, number>>): Promise<void> {
  for (const [sample, value] of Object.entries(expected)) {
    assert.equal(await read(world, `oten_bff_${sample}`), value, sample)
  }
}

const build = (t: TestContext): Promise<World> => createWorld(t, { env: { OTEN_SCOPE: 'openid offline_access' } })

test('GET /metrics counts the sign-ins of browsers by what came of them', async (t) => {
  const world = await build(t)
  const browser = world.browser()
  await browser.signIn('ada')
  const other = world.browser()
  const started = (await other.fetch('/auth/start')).json()
  const denied = await other.passIdp(String(started.authorization_url), 'ada', 'deny')
  await other.navigate(denied)
  await other.navigate(denied)
  await assertSamples(world, {
    'sign_in_starts_total{client="browser"}': 2,
    'sign_ins_total{client="browser",outcome="succeeded"}': 1,
    'sign_ins_total{client="browser",outcome="access_denied"}': 1,
    'sign_ins_total{client="unknown",outcome="unknown_transaction"}': 1,
    'sign_ins_total{client="app",outcome="succeeded"}': 0,
    'errors_total{code="invalid_request"}': 1,
    'sessions_started_total{kind="browser-cookie"}': 1,
  })
})

test('GET /metrics counts the sign-ins of apps and their handoffs', async (t) => {
  const world = await build(t)
  const phone = createPhone(world)
  const { code } = await phone.signIn('grace')
  await phone.redeem(code, { session: 'token' })
  await phone.redeem(code, { session: 'token' })
  await createPhone(world).signIn('grace', 'deny')
  await assertSamples(world, {
    'sign_in_starts_total{client="app"}': 2,
    'sign_ins_total{client="app",outcome="succeeded"}': 1,
    'sign_ins_total{client="app",outcome="access_denied"}': 1,
    'handoffs_total{outcome="redeemed"}': 1,
    'handoffs_total{outcome="refused"}': 1,
    'sessions_started_total{kind="app-token"}': 1,
    'sessions_ended_total{reason="revoked"}': 1,
    'errors_total{code="invalid_grant"}': 1,
  })
})

test('GET /metrics counts refreshes and ends by their reason, and times the store and the IdP', async (t) => {
  const world = await build(t)
  const browser = world.browser()
  const post = { method: 'POST' }
  await browser.signIn('ada')
  await browser.fetch('/auth/refresh', post)
  world.simulator.faults.token = { kind: 'status', status: 503 }
  await browser.fetch('/auth/refresh', post)
  delete world.simulator.faults.token
  await browser.fetch('/auth/logout', post)
  await browser.request('/auth/backchannel-logout', { ...post, body: new URLSearchParams({ logout_token: 'a.b.c' }) })
  await assertSamples(world, {
    'refreshes_total{outcome="refreshed"}': 1,
    'refreshes_total{outcome="unavailable"}': 1,
    'sessions_ended_total{reason="logout"}': 1,
    'backchannel_logouts_total{outcome="refused"}': 1,
    'idp_duration_seconds_count{endpoint="token",outcome="2xx"}': 2,
    'idp_duration_seconds_count{endpoint="token",outcome="5xx"}': 1,
    'idp_duration_seconds_count{endpoint="discovery",outcome="2xx"}': 1,
    'idp_duration_seconds_count{endpoint="jwks",outcome="2xx"}': 1,
  })
  assert.ok(((await read(world, 'oten_bff_idp_duration_seconds_count{endpoint="revocation",outcome="2xx"}')) ?? 0) >= 1)
  assert.ok(((await read(world, 'oten_bff_store_duration_seconds_count{verb="get",outcome="ok"}')) ?? 0) > 0)
})

test('GET /metrics shows the event streams that are open', async (t) => {
  const world = await build(t)
  const browser = world.browser()
  await browser.signIn('ada')
  await assertSamples(world, { event_streams: 0 })
  const cookie = await browser.jar.getCookieString(world.publicUrl)
  const stream = await openEvents(t, `${world.publicUrl}/auth/events`, { cookie, 'sec-fetch-site': 'same-origin' })
  assert.equal((await stream.next())?.event, 'session')
  await assertSamples(world, { event_streams: 1 })
  await browser.fetch('/auth/logout', { method: 'POST' })
  assert.equal((await stream.next())?.event, 'ended')
  assert.equal(await stream.next(), undefined)
  await assertSamples(world, { event_streams: 0 })
})

test('GET /metrics is not on the main listener', async (t) => {
  const world = await build(t)
  assert.equal((await world.browser().request('/metrics')).status, 404)
})
