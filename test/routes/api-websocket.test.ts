import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import Fastify from 'fastify'
import { WebSocket, WebSocketServer } from 'ws'
import { createMetrics } from '../../src/metrics.ts'
import { errors } from '../../src/plugins/errors.ts'
import { isHandshake, routeHandshakes } from '../../src/plugins/upgrades.ts'
import { apiProxy } from '../../src/routes/api-proxy.ts'
import { CANARIES, PUBLIC_URL, SPA } from '../plugins/build-service.ts'
import { until } from '../support/until.ts'
import { buildProxy } from './build-proxy.ts'

/** A real WebSocket API behind the proxy: says what it hears, and notes with what it was asked. */
async function build(t: TestContext) {
  const world = await buildProxy(t, (_incoming, answer) => void answer.writeHead(418).end())
  const asked: { url: string; headers: IncomingHttpHeaders }[] = []
  const handleProtocols = (offered: Set<string>): string | false => (offered.has('chat') ? 'chat' : false)
  const sockets = new WebSocketServer({ noServer: true, handleProtocols })
  world.upstream.server.on('upgrade', (request, socket, head) => {
    asked.push({ url: String(request.url), headers: request.headers })
    if (request.url?.endsWith('/forbidden'))
      return void socket.end('HTTP/1.1 403 Forbidden\r\nx-canary: 1\r\n\r\nsecret')
    if (request.url?.endsWith('/broken')) return void socket.destroy()
    sockets.handleUpgrade(request, socket, head, (ws) => {
      ws.send('welcome')
      ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }))
    })
  })
  t.after(() => {
    for (const client of sockets.clients) client.terminate()
  })
  const open = (path: string, headers: Record<string, string> = world.mine, protocols: string[] = []): WebSocket => {
    const socket = new WebSocket(`ws://127.0.0.1:${world.port}${path}`, protocols, { headers })
    t.after(() => socket.terminate())
    return socket
  }
  /** Status of a refused handshake, and its body. */
  const refusal = async (path: string, headers?: Record<string, string>): Promise<[status: number, text: string]> => {
    const [, response] = (await once(
      open(path, headers).on('error', () => {}),
      'unexpected-response',
    )) as [unknown, IncomingMessage]
    return [response.statusCode ?? 0, Buffer.concat(await response.toArray()).toString()]
  }
  return { ...world, asked, sockets, open, refusal }
}

const nextText = async (socket: WebSocket): Promise<string> => String(((await once(socket, 'message')) as [Buffer])[0])

test('PX-07: a WebSocket of a page is opened with its session, with the token and without the cookie, and passes all on', async (t) => {
  const { open, asked } = await build(t)
  const socket = open('/api/x/chat?room=1', undefined, ['chat', 'other'])
  assert.equal(await nextText(socket), 'welcome')
  assert.equal(socket.protocol, 'chat')
  const [{ url, headers } = assert.fail()] = asked
  assert.equal(url, '/v1/chat?room=1')
  assert.equal(headers.authorization, `Bearer ${CANARIES.accessToken}`)
  assert.equal(headers.cookie, undefined)
  assert.match(String(headers.traceparent), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  assert.match(String(headers['x-request-id']), /./)
  for (const size of [0, 1, 125, 126, 70_000, 3_000_000]) {
    const sent = Buffer.alloc(size, 'x')
    socket.send(sent)
    const [heard] = (await once(socket, 'message')) as [Buffer]
    assert.ok(heard.equals(sent), `${size} octets`)
  }
  socket.close(4001, 'done')
  assert.equal(((await once(socket, 'close')) as [number])[0], 4001)
})

test('PX-07: a handshake from a foreign page, from none, or from none that says so is 403, and the API is not asked', async (t) => {
  const { refusal, asked, mine } = await build(t)
  for (const origin of [
    'https://evil.example',
    'null',
    `${PUBLIC_URL}.evil.example`,
    PUBLIC_URL.toUpperCase(),
    `${PUBLIC_URL}:8443`,
  ]) {
    const [status, text] = await refusal('/api/x/chat', { ...mine, origin })
    assert.equal(status, 403, origin)
    assert.equal((JSON.parse(text) as { error: string }).error, 'forbidden_origin')
  }
  const { cookie } = mine
  assert.equal((await refusal('/api/x/chat', { cookie }))[0], 403)
  assert.equal((await refusal('/api/x/chat', { cookie, 'sec-fetch-site': 'same-origin' }))[0], 403)
  assert.equal((await refusal('/api/x/chat', { cookie, 'sec-fetch-site': 'none' }))[0], 403)
  assert.deepEqual(asked, [])
})

test('a listed origin may, and an app without one', async (t) => {
  const { open, service, mine } = await build(t)
  assert.equal(await nextText(open('/api/x/chat', { ...mine, origin: SPA })), 'welcome')
  const token = await service.plant({ kind: 'app-token', app: 'android' })
  assert.equal(await nextText(open('/api/x/chat', { authorization: `Bearer ${token}` })), 'welcome')
})

test('without a session it is 401, outside of API_ROUTES 404, with two readings 400, and the API is not asked', async (t) => {
  const { refusal, asked } = await build(t)
  assert.equal((await refusal('/api/x/chat', { origin: PUBLIC_URL }))[0], 401)
  assert.equal((await refusal('/api/y/chat'))[0], 404)
  assert.equal((await refusal('/api/x/a%2fchat'))[0], 400)
  assert.equal((await refusal('/api/x//chat'))[0], 400)
  assert.deepEqual(asked, [])
})

test("an API's refusal of a handshake is passed on by its status alone; one that breaks off is 502", async (t) => {
  const { refusal } = await build(t)
  assert.deepEqual(await refusal('/api/x/forbidden'), [403, ''])
  const [status, text] = await refusal('/api/x/broken')
  assert.equal(status, 502)
  assert.equal((JSON.parse(text) as { error: string }).error, 'upstream_unavailable')
})

test('a WebSocket is closed when its session ends here or on another replica, and no other is', async (t) => {
  const { open, service, mine, sockets } = await build(t)
  const neighbour = open('/api/x/chat', {
    ...mine,
    cookie: `${service.cookieName}=${await service.plant({ sub: 'bob' })}`,
  })
  await nextText(neighbour)
  for (const end of [
    async (credential: string) => {
      const cookie = `${service.cookieName}=${credential}`
      await service.inject({ method: 'POST', url: '/auth/logout', headers: { cookie, origin: PUBLIC_URL } })
    },
    async (credential: string) => {
      const session = await service.sessions.find(credential)
      await service.sessions.end(String(session?.key), 'backchannel')
    },
  ]) {
    const credential = await service.plant()
    const socket = open('/api/x/chat', { ...mine, cookie: `${service.cookieName}=${credential}` })
    await nextText(socket)
    const closed = once(
      socket.on('error', () => {}),
      'close',
    )
    await end(credential)
    await closed
    await until(() => sockets.clients.size === 1)
  }
  neighbour.send('still here')
  assert.equal(await nextText(neighbour), 'still here')
})

test('whoever leaves takes the other side along, and the stop of the service takes all', async (t) => {
  const { open, sockets, service } = await build(t)
  const first = open('/api/x/chat')
  await nextText(first)
  first.terminate()
  await until(() => sockets.clients.size === 0)
  const second = open('/api/x/chat')
  await nextText(second)
  const left = once(second, 'close')
  for (const client of sockets.clients) client.terminate()
  await left
  const third = open('/api/x/chat')
  await nextText(third)
  const closed = once(
    third.on('error', () => {}),
    'close',
  )
  await service.app.close()
  await closed
})

test('WebSockets count among the calls of an API, until they are closed, also those that were refused', async (t) => {
  const { service, sockets } = await build(t)
  const session = await service.sessions.find(await service.plant())
  const app = Fastify({ http: { shouldUpgradeCallback: isHandshake }, exposeHeadRoutes: false })
  t.after(() => app.close())
  await app.register(errors, { metrics: createMetrics() })
  app.decorateRequest('session', null)
  app.addHook('onRequest', async (incoming) => {
    incoming.session = session ?? null
  })
  routeHandshakes(app)
  const { config, sessions } = service
  const refresher = { isDue: () => false, ensureFresh: async () => assert.fail(), refresh: async () => assert.fail() }
  const events = { listen: async () => () => {} }
  await app.register(apiProxy, { config, sessions, refresher, events, now: () => service.time.now, callsMax: 3 })
  const address = (await app.listen({ host: '127.0.0.1', port: 0 })).replace('http', 'ws')
  const open = (path: string): WebSocket => {
    const socket = new WebSocket(`${address}/api/x/${path}`).on('error', () => {})
    t.after(() => socket.terminate())
    return socket
  }
  const refusal = async (path: string): Promise<number | undefined> =>
    ((await once(open(path), 'unexpected-response')) as [unknown, IncomingMessage])[1].statusCode
  for (let n = 0; n < 5; n++) assert.equal(await refusal('forbidden'), 403)
  const held = [open('chat'), open('chat'), open('chat')]
  await Promise.all(held.map(nextText))
  assert.equal(await refusal('chat'), 502)
  held[0]?.terminate()
  await until(() => sockets.clients.size === 2)
  assert.equal(await nextText(open('chat')), 'welcome')
})

test('another protocol than WebSocket, or another path, is answered as the HTTP request that it is', async (t) => {
  const { port } = await build(t)
  for (const [path, protocol] of [
    ['/auth/session', 'h2c'],
    ['/auth/session', 'websocket'],
  ] as const) {
    const socket = connect(port, '127.0.0.1')
    socket.end(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`)
    const text = Buffer.concat(await socket.toArray()).toString()
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/)
    assert.match(text, /"authenticated":false/)
  }
})

test('a client that breaks off in the middle of a handshake does not end the process', async (t) => {
  const { port, mine, open } = await build(t)
  for (let n = 0; n < 20; n++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    const lines = [`Cookie: ${mine.cookie}`, `Origin: ${PUBLIC_URL}`, 'Connection: Upgrade', 'Upgrade: websocket']
    socket.write(`GET /api/x/chat HTTP/1.1\r\nHost: x\r\n${lines.join('\r\n')}\r\nSec-WebSocket-Version: 13\r\n\r\n`)
    setTimeout(() => socket.resetAndDestroy(), n)
  }
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(await nextText(open('/api/x/chat')), 'welcome')
})
