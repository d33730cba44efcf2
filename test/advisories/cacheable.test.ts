import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { PUBLIC_URL, SPA } from '../plugins/build-service.ts'
import { buildProxy } from '../routes/build-proxy.ts'
import { ask, headerOf, type RawAnswer } from './raw.ts'

const NAVIGATION = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
const JSON_BODY = { 'content-type': 'application/json' }

/** Requests to every route, and to none, that succeed or fail in as many ways as one request can. */
const REQUESTS: readonly (readonly [method: string, path: string, headers?: Record<string, string>, body?: string])[] =
  [
    ['GET', '/auth/start'],
    ['GET', '/auth/start', NAVIGATION],
    ['GET', '/auth/start?return_to=//evil.example'],
    ['GET', '/auth/start?return_to=//evil.example', NAVIGATION],
    ['GET', '/auth/start', { ...NAVIGATION, 'sec-purpose': 'prefetch' }],
    ['GET', '/auth/start', { 'sec-fetch-dest': 'image' }],
    ['HEAD', '/auth/start'],
    ['GET', '/auth/callback?state=x&code=y', NAVIGATION],
    ['GET', '/auth/callback?error=access_denied'],
    ['GET', '/auth/session'],
    ['GET', '/auth/session?touch=true'],
    ['GET', '/auth/session', { 'sec-fetch-dest': 'script' }],
    ['GET', '/auth/sessions'],
    ['DELETE', '/auth/sessions/nobody'],
    ['POST', '/auth/refresh'],
    ['POST', '/auth/refresh', { origin: 'https://evil.example' }],
    ['POST', '/auth/handoff', JSON_BODY, '{"code":"x","code_verifier":"y"}'],
    ['POST', '/auth/handoff', JSON_BODY, '{'],
    ['POST', '/auth/handoff', { 'content-type': 'text/plain' }, '{}'],
    ['GET', '/auth/logout'],
    ['POST', '/auth/logout', JSON_BODY, '{"return_to":"//evil.example"}'],
    ['GET', '/auth/logout/continue?ticket=x', NAVIGATION],
    ['GET', '/auth/logged-out?state=x', NAVIGATION],
    ['POST', '/auth/backchannel-logout', { 'content-type': 'application/x-www-form-urlencoded' }, 'logout_token=x'],
    ['GET', '/auth/jwks.json'],
    ['GET', '/auth/openapi.yaml'],
    ['OPTIONS', '/auth/session', { 'access-control-request-method': 'GET' }],
    ['GET', '/auth/nowhere'],
    ['GET', '/auth/%ff'],
    ['GET', '/'],
    ['GET', '/signed-in?code=x', NAVIGATION],
    ['GET', '/api/x/1'],
    ['POST', '/api/x/1'],
    ['GET', '/api/nowhere'],
    ['GET', '/api/x/../y'],
    ['GET', '/api/down/1'],
  ]

/** What anybody may keep, since it is the same for everybody. */
const PUBLIC = ['/auth/jwks.json', '/auth/openapi.yaml']

async function build(t: TestContext, api: Record<string, string | string[]> = {}) {
  const proxy = await buildProxy(t, (incoming, answer) => {
    incoming.resume()
    for (const [name, value] of Object.entries(api)) answer.setHeader(name, value)
    answer.end('of one user')
  })
  return proxy
}

const setCookies = ({ headers }: RawAnswer): string[] =>
  headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value)

function assertPrivate(answer: RawAnswer, what: string): void {
  const cacheControl = headerOf(answer, 'cache-control') ?? ''
  const directives = cacheControl.split(',').map((directive) => directive.trim())
  assert.ok(directives.includes('no-store') || directives.includes('private'), `${what}: ${cacheControl}`)
  assert.ok(!directives.includes('public'), `${what}: ${cacheControl}`)
  if (setCookies(answer).length > 0) assert.equal(cacheControl, 'no-store', `${what} sets a cookie`)
  assert.match(headerOf(answer, 'vary') ?? '', /\borigin\b/i, `${what} varies by origin`)
}

test('no answer of any route, whatever its status and whoever asks, may be kept by a shared cache', async (t) => {
  const { service, port, mine } = await build(t)
  const askers: Readonly<Record<string, Record<string, string>>> = {
    nobody: {},
    'the signed-in': mine,
    'a listed page': { ...mine, origin: SPA },
    'a dead cookie': { cookie: `${service.cookieName}=b_${'x'.repeat(43)}`, origin: PUBLIC_URL },
    'two cookies': { cookie: `${mine.cookie}; ${mine.cookie}`, origin: PUBLIC_URL },
  }
  let cookiesSet = 0
  for (const [who, own] of Object.entries(askers)) {
    for (const [method, path, headers = {}, body] of REQUESTS) {
      const answer = await ask(port, path, { method, headers: { ...own, ...headers }, ...(body && { body }) })
      const what = `${method} ${path} by ${who}: ${answer.status}`
      cookiesSet += setCookies(answer).length
      const isPublic = PUBLIC.includes(path) && answer.status === 200
      if (!isPublic) assertPrivate(answer, what)
      else assert.deepEqual(setCookies(answer), [], what)
    }
  }
  assert.ok(cookiesSet > 20, 'many of these set or clear a cookie')
})

test('what may be kept is the same for everybody, and neither reads nor sets a cookie', async (t) => {
  const { service, port, mine } = await build(t)
  const dead = { cookie: `${service.cookieName}=b_${'x'.repeat(43)}` }
  for (const path of PUBLIC) {
    const answers = await Promise.all([{}, mine, dead].map((headers) => ask(port, path, { headers })))
    assert.equal(new Set(answers.map(({ body }) => body)).size, 1)
    for (const answer of answers) {
      assert.equal(answer.status, 200)
      assert.deepEqual(setCookies(answer), [])
      assert.match(headerOf(answer, 'cache-control') ?? '', /max-age=300/)
    }
  }
})

/** What an API says of its answer, and what of it a cache before this service may keep. */
const API_SAYS: readonly (readonly [Record<string, string | string[]>, RegExp])[] = [
  [{}, /^no-store$/],
  [{ 'cache-control': '' }, /^no-store$/],
  [{ 'cache-control': 'max-age=600' }, /^max-age=600, private$/],
  [{ 'cache-control': 'MAX-AGE=600, must-revalidate' }, /, private$/],
  [{ 'cache-control': 'immutable' }, /, private$/],
  [{ 'cache-control': 'private, max-age=600' }, /^private, max-age=600$/],
  [{ 'cache-control': 'no-store' }, /^no-store$/],
  [{ expires: 'Thu, 01 Jan 2099 00:00:00 GMT' }, /^no-store$/],
  [{ etag: '"1"', 'last-modified': 'Thu, 01 Jan 2015 00:00:00 GMT' }, /^no-store$/],
  [{ connection: 'cache-control', 'cache-control': 'max-age=600' }, /^max-age=600, private$/],
  [{ 'cache-control': 'x-public=1, publicly, s-maxagex=1' }, /, private$/],
]

for (const [says, heard] of API_SAYS) {
  test(`what an API answers one user with ${JSON.stringify(says)} is kept by no shared cache`, async (t) => {
    const { port, mine } = await build(t, { ...says, 'set-cookie': ['api=1; Path=/', 'other=2'] })
    const answer = await ask(port, '/api/x/1', { headers: mine })
    assert.equal(answer.status, 200)
    assert.match(headerOf(answer, 'cache-control') ?? '', heard)
    assertPrivate(answer, JSON.stringify(says))
    assert.deepEqual(setCookies(answer), [], 'no cookie of an API comes through')
  })
}

test('an answer that an API calls public carries no cookie, however stale the session is', async (t) => {
  const { service, port, mine } = await build(t, { 'cache-control': 'public, max-age=600', 'set-cookie': 'api=1' })
  for (const step of [0, 60, 600]) {
    service.time.now += step
    const answer = await ask(port, '/api/x/1', { headers: mine })
    assert.equal(answer.status, 200)
    assert.deepEqual(setCookies(answer), [], 'use slides a limit in the store, and never by a cookie')
    assert.match(headerOf(answer, 'vary') ?? '', /\borigin\b/i)
  }
})

test('of what the inner listener says of one user nothing may be kept', async (t) => {
  const { service, mine } = await build(t)
  await service.admin.listen({ host: '127.0.0.1', port: 0 })
  const { port } = service.admin.server.address() as AddressInfo
  for (const path of ['/auth/verify', '/auth/verify/x', '/health/live', '/health/ready', '/nowhere']) {
    for (const headers of [{}, mine]) {
      const answer = await ask(port, path, { headers })
      assert.equal(headerOf(answer, 'cache-control'), 'no-store', `${path}: ${answer.status}`)
      assert.deepEqual(setCookies(answer), [])
    }
  }
})
