import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { openBrowser } from '../flows/steps.ts'
import { createWorld } from '../support/world.ts'

/** A browser that has just signed out, and the logout URL that its page got. */
async function signOut(t: TestContext, claims: Record<string, string> = {}) {
  const world = await createWorld(t)
  world.simulator.faults.alterIdToken = (original) => ({ claims: { ...original, ...claims } })
  const browser = openBrowser(world)
  await browser.signIn('ada')
  const headers = { 'content-type': 'application/json' }
  const answer = await browser.fetch('/auth/logout', { method: 'POST', headers, body: '{"return_to":"/bye"}' })
  return { world, browser, logoutUrl: String(answer.json().logout_url) }
}

test('a ticket works once, then leads to /auth/logged-out', async (t) => {
  const { world, browser, logoutUrl } = await signOut(t)
  const first = await browser.navigate(logoutUrl)
  assert.ok(String(first.location).startsWith(world.simulator.issuer))
  assert.equal(first.headers.get('cache-control'), 'no-store')
  assert.equal(first.headers.get('referrer-policy'), 'no-referrer')
  const second = await browser.navigate(logoutUrl)
  assert.equal(second.status, 303)
  assert.equal(second.headers.get('location'), '/auth/logged-out')
})

test('of 20 uses of a ticket at once exactly one gets the ID token', async (t) => {
  const { browser, logoutUrl } = await signOut(t)
  const answers = await Promise.all(Array.from({ length: 20 }, () => browser.navigate(logoutUrl)))
  assert.equal(answers.filter(({ location }) => String(location).includes('id_token_hint=')).length, 1)
})

for (const [seconds, target] of [
  [55, /id_token_hint=/],
  [60, /^http:\/\/localhost:\d+\/auth\/logged-out$/],
] as const) {
  test(`a ticket that is ${seconds} seconds old leads to ${target.source}`, async (t) => {
    const { world, browser, logoutUrl } = await signOut(t)
    world.advance(seconds)
    assert.match(String((await browser.navigate(logoutUrl)).location), target)
  })
}

test('LO-04: the end-session endpoint keeps a query of its own', async (t) => {
  const { world, browser, logoutUrl } = await signOut(t)
  await world.restart()
  world.simulator.faults.alterDiscovery = (document) => ({
    ...document,
    end_session_endpoint: `${document.end_session_endpoint}?tenant=a`,
  })
  const { searchParams } = new URL(String((await browser.navigate(logoutUrl)).location))
  assert.equal(searchParams.get('tenant'), 'a')
  assert.equal(searchParams.get('client_id'), 'bff')
})

for (const query of ['', '?ticket=', '?ticket=unknown', '?ticket=a&ticket=b', `?ticket=${'x'.repeat(4000)}`]) {
  test(`continue${query.slice(0, 30)} leads to /auth/logged-out, and from there to /`, async (t) => {
    const browser = openBrowser(await createWorld(t))
    const answer = await browser.navigate(`/auth/logout/continue${query}`)
    assert.equal(answer.status, 303)
    assert.equal(answer.headers.get('location'), '/auth/logged-out')
    assert.equal((await browser.navigate(String(answer.location))).headers.get('location'), '/')
  })
}

test('LO-04: a hint of more than 2000 octets goes by a form that sends itself', async (t) => {
  const { world, browser, logoutUrl } = await signOut(t, { bio: `<"'&>${'b'.repeat(2000)}` })
  const page = await browser.navigate(logoutUrl)
  assert.equal(page.status, 200)
  assert.equal(page.location, null)
  assert.match(page.text, new RegExp(`<form method="post" action="${world.simulator.issuer}/v1/oauth/logout">`))
  const fields = Object.fromEntries(
    [...page.text.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  )
  assert.deepEqual(Object.keys(fields).toSorted(), ['client_id', 'id_token_hint', 'post_logout_redirect_uri', 'state'])
  assert.ok(String(fields.id_token_hint).length > 2000)
  const script = /<script>([^<]+)<\/script>/.exec(page.text)?.[1] ?? ''
  assert.ok(page.headers.get('content-security-policy')?.includes(`'sha256-${hash('sha256', script, 'base64')}'`))
  assert.doesNotMatch(String(page.headers.get('content-security-policy')), /unsafe/)
})

for (const query of ['', '?state=', '?state=unknown', '?state=a&state=b', `?state=${'s'.repeat(4000)}`, '?x=1']) {
  test(`LO-06: logged-out${query.slice(0, 30)} leads to /, and is no error`, async (t) => {
    const answer = await openBrowser(await createWorld(t)).navigate(`/auth/logged-out${query}`)
    assert.equal(answer.status, 303)
    assert.equal(answer.headers.get('location'), '/')
    assert.equal(answer.headers.get('cache-control'), 'no-store')
  })
}

test('LO-06: the state of a sign-out leads to its return_to once, for ten minutes', async (t) => {
  for (const [seconds, target] of [
    [595, '/bye'],
    [600, '/'],
  ] as const) {
    const { world, browser, logoutUrl } = await signOut(t)
    const state = new URL(String((await browser.navigate(logoutUrl)).location)).searchParams.get('state')
    world.advance(seconds)
    assert.equal((await browser.navigate(`/auth/logged-out?state=${state}`)).headers.get('location'), target)
    assert.equal((await browser.navigate(`/auth/logged-out?state=${state}`)).headers.get('location'), '/')
  }
})

test('a failure of either page is a page for a navigation, and JSON for a fetch', async (t) => {
  const world = await createWorld(t)
  const browser = openBrowser(world)
  await world.store.close()
  for (const path of ['/auth/logged-out?state=a', '/auth/logout/continue?ticket=a']) {
    const page = await browser.navigate(path)
    assert.equal(page.status, 503)
    assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
    assert.match(String(page.headers.get('retry-after')), /^[1-9]\d*$/)
    assert.equal((await browser.fetch(path)).json().error, 'store_unavailable')
  }
})
