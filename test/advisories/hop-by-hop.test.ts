import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { CANARIES, PUBLIC_URL } from '../plugins/build-service.ts'
import { buildProxy } from '../routes/build-proxy.ts'
import { headerOf, parseAnswers, sendRaw } from './raw.ts'

interface Seen {
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

async function build(t: TestContext, answered: Record<string, string> = {}) {
  const seen: Seen[] = []
  const proxy = await buildProxy(t, (incoming, answer) => {
    let body = ''
    incoming.setEncoding('latin1').on('data', (chunk) => {
      body += chunk
    })
    incoming.on('end', () => {
      seen.push({ headers: incoming.headers as Seen['headers'], body })
      for (const [name, value] of Object.entries(answered)) answer.setHeader(name, value)
      answer.end('{}')
    })
  })
  const mine = [`Cookie: ${proxy.mine.cookie}`, `Origin: ${PUBLIC_URL}`]
  const send = async (line: string, headers: readonly string[], body = '') =>
    parseAnswers(await sendRaw(proxy.port, [line, 'Host: a', ...mine, ...headers, '', body].join('\r\n')))
  return { ...proxy, seen, send }
}

/** What this service says to an API in the client's stead; a client that could take one away would be somebody else. */
const OURS = ['authorization', 'x-request-id', 'traceparent', 'host']

function assertWhole({ headers }: Seen, what: string): void {
  for (const name of OURS) assert.ok(headers[name], `${what}: ${name} is there`)
  assert.equal(headers.authorization, `Bearer ${CANARIES.accessToken}`, what)
  assert.equal(headers.cookie, undefined, what)
}

/** Ways to name our headers as belonging to this connection alone. */
const NAMING: readonly (readonly string[])[] = [
  ...OURS.map((name) => [`Connection: close, ${name}`]),
  [`Connection: ${OURS.join(', ')}, close`],
  ['Connection: close, AUTHORIZATION, X-REQUEST-ID'],
  ['Connection: close,authorization,x-request-id,traceparent'],
  ['Connection: close,\tauthorization\t,\ttraceparent'],
  ['Connection: ,, authorization ,, close'],
  ['Connection: authorization', 'Connection: x-request-id', 'Connection: close'],
  ['connection: close', 'CONNECTION: authorization'],
  ['Connection: close', 'Proxy-Connection: authorization'],
  ['Connection: close', 'Keep-Alive: authorization', 'TE: authorization', 'Trailer: authorization'],
  ['Connection: close, cookie, origin, sec-fetch-site'],
  [`Connection: close, ${Array.from({ length: 500 }, (_, at) => `x-${at}`).join(',')}, authorization`],
]

for (const version of ['1.1', '1.0']) {
  test(`no Connection header takes away what this service says to an API, in HTTP/${version}`, async (t) => {
    const { send, seen } = await build(t)
    for (const naming of NAMING) {
      const what = naming.join(' | ').slice(0, 100)
      const [answer] = await send(`GET /api/x/1 HTTP/${version}`, naming)
      assert.equal(answer?.status, 200, what)
      assertWhole(seen.at(-1) ?? assert.fail(), what)
    }
    assert.equal(seen.length, NAMING.length)
  })

  test(`what the client names in Connection is left out, and nothing of this connection goes on, in HTTP/${version}`, async (t) => {
    const { send, seen } = await build(t)
    const headers = ['X-One: 1', 'X-Two: 2', 'X-Kept: 3', 'Proxy-Authorization: Basic eA==', 'Keep-Alive: timeout=9']
    await send(`GET /api/x/1 HTTP/${version}`, ['Connection: X-One, x-two, close', 'TE: gzip', ...headers])
    const { headers: reached } = seen.at(-1) ?? assert.fail()
    assert.equal(reached['x-kept'], '3')
    for (const name of ['x-one', 'x-two', 'proxy-authorization', 'te', 'proxy-connection']) {
      assert.equal(reached[name], undefined, name)
    }
    assert.doesNotMatch(reached['keep-alive'] ?? '', /timeout=9/)
  })
}

test('to name the length, the type or the encoding of a body takes no body apart', async (t) => {
  const { send, seen } = await build(t)
  const body = 'a=1&b=GET /api/x/2 HTTP/1.1'
  for (const name of ['content-length', 'transfer-encoding', 'content-type', 'content-length, host, authorization']) {
    const length = `Content-Length: ${body.length}`
    const [answer, ...more] = await send('POST /api/x/1 HTTP/1.1', [length, `Connection: close, ${name}`], body)
    assert.equal(answer?.status, 200, name)
    assert.equal(more.length, 0)
    const [reached, ...others] = seen.splice(0)
    assert.equal(others.length, 0, 'one request reached the API')
    assertWhole(reached ?? assert.fail(), name)
    assert.equal(reached?.body, body)
  }
})

test('a WebSocket handshake that names our headers keeps them', async (t) => {
  const { send, seen } = await build(t)
  const handshake = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
  for (const naming of [
    'Upgrade, Authorization, X-Request-Id, Traceparent',
    'upgrade,authorization,sec-websocket-key',
  ]) {
    await send('GET /api/x/1 HTTP/1.1', [`Connection: ${naming}`, ...handshake])
    const reached = seen.at(-1) ?? assert.fail()
    assertWhole(reached, naming)
    assert.equal(reached.headers.connection?.toLowerCase(), 'upgrade')
  }
})

test('the names that a client invents do not wear out the memory of which ones are refused', async (t) => {
  const { send, seen } = await build(t)
  for (let round = 0; round < 8; round += 1) {
    const invented = Array.from({ length: 200 }, (_, at) => `X-Invented-${round}-${at}: 1`)
    await send('GET /api/x/1 HTTP/1.1', ['Connection: close', ...invented])
  }
  const forged = [
    'X-Auth-Level: forged',
    'x_auth-realm: forged',
    'X_Forwarded_Tenant: forged',
    'X-Forwarded-Groups: forged',
  ]
  await send('GET /api/x/1 HTTP/1.1', ['Connection: close', ...forged, 'X-Kept: 3'])
  const { headers } = seen.at(-1) ?? assert.fail()
  assert.doesNotMatch(JSON.stringify(headers), /forged/)
  assert.equal(headers['x-kept'], '3')
})

test("an API's Connection header takes nothing away of what this service says to the client", async (t) => {
  const names = 'cache-control, vary, strict-transport-security, access-control-allow-origin, x-own'
  const answered = { connection: names, 'x-own': '1', 'x-kept': '2', 'keep-alive': 'timeout=9', upgrade: 'h2c' }
  const { send } = await build(t, { ...answered, 'proxy-authenticate': 'Basic', trailer: 'x' })
  const [answer] = await send('GET /api/x/1 HTTP/1.1', ['Connection: close'])
  assert.ok(answer)
  assert.equal(headerOf(answer, 'cache-control'), 'no-store')
  assert.match(headerOf(answer, 'vary') ?? '', /origin/i)
  assert.equal(headerOf(answer, 'strict-transport-security'), 'max-age=31536000; includeSubDomains')
  assert.equal(headerOf(answer, 'access-control-allow-origin'), PUBLIC_URL)
  assert.equal(headerOf(answer, 'x-kept'), '2')
  for (const name of ['x-own', 'upgrade', 'proxy-authenticate', 'trailer']) {
    assert.equal(headerOf(answer, name), undefined, name)
  }
  assert.doesNotMatch(headerOf(answer, 'keep-alive') ?? '', /timeout=9/)
})
