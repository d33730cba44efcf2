import assert from 'node:assert/strict'
import { type ClientRequest, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { buildService, PUBLIC_URL, type Service, type ServiceOptions, SPA } from '../plugins/build-service.ts'
import { type EventSource, openEvents } from '../support/event-source.ts'

async function build(t: TestContext, options: ServiceOptions = {}) {
  const service = await buildService(t, options)
  await service.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = service.app.server.address() as AddressInfo
  const credential = await service.plant()
  const cookie = `${service.cookieName}=${credential}`
  const start = (headers: Record<string, string> = {}): ClientRequest => {
    const sent = request({
      port,
      host: '127.0.0.1',
      path: '/auth/events',
      headers: { cookie, ...headers },
      agent: false,
    })
    t.after(() => sent.destroy())
    return sent.end()
  }
  const open = (headers: Record<string, string> = {}): Promise<EventSource> =>
    openEvents(t, `http://127.0.0.1:${port}/auth/events`, { cookie, ...headers })
  const send = (method: 'GET' | 'POST' | 'DELETE', url: string) =>
    service.inject({ method, url, headers: { cookie, origin: PUBLIC_URL, 'sec-fetch-mode': 'cors' } })
  return { service, credential, start, open, send }
}

/** The session's tokens replaced, as by a refresh on another replica. */
async function renew({ sessions, time }: Service, credential: string): Promise<void> {
  const session = await sessions.find(credential)
  assert.ok(session)
  await sessions.update(session, { ...session.record.tokens, accessTokenExpiresAt: time.now + 1800 })
}

test('contract §5: the view comes at once, and again after a refresh on any replica', async (t) => {
  const { service, credential, open, send } = await build(t)
  const stream = await open()
  const view = (await send('GET', '/auth/session')).json()
  assert.deepEqual(await stream.next(), { event: 'session', data: view })
  await renew(service, credential)
  const renewed = await stream.next()
  assert.equal(renewed?.event, 'session')
  assert.equal(renewed?.data.access_token_expires_in, 1800)
  assert.doesNotMatch(JSON.stringify(renewed), /canary/)
})

test('contract §8: the stream has its type, is kept by nobody, and says so to proxies; CORS for an allowed page', async (t) => {
  const { open } = await build(t)
  const { status, headers } = await open({ origin: SPA })
  assert.equal(status, 200)
  assert.match(String(headers['content-type']), /^text\/event-stream/)
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers['referrer-policy'], 'no-referrer')
  assert.match(String(headers['strict-transport-security']), /max-age=31536000/)
  assert.equal(headers['x-accel-buffering'], 'no')
  assert.equal(headers['access-control-allow-origin'], SPA)
  assert.equal(headers['access-control-allow-credentials'], 'true')
  assert.match(String(headers.vary), /origin/i)
  const foreign = await open({ origin: 'https://evil.example' })
  assert.equal(foreign.headers['access-control-allow-origin'], undefined)
})

test('without a session it is 401, and 403 when it is loaded as anything but by fetch', async (t) => {
  const { open } = await build(t)
  assert.equal((await open({ cookie: '' })).status, 401)
  assert.equal((await open({ 'sec-fetch-dest': 'iframe' })).status, 403)
})

test('ended with reason logout, told to every tab, and the stream is over', async (t) => {
  const { open, send } = await build(t)
  const streams = [await open(), await open()]
  for (const stream of streams) assert.equal((await stream.next())?.event, 'session')
  assert.equal((await send('POST', '/auth/logout')).statusCode, 200)
  for (const stream of streams) {
    assert.deepEqual(await stream.next(), { event: 'ended', data: { reason: 'logout' } })
    assert.equal(await stream.next(), undefined)
  }
})

test('ended with reason revoked, when the user or an operator ends the session', async (t) => {
  const { service, credential, open, send } = await build(t)
  const stream = await open()
  const id = String((await stream.next())?.data.session_id)
  assert.equal((await send('DELETE', `/auth/sessions/${id}`)).statusCode, 204)
  assert.deepEqual(await stream.next(), { event: 'ended', data: { reason: 'revoked' } })
  assert.equal(await service.sessions.find(credential), undefined)
})

test('ended with reason backchannel, from another replica too', async (t) => {
  const { service, credential, open } = await build(t)
  const stream = await open()
  await stream.next()
  const session = await service.sessions.find(credential)
  await service.sessions.end(String(session?.key), 'backchannel')
  assert.deepEqual(await stream.next(), { event: 'ended', data: { reason: 'backchannel' } })
})

for (const env of [{ SESSION_IDLE_S: '100' }, { SESSION_IDLE_S: '100', SESSION_MAX_S: '100' }]) {
  test(`expiring, once, in the last minute; then ended with reason expired: ${JSON.stringify(env)}`, async (t) => {
    const { service, credential, open } = await build(t, { env })
    const stream = await open()
    assert.equal((await stream.next())?.event, 'session')
    service.time.now += 40
    await renew(service, credential) // Makes it look.
    assert.equal((await stream.next())?.event, 'session')
    const expiring = await stream.next()
    assert.equal(expiring?.event, 'expiring')
    assert.equal(expiring?.data.idle_expires_in, 60)
    service.time.now += 60
    const heard = JSON.stringify([await findKey(service), { type: 'refreshed' }])
    await service.store.publish('session-events', heard) // Makes it look, though the session can be found no more.
    assert.deepEqual(await stream.next(), { event: 'ended', data: { reason: 'expired' } })
    assert.equal(await stream.next(), undefined)
  })
}

test('an end that nothing announces is told when it is due', async (t) => {
  const { service, open } = await build(t, { env: { SESSION_IDLE_S: '1' } })
  const stream = await open()
  assert.equal((await stream.next())?.event, 'session')
  assert.equal((await stream.next())?.event, 'expiring')
  service.time.now += 1
  assert.deepEqual(await stream.next(), { event: 'ended', data: { reason: 'expired' } })
})

test('watching does not keep a session alive', async (t) => {
  const { service, credential, open, send } = await build(t)
  service.time.now += 1000
  const stream = await open()
  assert.equal((await stream.next())?.data.idle_expires_in, 2600)
  await renew(service, credential)
  await stream.next()
  assert.equal(((await send('GET', '/auth/session')).json() as Record<string, number>).idle_expires_in, 2600)
})

test('a session has twenty streams; the next one is 429 with Retry-After, until one of them is left', async (t) => {
  const { service, open } = await build(t)
  const streams = await Promise.all(Array.from({ length: 20 }, () => open()))
  assert.ok(streams.every(({ status }) => status === 200))
  const refused = await open()
  assert.equal(refused.status, 429)
  assert.match(String(refused.headers['retry-after']), /^[1-9]\d*$/)
  const other = await service.plant({ sub: 'bob' })
  assert.equal((await open({ cookie: `${service.cookieName}=${other}` })).status, 200)
  await Promise.all(streams.map((stream) => stream.leave()))
  assert.equal(await countOpened(open, 20), 20)
})

test('a tab that is closed while its stream begins leaves nothing behind', async (t) => {
  const { service, start, open } = await build(t)
  const { subscribe } = service.store
  const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  service.store.subscribe = async (...parts) => {
    asked.resolve()
    await released.promise
    return subscribe(...parts)
  }
  const sent = start()
  sent.on('error', () => {})
  await asked.promise
  assert.equal(await connectionsOf(service), 1)
  sent.destroy()
  while ((await connectionsOf(service)) > 0) await new Promise((resolve) => setImmediate(resolve))
  released.resolve()
  assert.equal(await countOpened(open, 20), 20)
})

test('a service that stops ends its streams at once', async (t) => {
  const { service, open } = await build(t)
  const stream = await open()
  await stream.next()
  const startedAt = performance.now()
  await service.app.close()
  assert.ok(performance.now() - startedAt < 2000)
  assert.equal(await stream.next(), undefined)
})

const findKey = async ({ store }: Service): Promise<string> =>
  [...(await store.dump()).keys()].find((key) => /^session:\{[^}]+\}$/.test(key)) ?? ''

const connectionsOf = ({ app }: Service): Promise<number> =>
  new Promise((resolve, reject) => {
    app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })

/** How many of so many streams open; the server may need a moment to see that others were left. */
async function countOpened(open: () => Promise<EventSource>, wanted: number): Promise<number> {
  const giveUpAt = performance.now() + 3000
  let opened = 0
  while (opened < wanted && performance.now() < giveUpAt) if ((await open()).status === 200) opened += 1
  return opened
}
