import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { CANARIES, PUBLIC_URL } from '../plugins/build-service.ts'
import { buildProxy } from './build-proxy.ts'

interface Seen {
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly raw: readonly string[]
}

/** An API that notes all it is told, and a way to send octets as they are, past any client's good manners. */
async function build(t: TestContext, env: Readonly<Record<string, string>> = {}) {
  const seen: Seen[] = []
  const world = await buildProxy(
    t,
    (incoming, answer) => {
      const { url = '', headers, rawHeaders } = incoming
      seen.push({ target: url, headers: headers as Seen['headers'], raw: rawHeaders })
      incoming.resume()
      answer.end('{}')
    },
    { env },
  )
  const send = async (target: string, lines: readonly string[] = []): Promise<number> => {
    const socket = connect(world.port, '127.0.0.1').on('error', () => {})
    const head = [`GET ${target} HTTP/1.1`, 'Host: bff.example.com', ...lines, 'Connection: close', '', '']
    socket.write(head.join('\r\n'), 'latin1')
    const text = Buffer.concat(await socket.toArray()).toString('latin1')
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)
  }
  const mine = [`Cookie: ${world.mine.cookie}`, `Origin: ${PUBLIC_URL}`]
  return { ...world, mine, seen, send }
}

/** What an API might take for the user, the way, or the permission. */
const FORGERIES = [
  'Authorization: Bearer canary',
  'AUTHORIZATION: Bearer canary',
  'Proxy-Authorization: Basic canary',
  'Cookie: other=canary',
  'X-Auth-Subject: canary',
  'x-auth-email: canary',
  'X_Auth_Subject: canary',
  'x_auth-Subject: canary',
  'X-Forwarded-For: canary',
  'X_Forwarded_For: canary',
  'X-Forwarded-Host: canary',
  'X-Forwarded-Proto: canary',
  'X-Forwarded-User: canary',
  'X-Forwarded-Access-Token: canary',
  'Forwarded: for=canary',
  'X-Real-IP: canary',
  'X-Request-Id: canary',
  'X_Request_Id: canary',
  'traceparent: canary',
  'tracestate: canary',
  'Sec-Fetch-Site: same-origin',
  'TE: trailers',
  'Keep-Alive: timeout=canary',
]

test('PX-03: of whatever a client sends, the API sees no cookie, no token but ours, and nothing that is ours to say', async (t) => {
  const { send, seen, mine } = await build(t)
  for (const forgery of [...FORGERIES.map((line) => [line]), FORGERIES]) {
    assert.equal(
      await send('/api/x/1', [
        ...mine.slice(0, 1),
        ...forgery.filter((l) => !l.startsWith('Cookie')),
        ...mine.slice(1),
      ]),
      200,
    )
    const { headers, raw } = seen.at(-1) ?? assert.fail()
    assert.doesNotMatch(JSON.stringify(raw), /canary(?!-access-token)/, forgery.join())
    assert.equal(headers.authorization, `Bearer ${CANARIES.accessToken}`)
    assert.equal(headers.cookie, undefined)
    assert.match(String(headers['x-request-id']), /^[a-z0-9]+-[a-z0-9]+$/)
    assert.match(String(headers.traceparent), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  }
})

test('PX-03: what a client names in Connection stays here, and takes nothing of ours along', async (t) => {
  const { send, seen, mine } = await build(t)
  for (const names of [
    'authorization',
    'Authorization, X-Request-Id, traceparent',
    'x-custom',
    'cookie, host',
    'close, te',
  ]) {
    const lines = [...mine, `Connection: ${names}`, 'X-Custom: canary', 'X-Kept: kept']
    assert.equal(await send('/api/x/1', lines), 200, names)
    const { headers } = seen.at(-1) ?? assert.fail()
    assert.equal(headers.authorization, `Bearer ${CANARIES.accessToken}`, names)
    assert.ok(headers['x-request-id'] && headers.traceparent && headers.host)
    assert.equal(headers['x-kept'], 'kept')
    if (names === 'x-custom') assert.equal(headers['x-custom'], undefined)
  }
})

test("a caller's trace goes on in the API, with this service as its parent", async (t) => {
  const { send, seen, mine } = await build(t)
  const id = '4bf92f3577b34da6a3ce929d0e0e4736'
  await send('/api/x/1', [...mine, `traceparent: 00-${id}-00f067aa0ba902b7-01`, 'tracestate: a=1'])
  const { headers } = seen.at(-1) ?? assert.fail()
  assert.match(String(headers.traceparent), new RegExp(`^00-${id}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`))
  assert.equal(headers.tracestate, 'a=1')
})

/** Behind `/api/x/`: every way out of a folder that some server understands. */
const WAYS_OUT = [
  '..',
  '../',
  '../../admin',
  'a/../../admin',
  './../admin',
  '%2e%2e/admin',
  '%2E%2E/admin',
  '.%2e/admin',
  '%2e./admin',
  '%252e%252e/admin',
  'a%2f..%2fadmin',
  '..%2fadmin',
  '..%5cadmin',
  '..\\admin',
  'a\\..\\..\\admin',
  '/admin',
  '//admin',
  '..;/admin',
  '..;a=b/admin',
  '.;/admin',
  '%00',
  'a%00/../admin',
  '#/../admin',
  'a#b',
  '%c0%ae%c0%ae/admin',
  '%uff0e%uff0e/admin',
  'a\tb',
  '\u00e9',
]

test('PX-02: no path leaves its route: refused, or sent as it is below the prefix', async (t) => {
  const { send, seen, mine, upstream } = await build(t)
  for (const way of WAYS_OUT) {
    const before = seen.length
    const status = await send(`/api/x/${way}`, mine)
    const reached = seen.slice(before).map(({ target }) => target)
    assert.ok(status === 400 || status === 404 || status === 200, `${way}: ${status}`)
    assert.equal(reached.length, status === 200 ? 1 : 0, way)
    for (const target of reached) {
      assert.equal(target, `/v1/${way}`, 'as it is')
      // Also for a server that decodes once more: nothing above the prefix.
      assert.ok(!/(^|\/)\.\.(\/|$)/.test(decodeURIComponent(target)), way)
    }
  }
  for (const target of [
    `${upstream.url}/admin`,
    'http://169.254.169.254/latest',
    '//evil.example/api/x/1',
    '/api/x@evil.example/',
    '/api/x:80/1',
    '/api/x.evil.example/1',
    '/api/xx/1',
    '/API/x/1',
    '/api//x/1',
    '*',
  ]) {
    const before = seen.length
    const status = await send(target, mine)
    assert.ok([400, 401, 404, 405].includes(status), `${target}: ${status}`)
    assert.equal(seen.length, before, target)
  }
})

test('PX-01: a method that a route does not name is 405 with Allow, and the API is not asked', async (t) => {
  const { service, upstream, seen, mine } = await build(t)
  assert.equal(seen.length, 0)
  const limited = await build(t, { API_ROUTES: `GET|HEAD /api/x=${upstream.url}/v1` })
  const headers = { cookie: limited.mine[0]?.slice(8) ?? '', origin: PUBLIC_URL }
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    const answer = await limited.service.inject({ method, url: '/api/x/1', headers })
    assert.equal(answer.statusCode, 405, method)
    assert.equal(answer.headers.allow, 'GET, HEAD')
    assert.equal((answer.json() as { error: string }).error, 'method_not_allowed')
  }
  for (const method of ['GET', 'HEAD'] as const) {
    assert.equal((await limited.service.inject({ method, url: '/api/x/1', headers })).statusCode, 200)
  }
  const trace = await service.inject({
    method: 'OPTIONS',
    url: '/api/x/1',
    headers: { cookie: mine[0]?.slice(8) ?? '' },
  })
  assert.ok([204, 404, 405].includes(trace.statusCode))
})
