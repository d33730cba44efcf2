import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt, type JWTPayload } from 'jose'
import { request } from 'undici'
import type { Answer, Browser } from '../support/browser.ts'
import { createWorld, getFreePort, type World } from '../support/world.ts'
import { FETCH, NAVIGATION } from './build-start.ts'

const startUrl = (answer: Answer): URL => {
  assert.equal(answer.status, 200, answer.text)
  return new URL(String(answer.json().authorization_url))
}
const readClaims = (url: URL): JWTPayload & Record<string, unknown> => decodeJwt(url.searchParams.get('request') ?? '')
const start = async (browser: Browser, query = ''): Promise<URL> =>
  startUrl(await browser.fetch(`/auth/start?${query}`))

async function finish(browser: Browser, url: URL): Promise<Answer> {
  return browser.navigate(await browser.passIdp(url.href, 'ada'))
}

test('ST-07: two tabs that start A then B and finish B then A both arrive where they wanted', async (t) => {
  const browser = (await createWorld(t)).browser()
  const a = await start(browser, 'return_to=/a')
  const b = await start(browser, 'return_to=/b')
  assert.equal((await finish(browser, b)).headers.get('location'), '/b')
  assert.equal((await finish(browser, a)).headers.get('location'), '/a')
  assert.equal((await browser.session()).authenticated, true)
})

test('ST-07: twenty tabs at once, from a browser without cookies, all complete and leave no transaction cookie', async (t) => {
  const world = await createWorld(t)
  const browser = world.browser()
  const urls = await Promise.all(Array.from({ length: 20 }, (_, tab) => start(browser, `return_to=/tab/${tab}`)))
  const cookies = await browser.jar.getCookies(world.publicUrl)
  assert.equal(cookies.length, 20)
  assert.ok(cookies.map(({ key, value }) => `${key}=${value}`).join('; ').length <= 2048)
  for (const [tab, url] of urls.entries()) {
    const back = await finish(browser, url)
    assert.equal(back.status, 303, back.text)
    assert.equal(back.headers.get('location'), `/tab/${tab}`)
  }
  const left = await browser.jar.getCookies(world.publicUrl)
  assert.ok(!left.some(({ key }) => key.startsWith('oten_tx_')))
})

test('ST-06: a sign-in that was started in another browser does not complete in this one', async (t) => {
  const world = await createWorld(t)
  const [ada, eve] = [world.browser(), world.browser()]
  const callback = await eve.passIdp((await start(eve)).href, 'eve')
  const refused = await ada.navigate(callback)
  assert.equal(refused.status, 400)
  assert.deepEqual(await ada.session(), { authenticated: false })
})

test('ST-09: a changed state refuses the sign-in and moves no target', async (t) => {
  const browser = (await createWorld(t)).browser()
  const url = await start(browser, 'return_to=/inbox')
  const other = readClaims(await start(browser, 'return_to=/elsewhere')).state
  const callback = new URL(await browser.passIdp(url.href, 'ada'))
  for (const state of [String(other), `${callback.searchParams.get('state')}x`, '/evil', '']) {
    const changed = new URL(callback)
    changed.searchParams.set('state', state)
    const answer = await browser.navigate(changed.href)
    assert.doesNotMatch(String(answer.location), /inbox$/)
    assert.deepEqual(await browser.session(), { authenticated: false })
  }
})

test('the return target arrives at the browser byte for byte after the sign-in', async (t) => {
  const browser = (await createWorld(t)).browser()
  for (const target of [
    '/inbox?next=%2Fa+b%26c#/x?y',
    '/gr%C3%B6%C3%9Fe/',
    'http://localhost:5173/tabs?a=1#b',
    "/?q='",
  ]) {
    const back = await finish(browser, await start(browser, `return_to=${encodeURIComponent(target)}`))
    assert.equal(back.headers.get('location'), target)
  }
})

test('RO-01 RO-12: the IdP accepts what a reload starts, and refuses the same request object a second time', async (t) => {
  const world = await createWorld(t)
  const browser = world.browser()
  const [first, reloaded] = [await start(browser), await start(browser)]
  await browser.navigate(first.href)
  const answer = await browser.navigate(reloaded.href)
  assert.ok(answer.status < 400)
  assert.deepEqual(world.simulator.stats.refused, [])
  await browser.navigate(first.href)
  assert.equal(world.simulator.stats.refusedCount, 1)
})

test('RO-06: aud is the issuer to the byte, a slash at its end included', async (t) => {
  const port = await getFreePort()
  const issuer = `http://127.0.0.1:${port}/`
  const world = await createWorld(t, { simulator: { port, advertise: { issuer } }, env: { OTEN_ISSUER: issuer } })
  assert.equal(readClaims(await start(world.browser())).aud, issuer)
})

test('RO-06: JAR_AUDIENCE replaces it, as one string', async (t) => {
  const world = await createWorld(t, { env: { JAR_AUDIENCE: 'https://audience.example/a' } })
  assert.equal(readClaims(await start(world.browser())).aud, 'https://audience.example/a')
})

test('ST-01 RO-14 RO-15: the discovered endpoint keeps its own query, beside client_id and request once each', async (t) => {
  const world = await createWorld(t)
  world.simulator.faults.alterDiscovery = (document) => ({
    ...document,
    authorization_endpoint: `${document.authorization_endpoint}?tenant=a%20b`,
  })
  const { statusCode, headers } = await request(`${world.publicUrl}/auth/start`, { headers: NAVIGATION })
  assert.equal(statusCode, 303)
  const location = String(headers.location)
  assert.ok(location.startsWith(`${world.simulator.issuer}/`))
  assert.match(location, /authorize\?tenant=a%20b&client_id=bff&request=[A-Za-z0-9_.-]+$/)
})

/** Starts by fetch and by navigation; both must fail closed. */
async function assertUnavailable({ publicUrl }: World): Promise<void> {
  for (const caller of [FETCH, NAVIGATION]) {
    const { statusCode, headers, body } = await request(`${publicUrl}/auth/start`, { headers: caller })
    const text = await body.text()
    assert.equal(statusCode, 503, text)
    assert.match(String(headers['retry-after']), /^[1-9][0-9]*$/)
    assert.equal(headers.location, undefined)
    assert.equal(headers['set-cookie'], undefined)
    if (caller === FETCH) assert.equal((JSON.parse(text) as { error: string }).error, 'idp_unavailable')
    else assert.match(String(headers['content-type']), /^text\/html/)
  }
}

const UNUSABLE = {
  'ST-13: discovery that does not answer': { kind: 'reset' },
  'ST-13: discovery that fails': { kind: 'status', status: 500 },
  'ST-13: metadata of another issuer': { kind: 'wrong-issuer' },
  'ST-13: metadata without endpoints': { kind: 'no-endpoints' },
  'ST-13: metadata without S256': { kind: 'no-s256' },
  'RO-20: request_parameter_supported=false': { kind: 'no-request-parameter' },
  'RO-20: a list of request-object algorithms without ours': { kind: 'other-request-object-algs' },
} as const

for (const [what, fault] of Object.entries(UNUSABLE)) {
  test(`${what}: 503, no redirect, no cookie; it starts again once that is put right`, async (t) => {
    const world = await createWorld(t)
    world.simulator.faults.discovery = { ...fault }
    await assertUnavailable(world)
    world.simulator.faults.clear()
    world.advance(20)
    await start(world.browser())
  })
}

test('ST-13: the last good metadata serves for 24 hours, and no longer', async (t) => {
  const world = await createWorld(t)
  await start(world.browser())
  world.simulator.faults.discovery = { kind: 'status', status: 503 }
  world.advance(24 * 3600 - 60)
  await start(world.browser())
  world.advance(120)
  await assertUnavailable(world)
})
