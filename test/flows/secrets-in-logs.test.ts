import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Faults } from '../../demo/idp/faults.ts'
import { CLIENT_SECRET, createKey, createSessionKey } from '../support/env.ts'
import { createWorld, type World } from '../support/world.ts'

const VERIFIER = 'canary-verifier-of-the-app-0123456789-0123456789'
const APP_STATE = 'canary-state-of-the-app'
const ADMIN_TOKEN = 'canary-admin-token-0123456789'

/** All that passed by in a journey and must not be in any line. */
class Canaries {
  readonly values = new Set<string>()
  add(...values: (string | null | undefined)[]): void {
    for (const value of values) if (value !== undefined && value !== null && value.length >= 8) this.values.add(value)
  }
  /** Every parameter of a URL, and every claim of a request object in it. */
  addUrl(url: string | null): void {
    for (const [name, value] of new URL(url ?? 'about:blank').searchParams) {
      if (name === 'client_id' || name === 'iss' || value.startsWith('http')) continue
      this.add(value)
      if (value.split('.').length !== 3) continue
      this.add(...value.split('.').slice(1))
      const claims = JSON.parse(Buffer.from(value.split('.')[1] ?? '', 'base64url').toString()) as Record<
        string,
        unknown
      >
      for (const claim of ['state', 'nonce', 'jti', 'code_challenge', 'login_hint', 'sid', 'at_hash']) {
        if (typeof claims[claim] === 'string') this.add(claims[claim])
      }
    }
  }
  assertAbsent({ logs }: World): void {
    assert.ok(logs.length > 0 && this.values.size > 0)
    for (const value of this.values) {
      const line = logs.find((candidate) => candidate.includes(value) || candidate.includes(encodeURIComponent(value)))
      assert.equal(line, undefined, `${value.slice(0, 12)}… is in a line`)
    }
  }
}

const DIGEST = async (text: string): Promise<string> =>
  Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('base64url')

async function build(t: TestContext): Promise<{ world: World; canaries: Canaries; tokens: string[] }> {
  const [sealKey, signingKey, hmacKey] = [createSessionKey(), createKey(), ADMIN_TOKEN]
  const world = await createWorld(t, {
    env: { SESSION_KEYS: sealKey, JAR_KEYS: signingKey.privateJwk, ADMIN_TOKEN: hmacKey, LOG_LEVEL: 'trace' },
  })
  const canaries = new Canaries()
  const { d } = JSON.parse(signingKey.privateJwk) as { d: string }
  canaries.add(sealKey, d, CLIENT_SECRET, encodeURIComponent(CLIENT_SECRET), ADMIN_TOKEN, VERIFIER, APP_STATE)
  canaries.add(Buffer.from(`bff:${encodeURIComponent(CLIENT_SECRET)}`).toString('base64'))
  const tokens: string[] = []
  world.simulator.faults.alterTokenResponse = (body) => {
    for (const name of ['access_token', 'refresh_token', 'id_token']) {
      if (typeof body[name] === 'string') tokens.push(body[name], ...body[name].split('.').slice(1))
    }
    canaries.add(...tokens)
    return body
  }
  return { world, canaries, tokens }
}

const addCookies = (canaries: Canaries, setCookies: readonly string[]): void => {
  for (const line of setCookies) {
    const value = /^[^=]+=([^;]*)/.exec(line)?.[1] ?? ''
    canaries.add(value, value.slice(2), value.split('.')[1])
  }
}

test('LG-01: a whole browser journey at trace level, sign-in to sign-out, leaves no secret in any line', async (t) => {
  const { world, canaries, tokens } = await build(t)
  const browser = world.browser()
  const started = await browser.fetch(
    '/auth/start?login_hint=canary-hint-ada&return_to=/inbox?canary-token-of-the-page',
  )
  addCookies(canaries, started.setCookies)
  canaries.add('canary-hint-ada', 'canary-token-of-the-page')
  const { authorization_url: url } = started.json() as { authorization_url: string }
  canaries.addUrl(url)
  const callback = await browser.passIdp(url, 'ada')
  canaries.addUrl(callback)
  const back = await browser.navigate(callback)
  assert.equal(back.status, 303)
  addCookies(canaries, back.setCookies)
  assert.ok(tokens.length >= 3)
  assert.equal((await browser.session()).authenticated, true)
  const logout = await browser.fetch('/auth/logout', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"return_to":"/bye?canary-token-of-the-page"}',
  })
  const { logout_url: logoutUrl } = logout.json() as { logout_url: string }
  canaries.addUrl(logoutUrl)
  const onward = await browser.navigate(logoutUrl)
  canaries.addUrl(onward.location)
  assert.ok(onward.location?.includes('id_token_hint='))
  canaries.assertAbsent(world)
  for (const event of ['signed_in', 'signed_out']) {
    const [entry] = world.events(event)
    assert.ok(entry?.request_id, `LG-03: ${event}`)
    assert.ok(entry?.session, `LG-02: ${event} names its session`)
  }
})

test('LG-01: an app journey at trace level leaves no secret in any line', async (t) => {
  const { world, canaries } = await build(t)
  const browser = world.browser()
  const query = `app=android&state=${APP_STATE}&code_challenge_method=S256&code_challenge=${await DIGEST(VERIFIER)}`
  const started = await browser.fetch(`/auth/start?${query}`)
  addCookies(canaries, started.setCookies)
  const { authorization_url: url } = started.json() as { authorization_url: string }
  canaries.addUrl(url)
  const callback = await browser.passIdp(url, 'ada')
  canaries.addUrl(callback)
  const deepLink = (await browser.navigate(callback)).headers.get('location') ?? ''
  canaries.addUrl(deepLink)
  const code = new URL(deepLink).searchParams.get('code')
  const redeem = (session: string, verifier = VERIFIER) =>
    world.browser().request('/auth/handoff', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code, code_verifier: verifier, session }),
    })
  const redeemed = await redeem('token')
  assert.equal(redeemed.status, 200)
  const { session_token: token } = redeemed.json() as { session_token: string }
  canaries.add(token, token.slice(2))
  const authorization = `Bearer ${token}`
  assert.equal((await browser.request('/auth/session', { headers: { authorization } })).status, 200)
  await browser.request('/auth/logout', { method: 'POST', headers: { authorization } })
  assert.equal((await redeem('cookie')).status, 400)
  canaries.assertAbsent(world)
  assert.equal(world.events('handed_over').length, 1)
})

test('LG-01, LG-03: failures at trace level say why, and show nothing of what failed', async (t) => {
  const { world, canaries } = await build(t)
  const { faults } = world.simulator
  const journeys: Readonly<Record<string, Partial<Faults>>> = {
    'a token answer that is no JSON': { token: { kind: 'truncated' } },
    'a token answer that is a page': { token: { kind: 'html' } },
    'a refused code': { token: { kind: 'invalid_grant' } },
    'a refused client': { token: { kind: 'invalid_client' } },
    'a wrong iss': { callback: { kind: 'wrong-iss' } },
    'a wrong nonce': { alterIdToken: (claims) => ({ claims: { ...claims, nonce: 'canary-nonce-forged' } }) },
    'a forged signature': { replaceIdToken: (jwt) => `${jwt.slice(0, -8)}AAAAAAAA` },
    'an IdP that is down': { token: { kind: 'status', status: 503 } },
  }
  canaries.add('canary-nonce-forged')
  for (const [what, fault] of Object.entries(journeys)) {
    const before = world.events('sign_in_failed').length
    const browser = world.browser()
    const started = await browser.fetch('/auth/start')
    addCookies(canaries, started.setCookies)
    const { authorization_url: url } = started.json() as { authorization_url: string }
    canaries.addUrl(url)
    Object.assign(faults, fault)
    const callback = await browser.passIdp(url, 'ada')
    canaries.addUrl(callback)
    const answer = await browser.navigate(callback)
    assert.match(answer.location ?? '', /auth_error=/, what)
    const failed = world.events('sign_in_failed')
    assert.equal(failed.length, before + 1, what)
    assert.match(String(failed.at(-1)?.reason), /[a-z]{3}/, what)
    // The same again: used now.
    assert.equal((await browser.navigate(callback)).status, 400)
    for (const name of ['token', 'callback', 'alterIdToken', 'replaceIdToken'] as const) delete faults[name]
  }
  const browser = world.browser()
  const secret = 'canary-secret-of-a-caller'
  canaries.add(secret)
  const json = { 'content-type': 'application/json' }
  await browser.request(`/auth/callback%zz?code=${secret}`)
  await browser.request(`/auth/%zz?code=${secret}`)
  await browser.request(`/auth/session?x=%zz&token=${secret}`)
  await browser.request(`/auth/nowhere?token=${secret}`)
  await browser.request('/auth/handoff', { method: 'POST', headers: json, body: `{"code":"${secret}"` })
  await browser.request('/auth/handoff', { method: 'POST', headers: json, body: `{"code":"${secret}","${secret}":1}` })
  await browser.request('/auth/session', { headers: { cookie: `oten_session=${secret}`, authorization: secret } })
  await browser.request(`/auth/start?prompt=${secret}&redirect_uri=${secret}`)
  await browser.request(`/auth/logged-out?state=${secret}`)
  await browser.request(`/auth/logout/continue?ticket=${secret}`)
  await browser.request('/auth/logout', { method: 'POST', headers: { origin: 'https://evil.example' } })
  canaries.assertAbsent(world)
  assert.ok(world.events('refused').some(({ code, reason }) => code === 'forbidden_origin' && reason !== undefined))
})
