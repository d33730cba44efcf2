import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import dns from 'node:dns'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { BffError } from '../../src/errors.ts'
import { createIdpHttp, type IdpHttpOptions, RedirectRefused } from '../../src/idp/http.ts'
import { createTestLog } from './build-idp.ts'
import { startHostileIdp } from './hostile-idp.ts'
import { createSelfSigned } from './self-signed.ts'

const MEBIBYTE = 1024 * 1024

function build(t: TestContext, options: Partial<IdpHttpOptions> = {}) {
  const log = createTestLog()
  const http = createIdpHttp({ allowInsecureIssuer: true, now: () => Date.now() / 1000, log, ...options })
  t.after(() => http.close())
  return { http, log }
}

/** Counts connections to this port that failed, and tells of each. */
function watchFailedConnections(t: TestContext, port: number, onFailure: () => void = () => {}): () => number {
  let count = 0
  const listener = (message: unknown): void => {
    const { connectParams } = message as { connectParams: { port: string } }
    if (Number(connectParams.port) !== port) return
    count += 1
    onFailure()
  }
  subscribe('undici:client:connectError', listener)
  t.after(() => unsubscribe('undici:client:connectError', listener))
  return () => count
}

const post = { method: 'POST', body: new URLSearchParams({ code: 'canary-code' }) }
const get = { method: 'GET' }
const isUnavailable = (error: unknown): boolean => error instanceof BffError && error.code === 'idp_unavailable'

test('TX-03 a request that the IdP read and did not answer is sent exactly once', async (t) => {
  const idp = await startHostileIdp(t)
  idp.on('/token', (_received, response) => {
    response.destroy()
    return undefined
  })
  const { http } = build(t)
  await assert.rejects(http.fetch(`${idp.issuer}/token`, post), isUnavailable)
  await assert.rejects(http.fetch(`${idp.issuer}/token`, get), isUnavailable)
  assert.equal(idp.count('/token'), 2)
})

test('TX-03 a refused connection is tried once more, and not a third time', async (t) => {
  const idp = await startHostileIdp(t)
  await idp.stop()
  const { http } = build(t)
  const failures = watchFailedConnections(t, idp.port)
  await assert.rejects(http.fetch(`${idp.issuer}/token`, post), isUnavailable)
  assert.equal(failures(), 2)
})

test('TX-03 the second try of a refused connection gets through, with one request', async (t) => {
  const idp = await startHostileIdp(t)
  idp.on('/token', () => ({ body: {} }))
  await idp.stop()
  const { http } = build(t)
  watchFailedConnections(t, idp.port, () => void idp.restart())
  const response = await http.fetch(`${idp.issuer}/token`, post)
  assert.equal(response.status, 200)
  assert.equal(idp.count('/token'), 1)
  assert.equal(idp.last('/token').body.get('code'), 'canary-code')
})

for (const code of ['ENOTFOUND', 'EAI_AGAIN']) {
  test(`TX-03 a name that does not resolve (${code}) is tried once more`, async (t) => {
    const { http } = build(t)
    const lookup = t.mock.method(dns, 'lookup', (...args: unknown[]) => {
      const done = args.at(-1) as (error: Error) => void
      setImmediate(() => done(Object.assign(new Error(code), { code })))
    })
    const error = await http.fetch('http://idp.example/token', post).catch((reason: unknown) => reason)
    assert.equal(error instanceof BffError && error.message, `POST http://idp.example/token: ${code}`)
    assert.equal(lookup.mock.callCount(), 2)
  })
}

test('TX-03, TX-04 a connection that never comes about is given up and tried once more', async (t) => {
  const mute = createTcpServer(() => {}) // Accepts, and says nothing to the TLS handshake.
  await new Promise<void>((resolve) => {
    mute.listen(0, '127.0.0.1', resolve)
  })
  t.after(() => mute.close())
  const { port } = mute.address() as AddressInfo
  const { http } = build(t, { connectTimeoutMs: 200 })
  const failures = watchFailedConnections(t, port)
  const error = await http.fetch(`https://127.0.0.1:${port}/token`, post).catch((reason: unknown) => reason)
  assert.ok(error instanceof BffError)
  assert.match(error.message, /UND_ERR_CONNECT_TIMEOUT/)
  assert.equal(failures(), 2)
})

test('TX-03 every POST has a connection of its own, while GETs share one', async (t) => {
  const idp = await startHostileIdp(t)
  idp.on('/token', () => ({ body: {} }))
  const { http } = build(t)
  for (const init of [get, get, post, post]) {
    await http.fetch(`${idp.issuer}/token`, init)
    await turn() // By then an idle connection is back in the pool.
  }
  const [get1, get2, post1, post2] = idp.requests.map(({ connection }) => connection)
  assert.equal(get1, get2)
  assert.equal(new Set([get2, post1, post2]).size, 3)
  assert.equal(idp.last('/token').headers.connection, 'close')
})

test('TX-04 an answer that does not come in time is an error, also when it only drips', async (t) => {
  const idp = await startHostileIdp(t)
  idp.on('/silent', () => undefined)
  idp.on('/drips', (_received, response) => {
    response.writeHead(200).write('{')
    const timer = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(timer))
    return undefined
  })
  const { http } = build(t, { totalTimeoutMs: 250 })
  await assert.rejects(http.fetch(`${idp.issuer}/silent`, post), /POST .*\/silent: TimeoutError$/)
  await assert.rejects(http.fetch(`${idp.issuer}/drips`, get), isUnavailable)
})

test('TX-04 an answer of 1 MiB is read, a larger one is an error and not cut off', async (t) => {
  const idp = await startHostileIdp(t)
  idp.on('/large', () => ({ body: ' '.repeat(MEBIBYTE) }))
  idp.on('/huge', () => ({ body: ' '.repeat(MEBIBYTE + 1) }))
  idp.on('/chunked', (_received, response) => {
    for (let i = 0; i <= 16; i += 1) response.write(' '.repeat(MEBIBYTE / 16))
    response.end()
    return undefined
  })
  const { http } = build(t)
  assert.equal((await (await http.fetch(`${idp.issuer}/large`, get)).text()).length, MEBIBYTE)
  await assert.rejects(http.fetch(`${idp.issuer}/huge`, get), isUnavailable)
  await assert.rejects(http.fetch(`${idp.issuer}/chunked`, post), isUnavailable)
})

test('TX-04 an unpacked answer is asked for, since a packed one could outgrow every limit', async (t) => {
  const idp = await startHostileIdp(t)
  const { http } = build(t)
  await http.fetch(`${idp.issuer}/any`, { method: 'GET', headers: { accept: 'application/json' } })
  assert.equal(idp.last('/any').headers['accept-encoding'], 'identity')
  assert.equal(idp.last('/any').headers.accept, 'application/json')
})

for (const status of [300, 301, 302, 303, 304, 307, 308, 399]) {
  test(`TX-04, KY-06 a ${status} is an error: nobody else gets what was meant for the IdP`, async (t) => {
    const [idp, thief] = await Promise.all([startHostileIdp(t), startHostileIdp(t)])
    idp.on('/token', () => ({ status, headers: { location: `${thief.issuer}/token?canary` } }))
    const { http } = build(t)
    for (const init of [get, post]) {
      const error = await http.fetch(`${idp.issuer}/token`, init).catch((reason: unknown) => reason)
      assert.ok(error instanceof BffError && error.code === 'idp_unavailable')
      assert.match(error.message, new RegExp(`/token: answered ${status}: redirects are not followed$`))
      assert.ok(error.cause instanceof RedirectRefused)
    }
    assert.equal(thief.requests.length, 0)
    assert.equal(idp.requests.length, 2)
  })
}

test('TX-01 a certificate that nobody vouches for is refused, before anything is sent', async (t) => {
  let requests = 0
  const server = createTlsServer(createSelfSigned(), (_request, response) => {
    requests += 1
    response.end()
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { http } = build(t)
  const error = await http.fetch(`https://localhost:${port}/token`, post).catch((reason: unknown) => reason)
  assert.ok(error instanceof BffError)
  assert.match(error.message, /DEPTH_ZERO_SELF_SIGNED_CERT/)
  assert.equal(requests, 0)
})

test('TX-01 plain http is refused unless it was allowed, and other schemes always', async (t) => {
  const idp = await startHostileIdp(t)
  const strict = build(t, { allowInsecureIssuer: false }).http
  const refusal = { code: 'idp_unavailable', message: /\/token: only https is allowed$/ }
  await assert.rejects(strict.fetch(`${idp.issuer}/token`, post), refusal)
  await assert.rejects(build(t).http.fetch('ftp://127.0.0.1/token', post), refusal)
  assert.equal(idp.requests.length, 0)
})

test('an error names the address without query, and nothing that was sent or came back', async (t) => {
  const idp = await startHostileIdp(t)
  idp.on('/revoke', (_received, response) => {
    response.socket?.end('canary is no HTTP\r\n\r\n')
    return undefined
  })
  const { http } = build(t)
  const headers = { authorization: 'Basic canary' }
  const error = await http
    .fetch(`${idp.issuer}/revoke?hint=canary`, { ...post, headers })
    .catch((reason: unknown) => reason)
  assert.ok(error instanceof BffError)
  assert.match(error.message, /^POST http:\/\/127\.0\.0\.1:\d+\/revoke: /)
  assert.doesNotMatch(error.message, /canary/)
})

test('an answer without content is an answer, whatever its status', async (t) => {
  const idp = await startHostileIdp(t)
  const { http } = build(t)
  for (const status of [200, 204, 205, 299, 400, 404, 500]) {
    idp.on('/empty', () => ({ status }))
    assert.equal((await http.fetch(`${idp.issuer}/empty`, get)).status, status)
  }
})

test("LG-05 a clock that is off from the IdP's by more than 30 s is a warning, once an hour", async (t) => {
  const idp = await startHostileIdp(t)
  idp.on('/any', () => ({ headers: { date: 'Sun, 06 Nov 1994 08:49:37 GMT' } })) // 784111777
  const time = { now: 784_111_777 - 40 }
  const { http, log } = build(t, { now: () => time.now })
  await http.fetch(`${idp.issuer}/any`, get)
  await http.fetch(`${idp.issuer}/any`, get)
  assert.deepEqual([log.lines.length, log.lines[0]?.level, log.lines[0]?.fields], [1, 'warn', { clockOffsetS: 40 }])
  assert.equal(http.clockOffsetS(), 40)
})
