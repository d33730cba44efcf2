import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { createPhone } from '../../test/flows/phone.ts'
import { openBrowser, sendPlain } from '../../test/flows/steps.ts'
import type { Answer } from '../../test/support/browser.ts'
import { openEvents } from '../../test/support/event-source.ts'
import type { World } from '../../test/support/world.ts'
import { ADMIN_TOKEN, type Stage } from './stage.ts'

/** Runs one action and notes under its name what it cost. */
export type Measure = <T>(name: string, act: () => Promise<T>) => Promise<T>

const COOKIE = 'oten_session'
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/** Past this the note of the last use is due again (README, "Sessions": a twentieth of the idle limit, 60 s at most). */
const STEP_S = 61
/** Less than that: the access token is over before the use is to be noted again. */
const TOKEN_LIFE_S = 30

/** A page's own call with a planted session's cookie. */
function callAs({ publicUrl }: World, credential: string) {
  return async (path: string, method = 'GET'): Promise<Answer> => {
    const headers = { cookie: `${COOKIE}=${credential}`, origin: publicUrl, 'sec-fetch-site': 'same-origin' }
    const answer = await sendPlain({ publicUrl }, path, { method, headers })
    assert.ok(answer.status < 400, `${method} ${path}: ${answer.status} ${answer.text}`)
    return answer
  }
}

const verify = async ({ adminUrl }: World, credential: string): Promise<void> => {
  const answer = await fetch(`${adminUrl}/auth/verify`, { headers: { cookie: `${COOKIE}=${credential}` } })
  assert.equal(answer.status, 204)
}

/** A page signs its user in and out, by way of the simulator. */
export async function signInAndOut({ world }: Stage, measure: Measure, user: string): Promise<void> {
  const browser = openBrowser(world)
  const started = await measure('sign-in of a page: start', () => browser.fetch('/auth/start'))
  assert.equal(started.status, 200, started.text)
  const callback = await browser.passIdp(String(started.json().authorization_url), user)
  const back = await measure('sign-in of a page: callback', () => browser.navigate(callback))
  assert.equal(back.location, new URL('/', world.publicUrl).href, world.logs.join(''))
  const refreshed = await measure('refresh with rotation', () => browser.fetch('/auth/refresh', { method: 'POST' }))
  assert.equal(refreshed.status, 200, refreshed.text)
  const out = await measure('sign-out', () => browser.fetch('/auth/logout?', { method: 'POST' }))
  const onward = await measure('sign-out: on to the IdP', () => browser.navigate(String(out.json().logout_url)))
  const landed = await browser.navigate(String(onward.location))
  await measure('sign-out: back from the IdP', () => browser.navigate(String(landed.location)))
}

/** An app signs its user in by deep link. */
export async function signInApp({ world }: Stage, measure: Measure, user: string): Promise<void> {
  const phone = createPhone(world)
  const started = await measure('sign-in of an app: start', () => phone.open())
  const callback = await phone.browser.passIdp(String(started.location), user)
  const back = await measure('sign-in of an app: callback', () => phone.browser.navigate(callback))
  const code = new URL(String(back.location)).searchParams.get('code') ?? ''
  const redeemed = await measure('sign-in of an app: handoff', () => phone.redeem(code, { session: 'token' }))
  assert.equal(redeemed.status, 200, redeemed.text)
}

/** What a signed-in user does all day. */
export async function workInSession({ world, plant }: Stage, measure: Measure, user: string): Promise<void> {
  const credential = await plant(user)
  const call = callAs(world, credential)
  await measure('session check, the first on a replica', () => call('/auth/session'))
  await measure('session check, again', () => call('/auth/session'))
  await measure('verify', () => verify(world, credential))
  await measure('proxied call', () => call('/api/x/1'))
  world.advance(STEP_S)
  await measure('verify that notes the use', () => verify(world, credential))
  world.advance(-STEP_S)
}

/** One of three devices looks at the list and ends another. */
export async function manageSessions({ world, plant }: Stage, measure: Measure, user: string): Promise<void> {
  const credentials = [await plant(user), await plant(user), await plant(user)] as const
  const call = callAs(world, credentials[0])
  const read = async (path: string) => (await call(path)).json() as { readonly sessions: readonly Listed[] }
  await call('/auth/session')
  const { sessions } = await measure('list of 3 sessions', () => read('/auth/sessions'))
  const other = sessions.find(({ current }) => !current)
  await measure('end one of 3 sessions', () => call(`/auth/sessions/${other?.session_id}`, 'DELETE'))
  await measure('end all others, 1 of 2', () => call('/auth/sessions', 'DELETE'))
}

interface Listed {
  readonly session_id: string
  readonly current: boolean
}

/** A tab that listens. Its session is about to end, so that the looks that are otherwise 30 s apart come soon. */
export async function watchEvents(t: TestContext, stage: Stage, measure: Measure, user: string): Promise<void> {
  const { world, plant } = stage
  const credential = await plant(user, { idleS: 63 })
  const call = callAs(world, credential)
  await call('/auth/session')
  const headers = { cookie: `${COOKIE}=${credential}`, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }
  const events = await measure('event stream: opened', async () => {
    const opened = await openEvents(t, `${world.publicUrl}/auth/events`, headers)
    assert.equal((await opened.next())?.event, 'session')
    return opened
  })
  await measure('event stream: one look', async () => assert.equal((await events.next(10_000))?.event, 'expiring'))
  await events.leave()
}

/** The IdP and an operator end what they find. */
export async function endFromOutside({ world, plant }: Stage, measure: Measure, user: string): Promise<void> {
  const { simulator, publicUrl, adminUrl } = world
  const sid = `sid-of-${user}`
  await plant(user, { sid })
  const iat = Math.floor(Date.now() / 1000)
  const claims = { iss: simulator.issuer, aud: 'bff', iat, exp: iat + 120, jti: randomUUID(), events: { [EVENT]: {} } }
  const logoutToken = simulator.signJwt({ ...claims, sub: user, sid }, { typ: 'logout+jwt' })
  await measure('back-channel logout of 1 session', async () => {
    const body = new URLSearchParams({ logout_token: logoutToken })
    assert.equal((await fetch(`${publicUrl}/auth/backchannel-logout`, { method: 'POST', body })).status, 200)
  })
  await plant(user)
  await measure('operator ends the 1 session of a user', async () => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ sub: user })
    const answer = await fetch(`${adminUrl}/admin/sessions/end`, { method: 'POST', headers, body })
    assert.deepEqual(await answer.json(), { ended: 1 })
  })
  await measure('readiness probe', async () => assert.equal((await fetch(`${adminUrl}/health/ready`)).status, 200))
}

/** The IdP is away, and the access token is over. */
export async function meetOutage({ world, plant }: Stage, measure: Measure, user: string): Promise<void> {
  const credential = await plant(user, { tokenLifeS: TOKEN_LIFE_S })
  const { adminUrl, simulator } = world
  const ask = async () => {
    const answer = await fetch(`${adminUrl}/auth/verify`, { headers: { cookie: `${COOKIE}=${credential}` } })
    assert.equal(answer.status, 503)
  }
  simulator.faults.token = { kind: 'status', status: 503, retryAfter: 60, grantType: 'refresh_token' }
  world.advance(TOKEN_LIFE_S)
  await measure('IdP away: a call that tries to refresh', ask)
  await measure('IdP away: a call while nobody tries', ask)
  simulator.faults.token = undefined
  world.advance(-TOKEN_LIFE_S)
}
