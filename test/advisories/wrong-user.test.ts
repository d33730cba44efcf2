import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Idp } from '../../src/idp/idp.ts'
import { newSession, PUBLIC_URL, type Service, type ServiceOptions } from '../plugins/build-service.ts'
import { buildProxy } from '../routes/build-proxy.ts'
import { createRandom } from '../support/random.ts'
import { ask, parseAnswers, sendRaw } from './raw.ts'

const USERS = ['amy', 'bob', 'cyd', 'dan', 'eve', 'fay', 'gus', 'hal']

interface User {
  readonly sub: string
  readonly token: string
  readonly headers: { readonly cookie: string; readonly origin: string }
}

/** Sessions whose tokens say whose they are. */
const plantUsers = (service: Service, accessTokenExpiresAt = service.time.now + 900): Promise<User[]> =>
  Promise.all(
    USERS.map(async (sub) => {
      const token = `first-token-of-${sub}`
      const { tokens } = newSession(service.time.now)
      const own = { ...tokens, accessToken: token, refreshToken: `refresh-token-of-${sub}`, accessTokenExpiresAt }
      const credential = await service.plant({ sub, sid: `sid-${sub}`, claims: { name: sub }, tokens: own })
      return { sub, token, headers: { cookie: `${service.cookieName}=${credential}`, origin: PUBLIC_URL } }
    }),
  )

/** An API that answers each call with its token, out of order, over few connections. */
async function build(t: TestContext, options: ServiceOptions = {}) {
  const random = createRandom(7)
  const seen: string[] = []
  const proxy = await buildProxy(
    t,
    (incoming, answer) => {
      seen.push(String(incoming.headers.authorization))
      incoming.resume()
      const finish = (): void => void answer.end(JSON.stringify({ saw: incoming.headers.authorization }))
      if (random() < 0.5) setImmediate(finish)
      else finish()
    },
    options,
  )
  let connections = 0
  proxy.upstream.server.on('connection', () => {
    connections += 1
  })
  return { ...proxy, seen, connections: () => connections }
}

const shuffle = <T>(items: readonly T[], random = createRandom(3)): T[] =>
  items
    .map((item): [number, T] => [random(), item])
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item)

test('of many users over one connection, asked before the last answer is there, each gets its own answer', async (t) => {
  const { service, port, connections } = await build(t)
  const users = await plantUsers(service)
  const calls = shuffle(users.flatMap((user) => Array.from({ length: 12 }, () => user)))
  const paths = ['/api/x/1', '/auth/session', '/auth/sessions']
  const octets = calls.map(({ headers }, at) => {
    const last = at === calls.length - 1 ? ['Connection: close'] : []
    return [
      `GET ${paths[at % 3]} HTTP/1.1`,
      'Host: a',
      `Cookie: ${headers.cookie}`,
      `Origin: ${PUBLIC_URL}`,
      ...last,
      '',
      '',
    ].join('\r\n')
  })
  for (const _round of [1, 2, 3]) {
    const answers = parseAnswers(await sendRaw(port, octets.join('')))
    assert.equal(answers.length, calls.length)
    for (const [at, { status, body }] of answers.entries()) {
      const { sub, token } = calls[at] ?? assert.fail()
      assert.equal(status, 200)
      const answer = JSON.parse(body)
      if (at % 3 === 0) assert.deepEqual(answer, { saw: `Bearer ${token}` })
      else if (at % 3 === 1) assert.equal(answer.user.sub, sub)
      else assert.equal(answer.sessions.length, 1)
    }
  }
  assert.ok(
    connections() <= calls.length / 3,
    'the later rounds used the connections of the first, each for whoever came',
  )
})

test('of many users over many connections at once and one pool, each gets its own answer', async (t) => {
  const { service, port, connections, seen } = await build(t)
  const users = await plantUsers(service)
  const agent = new Agent({ keepAlive: true, maxSockets: 5 })
  t.after(() => agent.destroy())
  const calls = shuffle(users.flatMap((user) => Array.from({ length: 40 }, () => user)))
  await Promise.all(
    calls.map(async ({ headers, token, sub }, at) => {
      const [path, method] = at % 2 === 0 ? ['/api/x/1', 'POST'] : ['/auth/session', 'GET']
      const { body } = await ask(port, path ?? '', { method: method ?? '', headers, agent })
      const answer = JSON.parse(body)
      if (at % 2 === 0) assert.equal(answer.saw, `Bearer ${token}`)
      else assert.equal(answer.user.sub, sub)
    }),
  )
  assert.equal(seen.length, calls.length / 2)
  assert.ok(connections() <= 5)
})

test('tokens that are renewed for many users at once each reach their own session, and stay there', async (t) => {
  const refresh = async ({ refreshToken }: { readonly refreshToken: string }) => {
    const sub = refreshToken.split('-').at(-1)
    for (let turns = sub?.charCodeAt(0) ?? 0; turns % 4 > 0; turns -= 1) await new Promise(setImmediate)
    const idTokenClaims = { iss: 'https://idp.example.net', sub: String(sub) }
    const rest = { idToken: 'canary-id-token', scope: 'openid', idTokenClaims, accessTokenExpiresAt: 1_800_009_000 }
    return { kind: 'refreshed', tokens: { ...rest, accessToken: `second-token-of-${sub}`, refreshToken } }
  }
  const { service, port, seen } = await build(t, { idp: { refresh } as unknown as Partial<Idp> })
  const users = await plantUsers(service, service.time.now - 1)
  const calls = shuffle(users.flatMap((user) => Array.from({ length: 10 }, () => user)))
  for (const _round of [1, 2]) {
    await Promise.all(
      calls.map(async ({ headers, sub }) => {
        const { body } = await ask(port, '/api/x/1', { headers })
        assert.deepEqual(JSON.parse(body), { saw: `Bearer second-token-of-${sub}` })
      }),
    )
  }
  assert.equal(seen.length, 2 * calls.length)
})

test('the inner listener tells of many users over one connection of a proxy each its own', async (t) => {
  const { service } = await build(t)
  await service.admin.listen({ host: '127.0.0.1', port: 0 })
  const { port } = service.admin.server.address() as AddressInfo
  const users = await plantUsers(service)
  const calls = shuffle(users.flatMap((user) => Array.from({ length: 12 }, () => user)))
  const octets = calls.map(({ headers }, at) => {
    const last = at === calls.length - 1 ? ['Connection: close'] : []
    return ['GET /auth/verify HTTP/1.1', 'Host: a', `Cookie: ${headers.cookie}`, ...last, '', ''].join('\r\n')
  })
  const answers = parseAnswers(await sendRaw(port, octets.join('')))
  const told = answers.map(({ headers }) => Object.fromEntries(headers))
  assert.deepEqual(
    told.map((headers) => [headers['x-auth-subject'], headers.authorization]),
    calls.map(({ sub, token }) => [sub, `Bearer ${token}`]),
  )
})

/** An API that speaks octets: what it says beyond its answer would be the next one's on that connection. */
async function listenRaw(t: TestContext, answerOf: (path: string, token: string) => string) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    let received = ''
    socket
      .on('error', () => {})
      .setEncoding('latin1')
      .on('data', (chunk) => {
        received += chunk
        for (let end = received.indexOf('\r\n\r\n'); end !== -1; end = received.indexOf('\r\n\r\n')) {
          const head = received.slice(0, end)
          received = received.slice(end + 4)
          socket.write(answerOf(head.split(' ')[1] ?? '', /authorization: (.*)/i.exec(head)?.[1] ?? ''))
        }
      })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const answer = (body: string, ...headers: string[]): string =>
  ['HTTP/1.1 200 OK', `content-length: ${body.length}`, ...headers, '', body].join('\r\n')

/** What an API can say after, before or in the middle of the answer that it owes. */
const POISONS: Readonly<Record<string, string>> = {
  'a second answer': answer('{}') + answer('{"poison":1}'),
  'a second answer after one without a body': `HTTP/1.1 204 No Content\r\n\r\n${answer('{"poison":1}')}`,
  'more than its length':
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{"poison":1}',
  'two lengths':
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 40\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\n{"poison":1}',
  'a length and chunks': `HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${answer('{"poison":1}')}`,
  'a switch of protocols that nobody asked for': `HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n${answer('{"poison":1}')}`,
  'hints with a cookie, and then two answers': `HTTP/1.1 103 Early Hints\r\nset-cookie: poison=1\r\n\r\n${answer('{}')}${answer('{"poison":1}')}`,
}

for (const [what, poison] of Object.entries(POISONS)) {
  test(`on connections that all share, an API that says ${what} spoils nobody else's answer`, async (t) => {
    const url = await listenRaw(t, (path, token) =>
      path.endsWith('/evil') ? poison : answer(JSON.stringify({ saw: token })),
    )
    const { service, port } = await buildProxy(t, (_incoming, response) => response.end(), {
      env: { API_ROUTES: `/api/x=${url}/v1` },
    })
    const [mallory, ...others] = await plantUsers(service)
    const agent = new Agent({ keepAlive: true, maxSockets: 2 })
    t.after(() => agent.destroy())
    const call = async ({ headers, token }: User): Promise<void> => {
      const { body, headers: answered } = await ask(port, '/api/x/1', { headers, agent })
      assert.deepEqual(JSON.parse(body), { saw: `Bearer ${token}` })
      assert.doesNotMatch(JSON.stringify(answered), /poison/)
    }
    for (let round = 0; round < 3; round += 1) {
      const evil = ask(port, '/api/x/evil', { headers: mallory?.headers ?? {} }).catch(() => undefined)
      if (round > 0) await Promise.all(others.map(call)) // While it goes on.
      await evil
      for (const user of others) await call(user)
    }
  })
}

for (const method of ['CONNECT', 'TRACE']) {
  test(`no API is reached by ${method}, and nothing is left behind for the next user of a connection`, async (t) => {
    const { service, port, seen } = await build(t)
    const [mallory, other] = await plantUsers(service)
    const lines = ['Host: a', `Cookie: ${mallory?.headers.cookie}`, `Origin: ${PUBLIC_URL}`]
    for (const target of ['/api/x/1', 'bff.example.com:443', 'http://bff.example.com/api/x/1']) {
      const octets = [
        `${method} ${target} HTTP/1.1`,
        ...lines,
        '',
        'GET /api/x/smuggled HTTP/1.1',
        ...lines,
        'Connection: close',
        '',
        '',
      ]
      const received = await sendRaw(port, octets.join('\r\n'))
      assert.doesNotMatch(received, /^HTTP\/1\.1 2/)
    }
    const straight = seen.length
    const { body } = await ask(port, '/api/x/1', { headers: other?.headers ?? {} })
    assert.deepEqual(JSON.parse(body), { saw: `Bearer ${other?.token}` })
    assert.ok(seen.length === straight + 1)
  })
}
