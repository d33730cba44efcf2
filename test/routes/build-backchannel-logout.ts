import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { openBrowser, sendPlain } from '../flows/steps.ts'
import type { Answer, Browser } from '../support/browser.ts'
import { createWorld, type World, type WorldOptions } from '../support/world.ts'

export const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
export const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

/** A world whose IdP says that it can, and a way to send it tokens. */
export async function build(t: TestContext, options: WorldOptions = {}) {
  const env = { BACKCHANNEL_LOGOUT: 'on', ...options.env }
  const world = await createWorld(t, { ...options, env })
  const nowS = Math.floor(Date.now() / 1000)
  const sign = (changes: Record<string, unknown> = {}, header: Record<string, unknown> = { typ: 'logout+jwt' }) =>
    world.simulator.signJwt(
      {
        iss: world.simulator.issuer,
        aud: 'bff',
        iat: nowS,
        exp: nowS + 120,
        jti: randomUUID(),
        events: { [EVENT]: {} },
        ...changes,
      },
      header,
    )
  const send = (logoutToken: string, extra: Record<string, string> = {}): Promise<Answer> =>
    post(world, new URLSearchParams({ logout_token: logoutToken, ...extra }).toString())
  return { world, sign, send }
}

export const post = (world: World, body: string, headers: Record<string, string> = FORM): Promise<Answer> =>
  sendPlain(world, '/auth/backchannel-logout', { method: 'POST', headers, body })

export async function signIn(world: World, login: string): Promise<{ browser: Browser; sid: string }> {
  const sids: string[] = []
  world.simulator.faults.alterIdToken = (claims) => {
    sids.push(String(claims.sid))
    return {}
  }
  const browser = openBrowser(world)
  await browser.signIn(login)
  world.simulator.faults.alterIdToken = undefined
  const [sid = ''] = sids
  assert.match(sid, /.{8,}/)
  return { browser, sid }
}

export const isSignedIn = async (browser: Browser): Promise<unknown> => (await browser.session()).authenticated

export function assertDone(answer: Answer): void {
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
}

/** BL-09: 400, JSON, no-store. */
export function assertRefused(answer: Answer, what = ''): void {
  assert.equal(answer.status, 400, what)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.match(String(answer.headers.get('content-type')), /^application\/json/)
  assert.deepEqual(Object.keys(answer.json()).sort(), ['error', 'error_description', 'error_id'])
  assert.equal(answer.json().error, 'invalid_request')
}
