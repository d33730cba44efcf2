import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Browser } from '../support/browser.ts'
import { createSessionKey } from '../support/env.ts'
import { createWorld } from '../support/world.ts'
import { countTokenRequests, openBrowser, reachCallback, sendPlain } from './steps.ts'

const SESSION = 'oten_session'
const CREDENTIAL = /^b_[A-Za-z0-9_-]{43}$/

/** Whether a session cookie of this value is worth anything. */
const isAlive = async (world: { publicUrl: string }, credential: string | undefined): Promise<unknown> =>
  (await sendPlain(world, '/auth/session', { headers: { cookie: `${SESSION}=${credential}` } })).json().authenticated

const subOf = async (browser: Browser): Promise<unknown> =>
  ((await browser.session()).user as { sub: string } | undefined)?.sub

test('CB-07: prompt=none without a session at the IdP comes back as login_required, and stays there', async (t) => {
  const world = await createWorld(t)
  const browser = openBrowser(world)
  const back = await browser.signIn('ada', 'prompt=none&return_to=/inbox')
  assert.equal(back.status, 303)
  assert.equal(back.headers.get('location'), '/inbox?auth_error=login_required')
  assert.deepEqual(await browser.session(), { authenticated: false })
  assert.equal(world.simulator.stats.authorizeRequests, 1)
})

test('CB-07: prompt=none with a session at the IdP signs in unseen', async (t) => {
  const world = await createWorld(t)
  const browser = openBrowser(world)
  await browser.signIn('ada')
  const back = await browser.signIn('somebody-else', 'prompt=none&return_to=/inbox')
  assert.equal(back.headers.get('location'), '/inbox')
  assert.equal(await subOf(browser), 'ada')
  assert.equal(world.simulator.stats.logins, 1)
})

test('cancelling at the IdP comes back as access_denied and leaves the session of before alone', async (t) => {
  const world = await createWorld(t)
  const browser = openBrowser(world)
  await browser.signIn('ada')
  const { url } = await reachCallback(world, { browser, action: 'deny', query: 'prompt=login' })
  assert.equal((await browser.navigate(url.href)).headers.get('location'), '/?auth_error=access_denied')
  assert.equal(await subOf(browser), 'ada')
})

for (const [fault, error] of [
  [{ kind: 'status', status: 503 }, 'idp_unavailable'],
  [{ kind: 'reset' }, 'idp_unavailable'],
  [{ kind: 'invalid_grant' }, 'sign_in_failed'],
  [{ kind: 'invalid_client' }, 'sign_in_failed'],
  [{ kind: 'missing', members: ['id_token'] }, 'sign_in_failed'],
] as const) {
  test(`a token endpoint that answers ${fault.kind} comes back as ${error}, after one request`, async (t) => {
    const world = await createWorld(t)
    const { browser, url } = await reachCallback(world)
    world.simulator.faults.token = fault
    assert.equal((await browser.navigate(url.href)).headers.get('location'), `/?auth_error=${error}`)
    assert.equal(countTokenRequests(world), 1)
    assert.equal(await browser.cookie(SESSION), undefined)
    assert.equal(world.events('sign_in_failed')[0]?.code, error)
  })
}

test('an IdP that is down since a restart comes back as idp_unavailable', async (t) => {
  const world = await createWorld(t)
  const { browser, url } = await reachCallback(world)
  await world.restart()
  world.simulator.faults.discovery = { kind: 'reset' }
  assert.equal((await browser.navigate(url.href)).headers.get('location'), '/?auth_error=idp_unavailable')
})

test('CB-11: a session cookie that was planted before the sign-in is never adopted', async (t) => {
  const world = await createWorld(t)
  const planted = `b_${'A'.repeat(43)}`
  const browser = openBrowser(world)
  await browser.jar.setCookie(`${SESSION}=${planted}; Path=/`, world.publicUrl)
  await browser.signIn('ada')
  const credential = await browser.cookie(SESSION)
  assert.match(String(credential), CREDENTIAL)
  assert.notEqual(credential, planted)
  assert.equal(await isAlive(world, credential), true)
  assert.equal(await isAlive(world, planted), false)
})

test("CB-11: a live session that was planted before the sign-in ends, and does not become the victim's", async (t) => {
  const world = await createWorld(t)
  const attacker = openBrowser(world)
  await attacker.signIn('mallory')
  const planted = await attacker.cookie(SESSION)
  const victim = openBrowser(world)
  await victim.jar.setCookie(`${SESSION}=${planted}; Path=/`, world.publicUrl)
  await victim.signIn('ada')
  assert.equal(await subOf(victim), 'ada')
  assert.deepEqual(await attacker.session(), { authenticated: false })
})

for (const login of ['ada', 'grace']) {
  test(`CB-11: ada's earlier session ends when ${login} signs in after her in the same browser`, async (t) => {
    const world = await createWorld(t)
    const browser = openBrowser(world)
    await browser.signIn('ada')
    const earlier = await browser.cookie(SESSION)
    assert.equal(await isAlive(world, earlier), true)
    await browser.signIn(login, 'prompt=login')
    assert.equal(await subOf(browser), login)
    assert.notEqual(await browser.cookie(SESSION), earlier)
    assert.equal(await isAlive(world, earlier), false)
  })
}

test('CB-11: the earlier session ends also when its Strict cookie does not come with the callback', async (t) => {
  const world = await createWorld(t)
  const browser = openBrowser(world)
  await browser.signIn('ada')
  const earlier = await browser.cookie(SESSION)
  const { url } = await reachCallback(world, { browser })
  const cookies = (await browser.jar.getCookies(url.href)).filter(({ key }) => key !== SESSION)
  const answer = await sendPlain(world, url.href, { headers: { cookie: cookies.join('; ') } })
  assert.equal(answer.headers.get('location'), '/')
  assert.equal(await isAlive(world, earlier), false)
})

test('CB-11: the session that is presented at the callback ends, also when it began after the start', async (t) => {
  const world = await createWorld(t)
  const browser = openBrowser(world)
  const first = await reachCallback(world, { browser })
  const second = await reachCallback(world, { browser })
  await browser.navigate(second.url.href)
  const earlier = await browser.cookie(SESSION)
  assert.equal(await isAlive(world, earlier), true)
  const answer = await browser.navigate(first.url.href)
  assert.equal(answer.headers.get('location'), '/', 'of two sign-ins side by side both complete (ST-07)')
  assert.equal(await isAlive(world, earlier), false)
  assert.equal((await browser.session()).authenticated, true)
})

test("CB-11: another browser's session stays, and cannot be used from elsewhere without its cookie", async (t) => {
  const world = await createWorld(t)
  const [one, two] = [openBrowser(world), openBrowser(world)]
  await one.signIn('ada')
  await two.signIn('ada')
  assert.equal((await one.session()).authenticated, true)
  assert.equal((await two.session()).authenticated, true)
  assert.notEqual(await one.cookie(SESSION), await two.cookie(SESSION))
  assert.deepEqual(await openBrowser(world).session(), { authenticated: false })
})

test('CB-12: an answer is not taken to another issuer than the one that was asked', async (t) => {
  const store = createMemoryStore({ now: () => Date.now() / 1000 })
  const env = { SESSION_KEYS: createSessionKey() }
  const simulator = { authorizationResponseIss: false } // So that nothing but the transaction tells them apart.
  const asked = await createWorld(t, { store, env, simulator })
  const { browser, url } = await reachCallback(asked)
  const other = await createWorld(t, { store, env, simulator })
  const answer = await browser.navigate(url.href.replace(asked.publicUrl, other.publicUrl))
  assert.equal(answer.headers.get('location'), '/?auth_error=sign_in_failed')
  assert.equal(countTokenRequests(other), 0)
  assert.equal(other.events('sign_in_failed')[0]?.reason, 'issuer_changed')
})

test('BL-13: a sign-in that was under way when its IdP session was logged out does not come alive', async (t) => {
  const world = await createWorld(t)
  const browser = openBrowser(world)
  await browser.signIn('ada')
  const late = await reachCallback(world, { browser, query: 'return_to=/inbox' })
  await browser.fetch('/auth/logout', { method: 'POST' })
  const answer = await browser.navigate(late.url.href)
  assert.equal(answer.headers.get('location'), '/inbox?auth_error=sign_in_failed')
  assert.equal(await browser.cookie(SESSION), undefined)
  assert.deepEqual(await browser.session(), { authenticated: false })
  assert.equal(world.events('sign_in_failed')[0]?.reason, 'logged_out_meanwhile')
  for await (const key of world.store.scan('session:')) assert.fail(`${key} is left`)
})

test('BL-13: a sign-in that begins after the logout comes alive, with the same session at the IdP', async (t) => {
  const world = await createWorld(t)
  const browser = openBrowser(world)
  await browser.signIn('ada')
  await browser.fetch('/auth/logout', { method: 'POST' })
  assert.equal((await browser.signIn('ada')).headers.get('location'), '/')
  assert.equal(world.simulator.stats.logins, 1)
  assert.equal((await browser.session()).authenticated, true)
})

test("BL-13: another user's logout does not touch a sign-in that is under way", async (t) => {
  const world = await createWorld(t)
  const other = openBrowser(world)
  await other.signIn('grace')
  const { browser, url } = await reachCallback(world)
  await other.fetch('/auth/logout', { method: 'POST' })
  assert.equal((await browser.navigate(url.href)).headers.get('location'), '/')
})

test('a restart in the middle of a sign-in, and of a session, is not noticed', async (t) => {
  const world = await createWorld(t)
  const { browser, url } = await reachCallback(world)
  await world.restart()
  assert.equal((await browser.navigate(url.href)).headers.get('location'), '/')
  await world.restart()
  assert.equal(await subOf(browser), 'ada')
})

test('LG-01: no code, state, verifier, nonce, cookie or token of a sign-in is in any log line', async (t) => {
  const world = await createWorld(t)
  const tokens: unknown[] = []
  world.simulator.faults.alterTokenResponse = (body) => {
    tokens.push(body.access_token, body.refresh_token, body.id_token)
    return body
  }
  const { browser, url, replay } = await reachCallback(world)
  const cookies = (await browser.jar.getCookies(url.href)).map(({ value }) => value)
  await browser.navigate(url.href)
  await replay()
  const secrets = [...tokens, ...cookies, url.searchParams.get('code'), url.searchParams.get('state')]
  for (const secret of [...secrets, await browser.cookie(SESSION)]) {
    assert.ok(typeof secret === 'string' && secret.length > 15)
    assert.ok(!world.logs.join('').includes(secret))
  }
})
