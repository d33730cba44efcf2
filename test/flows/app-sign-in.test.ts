import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { createSessionKey } from '../support/env.ts'
import { CLAIMED_LINK, createWorld, DEEP_LINK } from '../support/world.ts'
import { createPhone, readReturned } from './phone.ts'
import { countTokenRequests, openBrowser, readRequestObject } from './steps.ts'

const collect = async (keys: AsyncIterable<string>): Promise<string[]> => {
  const found: string[] = []
  for await (const key of keys) found.push(key)
  return found
}

for (const session of ['cookie', 'token'] as const) {
  test(`an app signs in by deep link and gets its session as a ${session}`, async (t) => {
    const world = await createWorld(t)
    const phone = createPhone(world, { app: 'ios' })
    const { link, code } = await phone.signIn('ada')
    assert.ok(link.href.startsWith(`${CLAIMED_LINK}?`))
    const redeemed = await phone.redeem(code, { session })
    assert.equal(redeemed.status, 200)
    const { user, authenticated, session_token: token } = redeemed.json()
    assert.equal(authenticated, true)
    assert.equal((user as { sub: string }).sub, 'ada')
    assert.equal(typeof token, session === 'token' ? 'string' : 'undefined')
    assert.equal(redeemed.setCookies.length, session === 'token' ? 0 : 1)
  })
}

for (const [what, overrides] of [
  ['no challenge', { code_challenge: '' }],
  ['a challenge of 42 characters', { code_challenge: 'a'.repeat(42) }],
  ['a challenge of 44 characters', { code_challenge: 'a'.repeat(44) }],
  ['a challenge in base64 with padding', { code_challenge: `${'a'.repeat(42)}=` }],
  ['the plain method', { code_challenge_method: 'plain' }],
  ['no method', { code_challenge_method: '' }],
  ['a state of 513 characters', { state: 's'.repeat(513) }],
  ['an unknown app', { app: 'unknown' }],
  ['the link in place of the app', { app: CLAIMED_LINK }],
  ['return_to', { return_to: '/' }],
  ['redirect_uri', { redirect_uri: 'https://evil.example/' }],
] as const) {
  test(`MH-01, MH-02: a sign-in of an app with ${what} is refused`, async (t) => {
    const world = await createWorld(t)
    const answer = await createPhone(world).open(overrides)
    assert.equal(answer.status, 400)
    assert.deepEqual(answer.setCookies, [])
  })
}

test("MH-01: the app's challenge is not the one that is used with the IdP", async (t) => {
  const world = await createWorld(t)
  const phone = createPhone(world)
  const { code_challenge: challenge, state } = readRequestObject(String((await phone.open()).location))
  assert.match(String(challenge), /^[A-Za-z0-9_-]{43}$/)
  assert.notEqual(challenge, phone.challenge)
  assert.notEqual(state, 'state-of-the-app')
})

test('MH-02: the link is the configured one, whatever else the app asks for', async (t) => {
  const world = await createWorld(t)
  const phone = createPhone(world)
  const started = await phone.open({ deep_link: 'evil:/x', target: 'evil:/x', link: 'evil:/x', redirect: 'evil:/x' })
  const callback = await phone.browser.passIdp(String(started.location), 'ada')
  assert.ok(readReturned(await phone.browser.navigate(callback)).link.href.startsWith(`${DEEP_LINK}?`))
})

test('MH-02: a link that has a query of its own keeps it', async (t) => {
  const world = await createWorld(t, { env: { APPS: 'android=com.example.app:/signed-in?from=bff' } })
  const { link, code } = await createPhone(world).signIn('ada')
  assert.equal(link.href, `com.example.app:/signed-in?from=bff&code=${code}&state=state-of-the-app`)
})

test('MH-04: the link carries the code and the state of the app, and nothing else', async (t) => {
  const world = await createWorld(t)
  const { link, code } = await createPhone(world).signIn('ada')
  assert.match(code, /^[A-Za-z0-9_-]{43}$/)
  assert.deepEqual([...link.searchParams.keys()], ['code', 'state'])
  assert.equal(link.hash, '')
})

test('MH-08: the browser part is bound: finished in another browser it is 400, and no link is opened', async (t) => {
  const world = await createWorld(t)
  const phone = createPhone(world)
  const callback = await phone.browser.passIdp(String((await phone.open()).location), 'ada')
  const answer = await openBrowser(world).navigate(callback)
  assert.equal(answer.status, 400)
  assert.equal(answer.location, null)
  assert.doesNotMatch(answer.text, /com\.example\.app/)
  assert.equal(countTokenRequests(world), 0)
})

test('MH-09: who starts a sign-in that another finishes gets nothing of it', async (t) => {
  const world = await createWorld(t)
  const attacker = createPhone(world)
  const authorizationUrl = String((await attacker.open()).location)
  const victim = openBrowser(world)
  const callback = await victim.passIdp(authorizationUrl, 'ada')
  assert.equal((await victim.navigate(callback)).status, 400)
  const state = String(new URL(callback).searchParams.get('state'))
  for (const code of [state, String(new URL(callback).searchParams.get('code')), attacker.challenge]) {
    assert.equal((await attacker.redeem(code)).status, 400)
  }
  for (const path of ['/auth/handoff', `/auth/handoff?state=${state}`, `/auth/handoff/${state}`]) {
    assert.ok([404, 405].includes((await attacker.browser.fetch(path)).status), 'there is no way to ask for a result')
  }
  assert.deepEqual(await attacker.browser.session(), { authenticated: false })
  assert.deepEqual(await collect(world.store.scan('handoff')), [])
})

test('MH-10: there is no session before the redemption, and none in the system browser after it', async (t) => {
  const world = await createWorld(t)
  const phone = createPhone(world)
  const { answer, code } = await phone.signIn('ada')
  assert.ok(answer.setCookies.every((line) => /^oten_tx_[\w-]{8}=; Max-Age=0/.test(line)))
  assert.deepEqual(await collect(world.store.scan('session:')), [])
  assert.equal((await phone.redeem(code)).status, 200)
  assert.equal(await phone.browser.cookie('oten_session'), undefined)
  assert.deepEqual(await phone.browser.session(), { authenticated: false })
})

test("MH-10: a session that the user has in that browser is not the app's, and stays", async (t) => {
  const world = await createWorld(t)
  const browser = openBrowser(world)
  await browser.signIn('ada')
  const { code } = await createPhone(world, { browser }).signIn('ada')
  assert.equal(code.length, 43)
  assert.equal((await browser.session()).authenticated, true)
})

test('MH-11, MH-16: the redirect is a 303 with a page that names the app and has its link as a button', async (t) => {
  const world = await createWorld(t)
  const { answer, link } = await createPhone(world, { state: `"><script>'&` }).signIn('ada')
  assert.equal(answer.status, 303)
  assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8')
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.equal(answer.headers.get('referrer-policy'), 'no-referrer')
  const policy = String(answer.headers.get('content-security-policy'))
  for (const directive of ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]) {
    assert.ok(policy.includes(directive))
  }
  assert.doesNotMatch(policy, /unsafe|script-src/)
  assert.match(answer.text, /Open android/)
  const [href, ...more] = [...answer.text.matchAll(/(?:href|src|action)="([^"]*)"/g)].map(([, url]) => url)
  assert.equal(href?.replaceAll('&amp;', '&').replaceAll('&#39;', "'"), link.href)
  assert.deepEqual(more, [])
  assert.doesNotMatch(answer.text, /<script/)
})

test('MH-15: a cancelled sign-in opens the link with access_denied and the state', async (t) => {
  const world = await createWorld(t)
  const { answer, link } = await createPhone(world).signIn('ada', 'deny')
  assert.equal(answer.status, 303)
  assert.equal(link.href, `${DEEP_LINK}?error=access_denied&state=state-of-the-app`)
  assert.equal(await collect(world.store.scan('handoff')).then(({ length }) => length), 0)
})

for (const [said, told] of [
  ['login_required', 'login_required'],
  ['temporarily_unavailable', 'idp_unavailable'],
  ['<script>', 'sign_in_failed'],
] as const) {
  test(`MH-15: the IdP's error ${said} opens the link with ${told}`, async (t) => {
    const world = await createWorld(t)
    world.simulator.faults.callback = { kind: 'error', set: { error: said, error_description: 'canary' } }
    const { link } = await createPhone(world).signIn('ada')
    assert.equal(link.href, `${DEEP_LINK}?error=${told}&state=state-of-the-app`)
  })
}

test('MH-15: a token endpoint that is down opens the link with idp_unavailable', async (t) => {
  const world = await createWorld(t)
  world.simulator.faults.token = { kind: 'status', status: 503 }
  assert.equal((await createPhone(world).signIn('ada')).link.searchParams.get('error'), 'idp_unavailable')
})

for (const state of ['a b+c%20d&e=f#g?h/i', `é ü 漢 😀 "'<>\\^|`, 's'.repeat(512)]) {
  test(`MH-15: the state of the app comes back as it was: ${state.slice(0, 20)}`, async (t) => {
    const world = await createWorld(t)
    const { link } = await createPhone(world, { state }).signIn('ada')
    assert.equal(link.searchParams.get('state'), state)
    assert.ok(!link.search.includes('+'), 'not every platform reads + as a space')
  })
}

test('an app that was taken out of APPS meanwhile gets the page with 400, and no link', async (t) => {
  const store = createMemoryStore({ now: () => Date.now() / 1000 })
  const env = { SESSION_KEYS: createSessionKey() }
  const before = await createWorld(t, { store, env })
  const phone = createPhone(before)
  const callback = await phone.browser.passIdp(String((await phone.open()).location), 'ada')
  const after = await createWorld(t, { store, env: { ...env, APPS: `ios=${CLAIMED_LINK}` } })
  const answer = await phone.browser.navigate(callback.replace(before.publicUrl, after.publicUrl))
  assert.equal(answer.status, 400)
  assert.equal(answer.location, null)
})

test('a restart between the deep link and the redemption is not noticed', async (t) => {
  const world = await createWorld(t)
  const phone = createPhone(world)
  const { code } = await phone.signIn('ada')
  await world.restart()
  const token = String((await phone.redeem(code, { session: 'token' })).json().session_token)
  await world.restart()
  assert.equal((await phone.call(token)).json().authenticated, true)
})
