import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { ask as askRaw } from '../examples/ask.ts'
import { createRandom } from '../support/random.ts'
import { build, headersOf, METHODS, present, VERIFY, YES } from './build-verify.ts'

const ROUNDS = 600
const SEED = 20_260_816

const ADDRESSES = ['127.0.0.1', '10.0.0.1', '::1', '203.0.113.9, 127.0.0.1', 'unknown', '', 'x'.repeat(2000)]
const HOSTS = ['bff.example.com', 'evil.example', 'localhost:8081', '127.0.0.1', 'bff.example.com:443', '[::1]']
const PATHS = [
  '/',
  '/auth/start',
  '/health/live',
  '/admin/sessions/end',
  '//evil.example',
  '/..%2f',
  '/orders/5?a=1',
  '*',
]
const NAMES = ['ada', 'eve', 'root', '', 'ada@example.com', 'null', '0', 'ada,eve']
const ORIGINS = ['https://bff.example.com', 'https://evil.example', 'null', 'https://app.example.com', '', 'x']
const TYPES = [
  'text/plain',
  'application/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  '',
  'x/y;z',
]

/** What somebody who wants another answer might add, with values. */
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    ['X-Forwarded-For', 'X-Real-IP', 'X-Client-IP', 'True-Client-IP', 'CF-Connecting-IP'].map((name) => [
      name,
      ADDRESSES,
    ]),
  ),
  ...Object.fromEntries(['Host', 'X-Forwarded-Host', 'X-Forwarded-Server', 'X-Host'].map((name) => [name, HOSTS])),
  ...Object.fromEntries(
    ['X-Original-URL', 'X-Original-URI', 'X-Rewrite-URL', 'X-Forwarded-Uri', 'X-Forwarded-Prefix'].map((name) => [
      name,
      PATHS,
    ]),
  ),
  ...Object.fromEntries(
    [
      'X-Auth-Subject',
      'x-auth-subject',
      'X_Auth_Subject',
      'X-AUTH_SUBJECT',
      'X-Auth-Email',
      'X_Auth_Email',
      'Remote-User',
    ]
      .concat(['X-Forwarded-User', 'X-Auth-Request-User', 'X-Forwarded-Access-Token', 'X-Authorization', 'HTTP_COOKIE'])
      .map((name) => [name, NAMES]),
  ),
  Forwarded: ['for=127.0.0.1;proto=https', 'for=127.0.0.1;host=evil.example;by=10.0.0.1', 'for=', 'x'],
  'X-Forwarded-Proto': ['http', 'https', 'wss', 'HTTPS,http', ''],
  'X-Forwarded-Port': ['443', '80', '0', '-1', 'x'],
  'X-Forwarded-Method': ['GET', 'POST', 'TRACE', ''],
  'X-HTTP-Method-Override': ['GET', 'DELETE', 'CONNECT'],
  Origin: ORIGINS,
  Referer: ORIGINS,
  'Sec-Fetch-Site': ['same-origin', 'same-site', 'cross-site', 'none', ''],
  'Sec-Fetch-Mode': ['navigate', 'cors', 'no-cors', 'websocket', ''],
  'Sec-Fetch-Dest': ['document', 'empty', 'iframe', 'image', 'script', ''],
  'Sec-Purpose': ['prefetch', 'prefetch;prerender'],
  'Access-Control-Request-Method': ['POST', 'DELETE'],
  'Content-Type': TYPES,
  Accept: ['text/html', 'application/json', '*/*', 'image/png', ''],
  'If-None-Match': ['*', '"x"'],
  Range: ['bytes=0-1', 'x'],
  'User-Agent': ['', 'curl', 'x'.repeat(1000)],
  Connection: ['close', 'keep-alive', 'X-Auth-Subject'],
}

const SUBPATHS = [
  '',
  '/',
  '?',
  '?x=1&oten_session=y',
  '/orders/5',
  '/orders/5?a=%00',
  '/caf%C3%A9',
  '//double',
  '/a%2fb',
]

type Random = <T>(of: readonly T[]) => T

function buildQuestion(pick: Random, own: Readonly<Record<string, string>>): InjectOptions {
  const names = Object.keys(HEADERS)
  const chosen = Array.from({ length: 1 + pick([...Array(12).keys()]) }, () => pick(names))
  const headers = Object.fromEntries(chosen.map((name) => [name, pick(HEADERS[name] ?? [])]))
  const method = pick(METHODS)
  const payload = pick(['', 'a=1', '{"a":1}', '{', 'x'.repeat(100_000)])
  return {
    method,
    url: VERIFY + pick(SUBPATHS),
    headers: { ...headers, ...own },
    ...(payload !== '' && { payload }),
  }
}

/** Yes or no, and what the proxy would copy. */
const decisionOf = (answer: LightMyRequestResponse): unknown => {
  const copied = Object.entries(headersOf(answer)).filter(
    ([name]) => name.startsWith('x-auth-') || name === 'authorization',
  )
  return {
    yes: [200, 204].includes(answer.statusCode),
    no: answer.statusCode === 401,
    copied: Object.fromEntries(copied),
  }
}

test(`contract §7: no header, method or path changes the decision (${ROUNDS} questions of the signed-in and of nobody)`, async (t) => {
  const { service, credential, plant } = await build(t, { env: { TRUSTED_PROXIES: '127.0.0.1/32,10.0.0.0/8' } })
  const token = await plant({ kind: 'app-token', sub: 'bob' })
  const callers = [present(service, credential), present(service, token), {}, { cookie: 'theme=dark' }]
  const random = createRandom(SEED)
  const pick: Random = (of) => of[Math.floor(random() * of.length)] ?? assert.fail('nothing to pick from')
  const plain = await Promise.all(
    callers.map(async (headers) => decisionOf(await service.admin.inject({ url: VERIFY, headers }))),
  )
  const { 'cache-control': _, ...copied } = YES
  assert.deepEqual(plain[0], { yes: true, no: false, copied })
  assert.deepEqual(plain[1], { yes: true, no: false, copied: { ...copied, 'x-auth-subject': 'bob' } })
  for (const nobody of plain.slice(2)) assert.deepEqual(nobody, { yes: false, no: true, copied: {} })

  for (let round = 0; round < ROUNDS; round++) {
    for (const [which, headers] of callers.entries()) {
      const question = buildQuestion(pick, headers)
      const answer = await service.admin.inject(question)
      const about = `seed ${SEED}, round ${round}: ${JSON.stringify(question).slice(0, 1500)}`
      assert.deepEqual(decisionOf(answer), plain[which], about)
      assert.equal(answer.headers['set-cookie'], undefined, about)
      assert.equal(answer.headers['cache-control'], 'no-store', about)
    }
  }
})

test('contract §7: nor does what only a connection can carry', async (t) => {
  const { service, credential, plant } = await build(t)
  const url = await service.admin.listen({ host: '127.0.0.1', port: 0 })
  const eve = await plant({ sub: 'eve' })
  const cookie = `${service.cookieName}=${credential}`
  const handshake = [
    ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
    ['Sec-WebSocket-Version', '13'],
  ] as const
  for (const [is, ...headers] of [
    [true, ['Connection', 'Upgrade'], ['Upgrade', 'websocket'], ...handshake],
    [true, ['Connection', 'Upgrade, HTTP2-Settings'], ['Upgrade', 'h2c'], ['HTTP2-Settings', 'AAMAAABk']],
    [true, ['Expect', '100-continue']],
    [true, ['TE', 'trailers'], ['Connection', 'TE, Cookie, Authorization']],
    [true, ['Transfer-Encoding', 'chunked']],
    [true, ['Cookie', 'a=1'], ['Cookie', 'b=2']],
    [true, ['Authorization', 'Basic YTpi'], ['Authorization', 'Bearer x']],
    [false, ['Cookie', `${service.cookieName}=${eve}`]],
    [false, ['Cookie', cookie]],
  ] as const) {
    for (const path of [VERIFY, `${VERIFY}/api/socket`]) {
      const question = { headers: [['Cookie', cookie], ...headers] as const }
      const answer = await askRaw(url, path, question)
      assert.deepEqual(
        [answer.status < 300, answer.headers['x-auth-subject']],
        is ? [true, 'ada'] : [false, undefined],
        `${headers}`,
      )
      assert.equal((await askRaw(url, path, { headers: headers.filter(([name]) => name !== 'Cookie') })).status, 401)
    }
  }
})

test('RFC 9110 §10.1.1: an expectation that is not understood changes nothing either', async (t) => {
  const { service, credential } = await build(t)
  const url = await service.admin.listen({ host: '127.0.0.1', port: 0 })
  const headers = [['Expect', 'something-else']] as const
  const cookie = ['Cookie', `${service.cookieName}=${credential}`] as const
  assert.equal((await askRaw(url, VERIFY, { headers: [...headers, cookie] })).status, 204)
  assert.equal((await askRaw(url, VERIFY, { headers })).status, 401)
})
