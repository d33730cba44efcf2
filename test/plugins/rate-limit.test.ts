import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildService, type Service } from './build-service.ts'

/** The status of a start by a caller behind, or pretending to be behind, a proxy. */
const start = async ({ inject }: Service, from: string, forwarded?: string): Promise<number> => {
  const headers = { 'sec-fetch-mode': 'cors', ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }) }
  return (await inject({ url: '/auth/start', remoteAddress: from, headers })).statusCode
}

const LIMIT = { RATE_LIMIT_PER_MINUTE: '2' }
const PROXIED = { ...LIMIT, TRUSTED_PROXIES: '10.0.0.0/8,fd00::/8' }

test('contract §2: an address may start so many sign-ins a minute, and another one the same', async (t) => {
  const service = await buildService(t, { env: LIMIT })
  const statuses = []
  for (const from of ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2']) statuses.push(await start(service, from))
  assert.deepEqual(statuses, [200, 200, 429, 200])
})

test('contract §2: start and handoff are limited, each by itself, and nothing else is', async (t) => {
  const { inject } = await buildService(t, { env: LIMIT })
  const count = async (options: Parameters<Service['inject']>[0]) => {
    const statuses = []
    for (let call = 0; call < 4; call++) statuses.push((await inject(options)).statusCode)
    return statuses.filter((status) => status === 429).length
  }
  assert.equal(await count({ url: '/auth/start?response=json' }), 2)
  assert.equal(await count({ method: 'POST', url: '/auth/handoff', payload: { code: 'x', code_verifier: '' } }), 2)
  for (const url of ['/auth/session', '/auth/callback?state=x', '/auth/jwks.json', '/auth/logged-out']) {
    assert.equal(await count({ url }), 0, url)
  }
  assert.equal(await count({ method: 'POST', url: '/auth/logout' }), 0)
})

test('contract §2: 0 is off', async (t) => {
  const service = await buildService(t, { env: { RATE_LIMIT_PER_MINUTE: '0' } })
  for (let call = 0; call < 400; call++) assert.equal(await start(service, '192.0.2.1'), 200)
})

test('contract §2: an IPv6 client is its /64; one that comes as mapped IPv4 is that address', async (t) => {
  const service = await buildService(t, { env: LIMIT })
  assert.equal(await start(service, '2001:db8:1:2::1'), 200)
  assert.equal(await start(service, '2001:db8:1:2:ffff::2'), 200)
  assert.equal(await start(service, '2001:db8:1:2:3:4:5:6'), 429)
  assert.equal(await start(service, '2001:db8:1:3::1'), 200)
  assert.equal(await start(service, '::ffff:192.0.2.1'), 200)
  assert.equal(await start(service, '::ffff:192.0.2.2'), 200)
  assert.equal(await start(service, '::ffff:192.0.2.3'), 200)
  assert.equal(await start(service, '192.0.2.1'), 200)
  assert.equal(await start(service, '::ffff:192.0.2.1'), 429)
})

test('CF-04: X-Forwarded-For counts from a trusted proxy alone; from others it changes nothing', async (t) => {
  const service = await buildService(t, { env: PROXIED })
  for (const [client, expected] of [
    ['198.51.100.1', 200],
    ['198.51.100.1', 200],
    ['198.51.100.1', 429],
    ['198.51.100.2', 200],
  ] as const) {
    assert.equal(await start(service, '10.1.2.3', client), expected)
  }
  for (let call = 0; call < 2; call++) assert.equal(await start(service, '192.0.2.1', `203.0.113.${call}`), 200)
  assert.equal(await start(service, '192.0.2.1', '203.0.113.9'), 429)
})

test('CF-04: with no trusted proxy the header is never believed', async (t) => {
  const service = await buildService(t, { env: LIMIT })
  for (let call = 0; call < 2; call++) assert.equal(await start(service, '127.0.0.1', `203.0.113.${call}`), 200)
  assert.equal(await start(service, '127.0.0.1', '203.0.113.9'), 429)
})

test('CF-04: what a client puts in front of the list that its proxy completes is ignored', async (t) => {
  const service = await buildService(t, { env: PROXIED })
  const lists = ['1.1.1.1, 198.51.100.7', '2.2.2.2, 10.9.9.9, 198.51.100.7, 10.1.1.1', '3.3.3.3,198.51.100.7']
  const statuses = []
  for (const list of lists) statuses.push(await start(service, '10.1.2.3', list))
  assert.deepEqual(statuses, [200, 200, 429])
})

test('CF-04: a header that holds no address breaks nothing', async (t) => {
  const service = await buildService(t, { env: { ...PROXIED, RATE_LIMIT_PER_MINUTE: '100' } })
  for (const forwarded of ['', ' ', ',', 'x', '1.2.3.4:5', '[::1]:5', '::ffff:999.1.1.1', '%00', 'a'.repeat(5000)]) {
    assert.equal(await start(service, '10.1.2.3', forwarded), 200, forwarded.slice(0, 20))
  }
})

test('CF-04: no other forwarded header is believed either, from anyone: URLs and cookies come from PUBLIC_URL', async (t) => {
  const { inject, signIn, plant, cookieName } = await buildService(t, { env: PROXIED })
  const headers = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'http',
    'x-forwarded-port': '81',
    forwarded: 'host=evil.example;proto=http',
    'x-original-url': '/auth/jwks.json',
    'x-rewrite-url': '/auth/jwks.json',
  }
  const signedIn = await signIn({ headers })
  assert.equal(signedIn.statusCode, 303)
  assert.match(String(signedIn.headers['set-cookie']), /Secure/)
  const cookie = `${cookieName}=${await plant()}`
  const logout = await inject({
    method: 'POST',
    url: '/auth/logout',
    headers: { ...headers, cookie, origin: 'https://bff.example.com', 'sec-fetch-mode': 'cors' },
  })
  assert.match(logout.body, /"logout_url":"https:\/\/bff\.example\.com\//)
  const foreign = await inject({
    method: 'POST',
    url: '/auth/logout',
    headers: { ...headers, cookie, origin: 'https://evil.example' },
  })
  assert.equal(foreign.statusCode, 403)
})

test('contract §2: the first X-Forwarded-For from elsewhere is one warning that names TRUSTED_PROXIES', async (t) => {
  const service = await buildService(t, { env: PROXIED })
  const warnings = () =>
    service.entries().filter(({ level, msg }) => level === 'warn' && /TRUSTED_PROXIES/.test(`${msg}`))
  await start(service, '10.1.2.3', '198.51.100.1')
  await start(service, '192.0.2.1')
  assert.equal(warnings().length, 0)
  for (let call = 0; call < 3; call++) await start(service, '192.0.2.1', '198.51.100.1')
  assert.equal(warnings().length, 1)

  const direct = await buildService(t)
  await start(direct, '10.1.2.3', '198.51.100.1')
  await start(direct, '10.1.2.3', '198.51.100.1')
  assert.equal(direct.entries().filter(({ msg }) => /TRUSTED_PROXIES/.test(`${msg}`)).length, 1)
})
