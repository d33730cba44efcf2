import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openEvents } from '../support/event-source.ts'
import { startFleet } from '../support/fleet.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

/** Promised for whatever ends a session, on whatever replica (contract §5). */
const NOTICED_MS = 2000

const redis = await startRedis({ after })
const fleet = await startFleet({ after }, { store: redis.url, env: { BACKCHANNEL_LOGOUT: 'on' } })
const [first, second] = fleet.replicas

async function signIn(login: string) {
  const browser = fleet.browser()
  assert.equal((await browser.signIn(login)).status, 303)
  return browser
}

test('SC-14: a sign-out on one replica ends session, event stream, proxied stream and pending call on the other, within 2 s', async (t) => {
  const browser = await signIn('ada')
  const neighbour = await signIn('bob')
  const cookie = await browser.jar.getCookieString(fleet.publicUrl)
  const events = await openEvents(t, `${second.url}/auth/events`, { cookie })
  assert.equal((await events.next())?.event, 'session')
  const streaming = await fetch(`${second.url}/api/x/stream`, { headers: { cookie, origin: fleet.publicUrl } })
  const reader = streaming.body?.getReader()
  assert.match(String(new TextDecoder().decode((await reader?.read())?.value)), /tick/)
  const pending = browser.fetch(`${second.url}/api/x/hang`)
  const untouched = neighbour.fetch(`${second.url}/api/x/hang`)
  await until(() => fleet.api.open() === 3)

  const startedAt = performance.now()
  assert.equal((await browser.fetch(`${first.url}/auth/logout`, { method: 'POST' })).status, 200)
  assert.deepEqual(await events.next(), { event: 'ended', data: { reason: 'logout' } })
  assert.equal((await pending).status, 401)
  await assert.rejects(async () => {
    for (;;) if ((await reader?.read())?.done) throw new Error('over')
  })
  const noticedMs = performance.now() - startedAt
  t.diagnostic(`noticed by all after ${Math.round(noticedMs)} ms`)
  assert.ok(noticedMs < NOTICED_MS, `${noticedMs} ms`)

  const late = await fetch(`${second.url}/auth/session`, { headers: { cookie } })
  assert.deepEqual(await late.json(), { authenticated: false })
  assert.equal((await neighbour.fetch(`${second.url}/auth/session`)).json().authenticated, true)
  const isPending = Symbol('pending')
  assert.equal(await Promise.race([untouched, Promise.resolve(isPending)]), isPending)
  untouched.catch(() => {})
})

test('RF-02: a refresh that is under way on one replica when the user signs out on the other revives nothing', async () => {
  const browser = await signIn('carl')
  const cookie = await browser.jar.getCookieString(fleet.publicUrl)
  fleet.simulator.faults.token = { kind: 'delay', delayMs: 800, after: true, grantType: 'refresh_token', times: 1 }
  const before = fleet.simulator.stats.tokenRequests.refresh_token ?? 0
  const headers = { cookie, origin: fleet.publicUrl }
  const refreshing = fetch(`${second.url}/auth/refresh`, { method: 'POST', headers })
  await until(() => (fleet.simulator.stats.tokenRequests.refresh_token ?? 0) > before)
  assert.equal((await browser.fetch(`${first.url}/auth/logout`, { method: 'POST' })).status, 200)
  assert.equal((await refreshing).status, 401)
  for (const { url } of fleet.replicas) {
    const answer = await fetch(`${url}/auth/session`, { headers: { cookie } })
    assert.deepEqual(await answer.json(), { authenticated: false })
  }
})

test('BL-11: a back-channel logout at one replica ends the session on the other, stream included', async (t) => {
  const browser = await signIn('dora')
  const cookie = await browser.jar.getCookieString(fleet.publicUrl)
  const events = await openEvents(t, `${first.url}/auth/events`, { cookie })
  assert.equal((await events.next())?.event, 'session')
  const startedAt = performance.now()
  const { delivered } = await fleet.simulator.endSession({ sub: 'dora' })
  assert.equal(delivered, 1)
  assert.deepEqual(await events.next(), { event: 'ended', data: { reason: 'backchannel' } })
  assert.ok(performance.now() - startedAt < NOTICED_MS)
  assert.equal((await browser.fetch(`${first.url}/auth/session`)).json().authenticated, false)
})

test('BL-07: a logout token that one replica has carried out is refused by the other', async () => {
  const nowS = Math.floor(Date.now() / 1000)
  const logoutToken = fleet.simulator.signJwt(
    {
      iss: fleet.simulator.issuer,
      aud: 'bff',
      iat: nowS,
      exp: nowS + 120,
      jti: 'once-for-all',
      sub: 'nobody',
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    },
    { typ: 'logout+jwt' },
  )
  const send = async (url: string) =>
    (
      await fetch(`${url}/auth/backchannel-logout`, {
        method: 'POST',
        body: new URLSearchParams({ logout_token: logoutToken }),
      })
    ).status
  assert.deepEqual([await send(first.url), await send(second.url), await send(first.url)], [200, 400, 400])
  const racing = fleet.simulator.signJwt(
    {
      iss: fleet.simulator.issuer,
      aud: 'bff',
      iat: nowS,
      exp: nowS + 120,
      jti: 'race',
      sub: 'nobody',
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    },
    { typ: 'logout+jwt' },
  )
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      fetch(`${n % 2 === 0 ? first.url : second.url}/auth/backchannel-logout`, {
        method: 'POST',
        body: new URLSearchParams({ logout_token: racing }),
      }),
    ),
  )
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array.from({ length: 19 }, () => 400)])
})

test('contract §5: sessions of all replicas are listed and ended at each', async () => {
  const phone = await signIn('eve')
  const desk = await signIn('eve')
  const list = async () =>
    (await desk.fetch(`${second.url}/auth/sessions`)).json().sessions as { session_id: string; current: boolean }[]
  const listed = await list()
  assert.equal(listed.length, 2)
  const other = listed.find(({ current }) => !current)
  assert.equal((await desk.fetch(`${second.url}/auth/sessions/${other?.session_id}`, { method: 'DELETE' })).status, 204)
  assert.equal((await phone.fetch(`${first.url}/auth/session`)).json().authenticated, false)
  assert.equal((await list()).length, 1)
})
