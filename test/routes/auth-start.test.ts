import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { createTransactions } from '../../src/login/transaction.ts'
import { createSeal } from '../../src/session/seal.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { buildStart, ENDPOINT, FETCH, NAVIGATION, readError, takeApart } from './build-start.ts'

test('ST-01: a navigation is sent to the authorization endpoint with 303 and exactly client_id and request', async (t) => {
  const { get, writes } = await buildStart(t)
  const response = await get('/auth/start', NAVIGATION)
  assert.equal(response.statusCode, 303)
  const url = new URL(String(response.headers.location))
  assert.equal(url.origin + url.pathname, ENDPOINT)
  assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request'])
  assert.equal(url.hash, '')
  assert.equal(response.body, '')
  assert.equal(writes.length, 1)
})

test('a fetch gets 200 with the URL and the seconds for which the IdP accepts it, never a redirect', async (t) => {
  const { get, time } = await buildStart(t, { JAR_TTL_S: '120', JAR_BACKDATE_S: '0' })
  const response = await get('/auth/start', FETCH)
  assert.equal(response.statusCode, 200)
  assert.equal(response.headers.location, undefined)
  assert.match(String(response.headers['content-type']), /^application\/json; charset=utf-8$/)
  const { authorization_url: url, ...others } = response.json<Record<string, unknown>>()
  assert.deepEqual(others, { expires_in: 119 })
  assert.equal(takeApart(response, String(url)).claims.exp, Math.floor(time.now) + 120)
})

test('expires_in counts what is left, not what was set', async (t) => {
  const { start } = await buildStart(t, { JAR_TTL_S: '30', JAR_BACKDATE_S: '10' })
  assert.equal((await start()).response.json<{ expires_in: number }>().expires_in, 19)
})

const FORMS: readonly (readonly [query: string, headers: Record<string, string>, status: 200 | 303])[] = [
  // Fetch Metadata decides, whatever Accept says.
  ['', { 'sec-fetch-mode': 'navigate', accept: 'application/json' }, 303],
  ['', { 'sec-fetch-mode': 'cors', accept: 'text/html' }, 200],
  ['', { 'sec-fetch-mode': 'same-origin' }, 200],
  ['', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-site': 'same-origin' }, 200],
  ['', { 'sec-fetch-mode': 'Navigate' }, 200],
  // Without it, Accept decides.
  ['', {}, 303],
  ['', { accept: '*/*' }, 303],
  ['', { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }, 303],
  ['', { accept: 'application/json' }, 200],
  ['', { accept: 'application/json, text/plain, */*' }, 200],
  ['', { accept: 'text/html, application/json;q=0.5' }, 303],
  // The caller can ask for JSON in any case, for a redirect only where it could be followed.
  ['response=json', { 'sec-fetch-mode': 'navigate' }, 200],
  ['response=json', { 'sec-fetch-mode': 'cors' }, 200],
  ['response=json', {}, 200],
  ['response=redirect', { 'sec-fetch-mode': 'navigate' }, 303],
  ['response=redirect', { 'sec-fetch-mode': 'cors' }, 200],
  ['response=redirect', { 'sec-fetch-mode': 'same-origin' }, 200],
  ['response=redirect', { accept: 'application/json' }, 303],
  ['response=redirect', {}, 303],
]

test('the form of the answer follows Sec-Fetch-Mode, then Accept, and response= where it may', async (t) => {
  const { get } = await buildStart(t)
  for (const [query, headers, status] of FORMS) {
    const response = await get(`/auth/start?${query}`, headers)
    assert.equal(response.statusCode, status, `${query} ${JSON.stringify(headers)}`)
    assert.equal(response.headers.location === undefined, status === 200)
    assert.equal(response.cookies.length, 1)
  }
})

test('HC-01 HC-02 HC-03 HC-05: every answer of the start is private, not sniffed, without a referrer, https for good', async (t) => {
  const service = await buildStart(t)
  const down = await buildStart(t, { RATE_LIMIT_PER_MINUTE: '1' })
  const answers = [
    await service.get('/auth/start', NAVIGATION),
    await service.get('/auth/start', FETCH),
    await service.get('/auth/start?prompt=x', NAVIGATION),
    await service.get('/auth/start?prompt=x', FETCH),
    await service.get('/auth/start', { ...FETCH, origin: 'https://evil.example' }),
    await service.app.inject({ method: 'HEAD', url: '/auth/start' }),
    await service.app.inject({ method: 'POST', url: '/auth/start' }),
    await down.get('/auth/start', FETCH),
    await down.get('/auth/start', FETCH),
  ]
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [303, 200, 400, 400, 403, 405, 405, 200, 429],
  )
  for (const { headers } of answers) {
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.match(String(headers['strict-transport-security']), /^max-age=31536000; includeSubDomains$/)
    assert.equal(headers.etag, undefined)
    assert.equal(headers['last-modified'], undefined)
    assert.equal(headers['x-ratelimit-limit'], undefined)
    assert.equal(headers.server, undefined)
  }
})

test('HC-04: a navigation that fails gets a page with an error id and a link, and nothing of the request', async (t) => {
  const { get, logs } = await buildStart(t)
  const response = await get('/auth/start?return_to=//canary.example&prompt=%3Cscript%3E', NAVIGATION)
  assert.equal(response.statusCode, 400)
  assert.equal(response.headers['content-type'], 'text/html; charset=utf-8')
  const policy = String(response.headers['content-security-policy'])
  for (const rule of ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]) {
    assert.ok(policy.includes(rule), policy)
  }
  assert.doesNotMatch(policy, /unsafe|https?:/)
  assert.equal(response.headers['cross-origin-opener-policy'], 'same-origin')
  assert.match(response.body, /href="\/auth\/start"/)
  assert.doesNotMatch(response.body, /canary|<script|src=|https?:/)
  const id = /<code>([^<]+)<\/code>/.exec(response.body)?.[1] ?? ''
  assert.ok(logs.some((line) => JSON.parse(line).request_id === id))
})

test('a fetch that fails gets the one error shape, whose id is in the log, and nothing of the request', async (t) => {
  const { get, logs } = await buildStart(t)
  const response = await get('/auth/start?return_to=//canary.example', FETCH)
  assert.equal(response.statusCode, 400)
  assert.equal(response.headers['content-type'], 'application/json; charset=utf-8')
  assert.equal(response.headers['cross-origin-resource-policy'], 'same-origin')
  assert.equal(readError(response), 'invalid_request')
  assert.doesNotMatch(response.body, /canary/)
  const { error_id: id } = response.json<{ error_id: string }>()
  assert.ok(logs.some((line) => JSON.parse(line).request_id === id))
  assert.ok(!logs.join('').includes('canary'))
})

test('ST-02 RO-12: two starts share no value, also when one is a reload of the other', async (t) => {
  const { start, writes } = await buildStart(t)
  const starts = await Promise.all(Array.from({ length: 200 }, () => start('return_to=/inbox')))
  for (const name of ['state', 'nonce', 'code_challenge', 'jti'] as const) {
    assert.equal(new Set(starts.map(({ claims }) => claims[name])).size, 200, name)
  }
  const cookies = starts.flatMap(({ response }) => response.cookies)
  assert.equal(new Set(cookies.map(({ name }) => name)).size, 200)
  assert.equal(new Set(cookies.map(({ value }) => value)).size, 200)
  assert.equal(new Set(writes).size, 200)
})

test('ST-03 ST-04 RO-12: state and nonce have 256 bits, jti 128, and none can be read', async (t) => {
  const { start } = await buildStart(t)
  const { claims } = await start('return_to=/canary&login_hint=canary')
  for (const [name, octets] of [
    ['state', 32],
    ['nonce', 32],
    ['jti', 16],
  ] as const) {
    const value = String(claims[name])
    assert.match(value, /^[A-Za-z0-9_-]{22,64}$/)
    const decoded = Buffer.from(value, 'base64url')
    assert.equal(decoded.length, octets)
    assert.ok(!decoded.includes('canary'))
  }
})

test('ST-03 ST-04 ST-05: ten thousand transactions share no value, and each challenge is the S256 of its verifier', async (t) => {
  const now = (): number => 1_800_000_000
  const store = createMemoryStore({ now })
  t.after(() => store.close())
  const seal = createSeal(() => [{ id: 'a', key: Buffer.alloc(32, 1) }])
  const transactions = createTransactions({ store, seal, now })
  const seen = new Set<string>()
  for (let round = 0; round < 10_000; round++) {
    const { transaction, codeChallenge } = await transactions.start({
      issuer: 'https://account.oten.test',
      redirectUri: 'https://app.example.com/auth/callback',
      target: { kind: 'app', app: 'ios', codeChallenge: 'x', state: undefined },
    })
    assert.match(transaction.codeVerifier, /^[A-Za-z0-9_-]{43}$/) // RFC 7636 §4.1: 43..128 unreserved characters.
    assert.equal(codeChallenge, createHash('sha256').update(transaction.codeVerifier, 'ascii').digest('base64url'))
    for (const value of [transaction.state, transaction.nonce, transaction.codeVerifier]) seen.add(value)
  }
  assert.equal(seen.size, 30_000)
})

test('ST-05: the verifier leaves by no answer and no log line', async (t) => {
  const { start, get, logs } = await buildStart(t, { LOG_LEVEL: 'trace' })
  const { claims, response, jwt } = await start()
  const navigation = await get('/auth/start', NAVIGATION)
  const { claims: others } = takeApart(navigation, String(navigation.headers.location))
  const answers = [response, navigation].flatMap(({ headers, body }) => [JSON.stringify(headers), body])
  const everything = [...answers, JSON.stringify([claims, others]), ...logs].join('\n')
  const words: readonly string[] = everything.match(/[A-Za-z0-9_-]{43,128}/g) ?? []
  assert.ok(words.includes(String(claims.state)))
  for (const word of words) {
    const hashed = createHash('sha256').update(word).digest('base64url')
    assert.ok(hashed !== claims.code_challenge && hashed !== others.code_challenge)
  }
  assert.equal(claims.code_verifier, undefined)
  // Neither may anything else of the sign-in be in a log line (LG-01).
  const cookie = response.cookies[0]?.value ?? 'none'
  for (const secret of [claims.state, claims.nonce, claims.jti, jwt, cookie]) {
    assert.ok(!logs.join('').includes(String(secret)))
  }
})
