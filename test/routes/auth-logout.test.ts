import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Client } from 'undici'
import { openBrowser, parseSetCookie, sendPlain } from '../flows/steps.ts'
import { RULES, readHostileTargets } from '../login/return-targets.ts'
import { buildService } from '../plugins/build-service.ts'
import { createWorld, SPA, type WorldOptions } from '../support/world.ts'

const EVIL = 'https://evil.example'

async function signIn(t: TestContext, options: WorldOptions = {}) {
  const world = await createWorld(t, options)
  const browser = openBrowser(world)
  await browser.signIn('ada')
  return { world, browser }
}

for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
  test(`LO-01: ${method} on /auth/logout is 405 with Allow: POST, and ends nothing`, async (t) => {
    const { browser } = await signIn(t)
    const answer = await browser.navigate('/auth/logout', { method })
    assert.equal(answer.status, 405)
    assert.equal(answer.headers.get('allow'), 'POST')
    assert.deepEqual(answer.setCookies, [])
    assert.equal((await browser.session()).authenticated, true)
  })
}

for (const [what, headers] of [
  ['a form of a foreign page', { origin: EVIL, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
  ['a form of a sandboxed page', { origin: 'null', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
  ['a fetch of a foreign page', { origin: EVIL, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
  ['a page on another port', { origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' }],
  ['a same-site page that hides its origin', { 'sec-fetch-site': 'same-site' }],
  ['a cross-site request without Origin', { 'sec-fetch-site': 'cross-site' }],
  ['a caller that says neither', {}],
] as const) {
  test(`LO-01: ${what} cannot sign a browser out`, async (t) => {
    const { world, browser } = await signIn(t)
    const cookie = await browser.jar.getCookieString(world.publicUrl)
    const answer = await sendPlain(world, '/auth/logout', { method: 'POST', headers: { ...headers, cookie } })
    assert.equal(answer.status, 403)
    assert.equal(answer.json().error, 'forbidden_origin')
    assert.deepEqual(answer.setCookies, [])
    assert.equal(answer.headers.get('clear-site-data'), null)
    assert.equal((await browser.session()).authenticated, true)
  })
}

test('LO-02: a sign-out can be repeated, and without a session it succeeds too', async (t) => {
  const { world, browser } = await signIn(t)
  const cookie = await browser.jar.getCookieString(world.publicUrl)
  assert.notEqual((await browser.fetch('/auth/logout', { method: 'POST' })).json().logout_url, null)
  for (const headers of [{ cookie }, { cookie: 'oten_session=nonsense' }, { cookie: '' }]) {
    const answer = await browser.fetch('/auth/logout', { method: 'POST', headers })
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.json(), { logout_url: null })
  }
  const navigated = await openBrowser(world).navigate('/auth/logout', {
    method: 'POST',
    headers: { origin: world.publicUrl },
    body: new URLSearchParams({ return_to: '/bye' }),
  })
  assert.equal(navigated.headers.get('location'), '/bye')
})

test('SC-12: the session cookie is deleted with the attributes it was set with', async (t) => {
  const world = await createWorld(t)
  const browser = openBrowser(world)
  const set = (await browser.signIn('ada')).setCookies.map(parseSetCookie).find(({ name }) => name === 'oten_session')
  const answer = await browser.fetch('/auth/logout', { method: 'POST' })
  const [deleted, ...more] = answer.setCookies.map(parseSetCookie)
  assert.deepEqual(more, [])
  assert.deepEqual([deleted?.name, deleted?.value], ['oten_session', ''])
  assert.deepEqual(Object.fromEntries(deleted?.attributes ?? []), {
    ...Object.fromEntries(set?.attributes ?? []),
    'max-age': '0',
  })
})

for (const returnTo of [
  EVIL,
  '//evil.example',
  '/\\evil.example',
  '/%5cevil.example',
  '/%2f%2fevil.example',
  'javascript:alert(1)',
  'http://localhost:5173@evil.example/',
  'http://localhost:5173.evil.example/',
  '/a\r\nset-cookie: x=y',
  'bye',
  '',
]) {
  test(`LO-05: a return_to of ${JSON.stringify(returnTo)} is 400, and the session is still alive`, async (t) => {
    const { browser } = await signIn(t)
    for (const [type, body] of [
      ['application/json', JSON.stringify({ return_to: returnTo })],
      ['application/x-www-form-urlencoded', new URLSearchParams({ return_to: returnTo }).toString()],
    ] as const) {
      const answer = await browser.fetch('/auth/logout', { method: 'POST', headers: { 'content-type': type }, body })
      assert.equal(answer.status, 400)
      assert.equal(answer.json().error, 'invalid_request')
      assert.deepEqual(answer.setCookies, [])
    }
    assert.equal((await browser.session()).authenticated, true)
  })
}

test('LO-05, ST-08: every hostile return target is 400 over HTTP, as JSON and as a form, and ends nothing', async (t) => {
  const { publicUrl, allowedOrigins } = RULES
  const env = { PUBLIC_URL: publicUrl, ALLOWED_ORIGINS: allowedOrigins.join(',') }
  const { app, cookieName, plant } = await buildService(t, { env })
  const cookie = `${cookieName}=${await plant()}`
  const client = new Client(await app.listen({ host: '127.0.0.1', port: 0 }))
  t.after(() => client.close())
  for (const [written, target] of [...readHostileTargets(), ['(nothing)', ''] as const]) {
    for (const [type, body] of [
      ['application/json', JSON.stringify({ return_to: target })],
      ['application/x-www-form-urlencoded', new URLSearchParams({ return_to: target }).toString()],
    ] as const) {
      const headers = { cookie, origin: publicUrl, 'content-type': type }
      const answer = await client.request({ method: 'POST', path: '/auth/logout', headers, body })
      assert.equal(answer.statusCode, 400, `${type}: ${written}`)
      assert.match(await answer.body.text(), /^\{"error":"invalid_request",/)
      assert.equal(answer.headers['set-cookie'], undefined, written)
    }
  }
  const session = await client.request({ method: 'GET', path: '/auth/session', headers: { cookie } })
  assert.match(await session.body.text(), /^\{"authenticated":true,/)
})

for (const [what, type, body, status] of [
  ['a number for return_to', 'application/json', '{"return_to":1}', 400],
  ['a member that we do not know', 'application/json', '{"redirect_uri":"https://evil.example"}', 400],
  ['a list', 'application/json', '[]', 400],
  ['broken JSON', 'application/json', '{', 400],
  ['a repeated field', 'application/x-www-form-urlencoded', 'return_to=/&return_to=/a', 400],
  ['a field that we do not know', 'application/x-www-form-urlencoded', 'post_logout_redirect_uri=/', 400],
  ['text', 'text/plain', '{"return_to":"/"}', 415],
  ['a multipart form', 'multipart/form-data; boundary=x', '--x--', 415],
  ['more than 64 KiB', 'application/json', `{"return_to":"/${'a'.repeat(65_536)}"}`, 413],
] as const) {
  test(`a sign-out with ${what} is ${status} and ends nothing`, async (t) => {
    const { browser } = await signIn(t)
    const answer = await browser.fetch('/auth/logout', { method: 'POST', headers: { 'content-type': type }, body })
    assert.equal(answer.status, status)
    assert.equal((await browser.session()).authenticated, true)
  })
}

for (const [what, body] of [
  ['that is not there', undefined],
  ['that is empty', ''],
  ['of null', 'null'],
  ['of {}', '{}'],
] as const) {
  test(`a sign-out whose type is JSON with a body ${what} works`, async (t) => {
    const { browser } = await signIn(t)
    const headers = { 'content-type': 'application/json' }
    const answer = await browser.fetch('/auth/logout', { method: 'POST', headers, ...(body !== undefined && { body }) })
    assert.equal(answer.status, 200)
    assert.deepEqual(await browser.session(), { authenticated: false })
  })
}

test('LO-08: Clear-Site-Data goes to a page of our own origin, and to no other', async (t) => {
  const { world, browser } = await signIn(t)
  const foreign = await browser.fetch('/auth/logout', { method: 'POST', origin: SPA })
  assert.equal(foreign.status, 200)
  assert.equal(foreign.headers.get('clear-site-data'), null)
  await browser.signIn('ada')
  const own = await browser.fetch('/auth/logout', { method: 'POST' })
  assert.equal(own.headers.get('clear-site-data'), '"cache", "storage"')
  const cookie = await browser.jar.getCookieString(world.publicUrl)
  const app = await sendPlain(world, '/auth/logout', { method: 'POST', headers: { cookie } })
  assert.equal(app.headers.get('clear-site-data'), null)
})

test('HC-01: the answer to a sign-out is not kept, by nobody', async (t) => {
  const { browser } = await signIn(t)
  const { headers } = await browser.fetch('/auth/logout', { method: 'POST' })
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.equal(headers.get('referrer-policy'), 'no-referrer')
  assert.equal(headers.get('etag'), null)
})

test('SC-13: when the store does not answer a sign-out is 503, and the cookie is kept for another try', async (t) => {
  const { world, browser } = await signIn(t)
  await world.restart() // So that nothing is remembered in memory.
  await world.store.close()
  const answer = await browser.fetch('/auth/logout', { method: 'POST' })
  assert.equal(answer.status, 503)
  assert.deepEqual(answer.setCookies, [])
})
