import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import Fastify from 'fastify'
import { createMetrics } from '../../src/metrics.ts'
import { errors } from '../../src/plugins/errors.ts'
import { apiProxy } from '../../src/routes/api-proxy.ts'
import type { Refresher } from '../../src/session/refresh.ts'
import { buildService, CANARIES, newSession, PUBLIC_URL, type Service, SPA } from '../plugins/build-service.ts'
import { until } from '../support/until.ts'
import { buildProxy, type Handler, listen } from './build-proxy.ts'

/** Says what it was sent. */
const echo: Handler = async (incoming, answer) => {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  answer.setHeader('content-type', 'application/json').end(
    JSON.stringify({
      method: incoming.method,
      url: incoming.url,
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString().slice(0, 100),
      length: Buffer.concat(chunks).length,
    }),
  )
}

type Echo = { method: string; url: string; headers: Record<string, string>; body: string; length: number }

const build = (t: TestContext, handler: Handler = echo) => buildProxy(t, handler)

test('contract §7: a call goes on with the access token, its path and its query, and comes back', async (t) => {
  const { url, mine } = await build(t)
  const answer = await fetch(`${url}/api/x/5/items?a=1&b=%2F..&c`, { headers: { ...mine, 'x-custom': 'kept' } })
  assert.equal(answer.status, 200)
  const seen = (await answer.json()) as Echo
  assert.equal(seen.url, '/v1/5/items?a=1&b=%2F..&c')
  assert.equal(seen.headers.authorization, `Bearer ${CANARIES.accessToken}`)
  assert.equal(seen.headers['x-custom'], 'kept')
  assert.match(seen.headers['x-request-id'] ?? '', /^[a-z0-9]+-[a-z0-9]+$/)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.match(answer.headers.get('strict-transport-security') ?? '', /max-age=31536000/)
})

test('PX-03: cookie, token and forwarded headers of the client stay here, also when it names ours in Connection', async (t) => {
  const { port, mine } = await build(t)
  const headers = {
    ...mine,
    'x-forwarded-for': '1.2.3.4',
    'x-auth-subject': 'mallory',
    x_auth_subject: 'mallory',
    connection: 'close, authorization, x-request-id',
  }
  const outgoing = request({ port, host: '127.0.0.1', path: '/api/x/1', headers }).end()
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  const { headers: seen } = JSON.parse(Buffer.concat(await incoming.toArray()).toString()) as Echo
  assert.equal(seen.authorization, `Bearer ${CANARIES.accessToken}`)
  assert.ok(seen['x-request-id'])
  assert.equal(seen['x-forwarded-for'], '127.0.0.1')
  assert.equal(seen['x-forwarded-proto'], 'https')
  for (const name of ['cookie', 'x-auth-subject', 'x_auth_subject']) assert.ok(!(name in seen), name)
})

test('contract §7: every method and any body passes, far beyond 64 KiB, whatever its type, also with Expect', async (t) => {
  const { url, port, mine } = await build(t)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    for (const type of [
      'application/json',
      'text/plain',
      'application/octet-stream',
      'multipart/form-data; boundary=x',
    ]) {
      const body = Buffer.alloc(300_000, 'x')
      const seen = (await (
        await fetch(`${url}/api/x/1`, { method, headers: { ...mine, 'content-type': type }, body })
      ).json()) as Echo
      assert.deepEqual([seen.method, seen.length, seen.headers['content-type']], [method, 300_000, type])
    }
  }
  const headers = { ...mine, expect: '100-continue', 'content-length': '5' }
  const outgoing = request({ port, host: '127.0.0.1', path: '/api/x/1', method: 'POST', headers })
  outgoing.flushHeaders()
  outgoing.on('continue', () => outgoing.end('hello'))
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  assert.equal((JSON.parse(Buffer.concat(await incoming.toArray()).toString()) as Echo).body, 'hello')
})

test('contract §7: it streams both ways: the API hears the first part while the client still has the second', async (t) => {
  const { port, mine } = await build(t, (incoming, answer) => {
    incoming.on('data', (chunk: Buffer) => answer.write(`heard ${chunk}`))
    incoming.on('end', () => answer.end())
  })
  const outgoing = request({ port, host: '127.0.0.1', path: '/api/x/1', method: 'POST', headers: mine })
  outgoing.write('one')
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  assert.equal(String((await once(incoming, 'data'))[0]), 'heard one')
  outgoing.write('two')
  assert.equal(String((await once(incoming, 'data'))[0]), 'heard two')
  outgoing.end()
  await once(incoming.resume(), 'end')
})

test("PX-04: an API's redirect is handed back and not followed, so the token goes nowhere else", async (t) => {
  let calls = 0
  const thief = await listen(t, (_incoming, answer) => {
    calls += 1
    answer.end()
  })
  const { url, mine } = await build(t, (_incoming, answer) => void answer.writeHead(302, { location: thief.url }).end())
  const answer = await fetch(`${url}/api/x/1`, { headers: mine, redirect: 'manual' })
  assert.equal(answer.status, 302)
  assert.equal(answer.headers.get('location'), thief.url)
  assert.equal(calls, 0)
})

test("PX-05, CS-05: an API's cookie and CORS headers stay behind, and the answer still varies by Origin", async (t) => {
  const { url, mine } = await build(t, (_incoming, answer) => {
    answer.setHeader('set-cookie', '__Host-Http-oten_session=planted; Path=/; Secure')
    answer.setHeader('access-control-allow-origin', '*')
    answer.setHeader('vary', 'Accept-Encoding')
    answer.setHeader('cache-control', 'max-age=60')
    answer.end('ok')
  })
  const answer = await fetch(`${url}/api/x/1`, { headers: { ...mine, origin: SPA } })
  assert.equal(answer.headers.get('set-cookie'), null)
  assert.equal(answer.headers.get('access-control-allow-origin'), SPA)
  assert.match(answer.headers.get('vary') ?? '', /Origin/)
  assert.match(answer.headers.get('vary') ?? '', /Accept-Encoding/)
  assert.equal(answer.headers.get('cache-control'), 'max-age=60, private')
})

const errorOf = (answer: { json(): unknown }): string => (answer.json() as { error: string }).error

test('PX-01, PX-02: paths of no API are 404, paths with two readings 400, and neither reaches the API', async (t) => {
  let calls = 0
  const { port, mine } = await build(t, (_incoming, answer) => {
    calls += 1
    answer.end()
  })
  /** As it is: an HTTP client of any comfort would tidy the path up first. */
  const ask = async (path: string): Promise<[status: number | undefined, error: string]> => {
    const outgoing = request({ port, host: '127.0.0.1', path, headers: mine }).end()
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
    const body = Buffer.concat(await incoming.toArray()).toString()
    return [incoming.statusCode, errorOf({ json: () => JSON.parse(body) as unknown })]
  }
  for (const path of ['/api/', '/api/y/1', '/api/xy', '/%61pi/x/1']) {
    assert.deepEqual(await ask(path), [404, 'not_found'], path)
  }
  const tails = ['../1', '%2e%2e/1', '%2E./1', 'a%2fb', 'a%5cb', 'a\\b', '/1', '..;/1', '%00', '%zz', '%E9', './1']
  for (const tail of tails) assert.deepEqual(await ask(`/api/x/${tail}`), [400, 'invalid_request'], tail)
  assert.equal(calls, 0)
})

test('contract §7: without a session, or with an access token that is over, it is 401 and the API is not asked', async (t) => {
  let calls = 0
  const { service, mine } = await build(t, (_incoming, answer) => {
    calls += 1
    answer.end()
  })
  const anonymous = await service.inject({ url: '/api/x/1', headers: { origin: PUBLIC_URL } })
  assert.deepEqual([anonymous.statusCode, errorOf(anonymous)], [401, 'unauthenticated'])
  const tokens = {
    accessToken: 'dead',
    accessTokenExpiresAt: service.time.now,
    obtainedAt: 0,
    idToken: 'i',
    scope: 'openid',
  }
  const cookie = `${service.cookieName}=${await service.plant({ tokens })}`
  const stale = await service.inject({ url: '/api/x/1', headers: { ...mine, cookie } })
  assert.deepEqual([stale.statusCode, errorOf(stale)], [401, 'unauthenticated'])
  assert.equal(calls, 0)
})

test('contract §5: a proxied call slides the idle limit', async (t) => {
  const { service } = await build(t)
  const { tokens: live } = newSession(service.time.now)
  const tokens = { ...live, accessTokenExpiresAt: service.time.now + 40_000 }
  const mine = { cookie: `${service.cookieName}=${await service.plant({ tokens })}`, origin: PUBLIC_URL }
  for (let call = 0; call < 3; call++) {
    service.time.now += 3000
    const answer = await service.inject({ url: '/auth/session', headers: { cookie: mine.cookie } })
    assert.equal((answer.json() as { authenticated: boolean }).authenticated, true)
    await service.inject({ url: '/api/x/1', headers: mine })
  }
})

test('ER-07: an API that is not there, or breaks off, is 502 upstream_unavailable and the service lives', async (t) => {
  const { service, upstream, mine } = await build(t, (incoming) => void incoming.socket.destroy())
  const broken = await service.inject({ url: '/api/x/1', headers: mine })
  assert.deepEqual([broken.statusCode, errorOf(broken)], [502, 'upstream_unavailable'])
  await upstream.close()
  const gone = await service.inject({ url: '/api/x/1', headers: mine })
  assert.deepEqual([gone.statusCode, errorOf(gone)], [502, 'upstream_unavailable'])
  assert.doesNotMatch(gone.body, /ECONNREFUSED|127\.0\.0\.1/)
})

/** The proxy alone before an API, for a caller that is signed in. */
async function buildAlone(t: TestContext, url: string, limits: { headersTimeoutMs?: number; callsMax?: number }) {
  const service: Service = await buildService(t, {
    env: { API_ROUTES: `/api/x=${url},/api/other=${url}/other` },
  })
  const { config, sessions } = service
  const session = await sessions.find(await service.plant())
  const app = Fastify({ exposeHeadRoutes: false })
  t.after(() => app.close())
  await app.register(errors, { metrics: createMetrics() })
  app.decorateRequest('session', null)
  app.addHook('onRequest', async (incoming) => {
    incoming.session = session ?? null
  })
  const refresher: Pick<Refresher, 'ensureFresh' | 'isDue' | 'refresh'> = {
    isDue: () => false,
    ensureFresh: async (fresh) => fresh,
    refresh: async (fresh) => fresh,
  }
  const events = { listen: async () => () => {} }
  const now = () => service.time.now
  await app.register(apiProxy, { config, sessions, refresher, events, now, ...limits })
  return app
}

test('contract §7: an API that does not begin its answer in time is 504 upstream_timeout', async (t) => {
  const upstream = await listen(t, () => {})
  const app = await buildAlone(t, upstream.url, { headersTimeoutMs: 50 })
  const answer = await app.inject({ url: '/api/x/1' })
  assert.deepEqual([answer.statusCode, errorOf(answer)], [504, 'upstream_timeout'])
})

test('calls of one API are bounded: one too many is 502 at once, other APIs go on, and who leaves makes room', async (t) => {
  const held: ServerResponse[] = []
  const upstream = await listen(t, (incoming, answer) => {
    if (incoming.url === '/hold') held.push(answer)
    else answer.end('{}')
  })
  const app = await buildAlone(t, upstream.url, { callsMax: 3 })
  const calls = Array.from({ length: 3 }, () => app.inject({ url: '/api/x/hold' }))
  await until(() => held.length === 3)
  const refused = await app.inject({ url: '/api/x/1' })
  assert.deepEqual([refused.statusCode, errorOf(refused)], [502, 'upstream_unavailable'])
  assert.equal((await app.inject({ url: '/api/other/1' })).statusCode, 200)
  for (const answer of held) answer.end('{}')
  assert.deepEqual(
    (await Promise.all(calls)).map(({ statusCode }) => statusCode),
    [200, 200, 200],
  )
  await until(async () => (await app.inject({ url: '/api/x/1' })).statusCode === 200)
})

test('contract §7: connections to an API are kept and used again', async (t) => {
  const { upstream, url, mine } = await build(t)
  let connections = 0
  upstream.server.on('connection', () => {
    connections += 1
  })
  for (let n = 0; n < 50; n++) await (await fetch(`${url}/api/x/${n}`, { headers: mine })).text()
  assert.equal(connections, 1)
})
