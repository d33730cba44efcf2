import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestStore, storeDown } from '../plugins/build-service.ts'
import { startFleet } from '../support/fleet.ts'
import { getFreePort } from '../support/world.ts'
import { ask } from './ask.ts'
import { startEchoApp, valuesOf } from './echo-app.ts'
import { HANDSHAKE, openBehind, openSignedIn } from './open-behind.ts'
import { PROXIES, startProxy } from './proxies.ts'

for (const kind of PROXIES) {
  const { name } = kind

  test(`${name}: a page that is opened without a session leads to the sign-in, and back to the page`, async (t) => {
    const { url, world, app } = await openBehind(kind, t)
    const encodes = name !== 'nginx'
    for (const [page, back] of [
      ['/', '/'],
      ['/orders/5?tab=1', '/orders/5?tab=1'],
      ['/orders?page=2&by=name&q=x', '/orders?page=2&by=name&q=x'],
      ['/caf%C3%A9', '/caf%C3%A9'],
      ['/orders?q=1%262', encodes ? '/orders?q=1%262' : '/orders'],
      ['/two%20words/%3f?a=b+c', encodes ? '/two%20words/%3f?a=b+c' : '/'],
    ] as const) {
      const browser = world.browser()
      const reached = app.seen.length
      const refused = await browser.navigate(page)
      assert.equal(refused.status, 303, page)
      const start = new URL(String(refused.location))
      assert.equal(start.origin + start.pathname, `${url}/auth/start`)
      assert.deepEqual([...start.searchParams.keys()], ['return_to'])
      assert.equal(app.seen.length, reached)
      const started = await browser.navigate(start.href)
      const returned = await browser.navigate(await browser.passIdp(String(started.location), 'ada'))
      assert.equal(returned.location, url + back)
      assert.equal((await browser.navigate(String(returned.location))).text, 'the app')
      assert.equal(app.last().path, back)
    }
  })

  test(`${name}: a page's address leads nowhere else than to the sign-in here, and adds no parameter to it`, async (t) => {
    const { url, app } = await openBehind(kind, t)
    const page = [['Sec-Fetch-Mode', 'navigate']] as const
    for (const path of [
      '//evil.example/x',
      '/%2f%2fevil.example',
      '/x&app=ios&prompt=none',
      '/x?a&app=ios',
      '/x#&app=ios',
      '/%0d%0aset-cookie:x=1',
      '/x?%0d%0aset-cookie:x=1',
      '/x?return_to=https://evil.example/',
      `/${'x'.repeat(3000)}?a&b`,
    ]) {
      const answer = await ask(url, path, { headers: page })
      assert.equal(answer.headers['set-cookie'], undefined, path)
      if (answer.status !== 303) assert.ok(answer.status >= 400 && answer.status < 500, `${path}: ${answer.status}`)
      const { location = '/auth/start?return_to=' } = answer.headers
      assert.ok(location.startsWith('/auth/start?return_to='), location)
      assert.deepEqual([...new URL(location, url).searchParams.keys()], ['return_to'], location)
    }
    assert.equal(app.seen.length, 0)
  })

  test(`${name}: without a session, whatever is shown in its place, a fetch is 401 and the app is not reached`, async (t) => {
    const { url, app } = await openBehind(kind, t)
    const unknown = 'A'.repeat(43)
    for (const [method, ...headers] of [
      ['GET'],
      ['GET', ['Sec-Fetch-Mode', 'cors'], ['Sec-Fetch-Dest', 'empty']],
      ['GET', ['Cookie', `oten_session=b_${unknown}`]],
      ['GET', ['Cookie', 'oten_session=']],
      ['GET', ['Authorization', `Bearer t_${unknown}`]],
      ['GET', ['Authorization', 'Basic YWRhOmFkYQ==']],
      ['GET', ['X-Auth-Subject', 'ada'], ['X-Forwarded-User', 'ada'], ['X-Forwarded-Uri', '/auth/start']],
      ['GET', ['X-Original-URL', '/auth/start'], ['X-Rewrite-URL', '/auth/start']],
      ['POST', ['Sec-Fetch-Mode', 'navigate']],
      ['DELETE'],
      ['OPTIONS', ['Origin', 'https://evil.example'], ['Access-Control-Request-Method', 'POST']],
      ['GET', ...HANDSHAKE],
    ] as const) {
      const answer = await ask(url, '/orders/5', { method, headers, ...(method === 'POST' && { body: 'x=1' }) })
      assert.equal(answer.status, 401, `${method} ${headers}`)
      assert.equal(answer.headers['www-authenticate'], 'Bearer')
      assert.equal(answer.headers['cache-control'], 'no-store')
      for (const header of ['set-cookie', 'location', 'x-auth-subject']) assert.equal(answer.headers[header], undefined)
    }
    for (const path of ['/auth/../orders/5', '/auth/..%2forders/5', '/auth/%2e%2e/orders/5']) {
      assert.ok([400, 401, 404].includes((await ask(url, path)).status), path)
    }
    assert.equal(app.seen.length, 0)
  })

  test(`${name}: nobody asks the question from outside: the answer would hold the token`, async (t) => {
    const { url, cookie } = await openSignedIn(kind, t)
    for (const path of [
      '/auth/verify',
      '/auth/verify/',
      '/auth/verify?x',
      '/auth/verify/orders/5',
      '/auth/verify%2fx',
    ]) {
      for (const method of ['GET', 'POST']) {
        const answer = await ask(url, path, { method, headers: [['Cookie', cookie]] })
        assert.equal(answer.status, 404, `${method} ${path}`)
        assert.equal(answer.headers.authorization, undefined)
      }
    }
    for (const path of [
      '/auth//verify',
      '//auth/verify',
      '/auth/./verify',
      '/x/../auth/verify',
      '/auth/%76erify',
      '/_verify',
    ]) {
      const { headers, body } = await ask(url, path, { headers: [['Cookie', cookie]] })
      assert.deepEqual([headers.authorization, headers['x-auth-subject']], [undefined, undefined], path)
      assert.match(body, /the app|404|not_found|^$/)
    }
  })

  test(`${name}: after the sign-out it is 401 at once`, async (t) => {
    const { url, app, browser, cookie } = await openSignedIn(kind, t)
    assert.equal((await browser.fetch('/orders')).text, 'the app')
    assert.equal((await browser.fetch('/auth/logout', { method: 'POST' })).status, 200)
    assert.equal((await ask(url, '/orders', { headers: [['Cookie', cookie]] })).status, 401)
    assert.equal(app.seen.length, 1)
  })

  test(`${name}: a stale token is renewed before the app sees it`, async (t) => {
    const { app, browser, world, readAuthorization } = await openSignedIn(kind, t, { env: { SESSION_IDLE_S: '36000' } })
    const old = await readAuthorization()
    // The IdP's clock stands still, so an ID token of its would be too old for a service that is ahead.
    world.simulator.faults.token = { kind: 'missing', members: ['id_token'], grantType: 'refresh_token' }
    world.advance(3600)
    assert.equal((await browser.fetch('/orders')).text, 'the app')
    const [token] = valuesOf(app.last(), 'authorization')
    assert.notEqual(token, old)
    assert.equal(token, await readAuthorization())
    assert.equal(world.simulator.stats.tokenRequests.refresh_token, 1)
  })

  test(`${name}: with the store down nobody gets through, and nobody is told that they are signed out`, async (t) => {
    const store = createTestStore(false)
    const { url, app, cookie } = await openSignedIn(kind, t, { store })
    store.fault = storeDown()
    for (const mode of ['navigate', 'cors']) {
      const answer = await ask(url, '/', {
        headers: [
          ['Cookie', cookie],
          ['Sec-Fetch-Mode', mode],
        ],
      })
      assert.ok(answer.status >= 500, `${answer.status}`)
      assert.equal(answer.headers['set-cookie'], undefined)
    }
    assert.equal(app.seen.length, 0)
    store.fault = undefined
    assert.equal((await ask(url, '/', { headers: [['Cookie', cookie]] })).status, 200)
  })
}

test('a service that is gone lets nobody through, at any of the proxies, until it is back', async (t) => {
  const fleet = await startFleet(t, { store: 'memory:', env: { TRUSTED_PROXIES: '127.0.0.1/32' } })
  const [service] = fleet.replicas
  const app = await startEchoApp(t)
  const urls: string[] = []
  for (const kind of PROXIES) {
    const port = await getFreePort()
    const main = new URL(service.url).host.replace('localhost', '127.0.0.1')
    const inner = new URL(service.adminUrl).host
    await startProxy(t, kind, { proxy: `127.0.0.1:${port}`, main, inner, app: app.address })
    urls.push(`http://localhost:${port}`)
  }
  const statuses = (cookie: string, mode: string): Promise<number[]> => {
    const headers = [
      ['Cookie', cookie],
      ['Sec-Fetch-Mode', mode],
    ] as const
    return Promise.all(urls.map(async (url) => (await ask(url, '/', { headers })).status))
  }
  const signIn = async (): Promise<string> => {
    const browser = fleet.browser()
    assert.equal((await browser.signIn('ada')).status, 303)
    return browser.jar.getCookieString(fleet.publicUrl)
  }
  const cookie = await signIn()
  assert.deepEqual(await statuses(cookie, 'cors'), [200, 200, 200])
  assert.equal(app.seen.length, 3)

  await service.end('SIGKILL')
  const who = [cookie, ''].flatMap((of) => ['cors', 'navigate'].map((mode) => statuses(of, mode)))
  assert.deepEqual(new Set((await Promise.all(who)).map(String)), new Set(['500,502,503']))
  assert.equal(app.seen.length, 3)

  await service.start()
  assert.deepEqual(await statuses(cookie, 'cors'), [401, 401, 401]) // It remembers nobody.
  assert.deepEqual(await statuses(await signIn(), 'cors'), [200, 200, 200])
  assert.equal(app.seen.length, 6)
})
