import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildStart, FETCH, idpDown, NAVIGATION, readError, type StartService, storeDown } from './build-start.ts'

const cookieLines = (response: { headers: Record<string, unknown> }): readonly string[] =>
  [response.headers['set-cookie'] ?? []].flat().map(String)

test('ST-06: on https the transaction cookie is __Host-Http-, Secure, HttpOnly, Lax, for ten minutes, without Domain', async (t) => {
  const { get } = await buildStart(t)
  const [line = '', ...more] = cookieLines(await get('/auth/start', NAVIGATION))
  assert.deepEqual(more, [])
  const [pair = '', ...attributes] = line.split('; ')
  assert.match(pair, /^__Host-Http-oten_tx_[A-Za-z0-9_-]{8}=[A-Za-z0-9._-]{22,64}$/)
  assert.deepEqual(attributes.sort(), ['HttpOnly', 'Max-Age=600', 'Path=/', 'SameSite=Lax', 'Secure'])
})

test('ST-06: on plain-http localhost it is the same but for prefix and Secure', async (t) => {
  const { get } = await buildStart(t, { PUBLIC_URL: 'http://localhost:8080' })
  const response = await get('/auth/start', NAVIGATION)
  const [line = '', ...more] = cookieLines(response)
  assert.deepEqual(more, [])
  const [pair = '', ...attributes] = line.split('; ')
  assert.match(pair, /^oten_tx_[A-Za-z0-9_-]{8}=[A-Za-z0-9._-]{22,64}$/)
  assert.deepEqual(attributes.sort(), ['HttpOnly', 'Max-Age=600', 'Path=/', 'SameSite=Lax'])
  assert.equal(response.headers['strict-transport-security'], undefined)
})

test('the transaction cookie stays Lax whatever the session cookie is', async (t) => {
  const { get } = await buildStart(t, { SESSION_SAME_SITE: 'none' })
  const [line = ''] = cookieLines(await get('/auth/start', NAVIGATION))
  assert.match(line, /SameSite=Lax/)
  assert.doesNotMatch(line, /Partitioned/)
})

/** Starts one sign-in after another as one browser, a second apart. */
async function startMany({ get, time }: StartService, count: number, jar: Map<string, string>): Promise<void> {
  for (let round = 0; round < count; round++) {
    time.now += 1
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await get('/auth/start', { ...NAVIGATION, cookie })
    assert.equal(response.statusCode, 303)
    for (const { name, value, maxAge } of response.cookies) {
      if (maxAge === 0) jar.delete(name)
      else jar.set(name, value)
    }
  }
}

test('ST-07: a browser keeps the twenty newest sign-ins, together never above 2 kB', async (t) => {
  const service = await buildStart(t)
  const jar = new Map<string, string>()
  await startMany(service, 20, jar)
  const first = [...jar.keys()]
  assert.equal(first.length, 20)
  await startMany(service, 3, jar)
  assert.equal(jar.size, 20)
  assert.deepEqual([...jar.keys()].slice(0, 17), first.slice(3)) // The oldest three are gone.
  const octets = [...jar].map(([name, value]) => `${name}=${value}`).join('; ').length
  assert.ok(octets <= 2048, `${octets} octets`)
})

test('ST-07: a cookie is deleted with the attributes it was set with, or the browser would keep it', async (t) => {
  const { get } = await buildStart(t)
  const jar = Array.from({ length: 20 }, (_, index) => `__Host-Http-oten_tx_aaaaaa${index + 10}=${index + 1}.x`)
  const lines = cookieLines(await get('/auth/start', { ...NAVIGATION, cookie: jar.reverse().join('; ') }))
  assert.equal(lines.length, 2)
  const [pair = '', ...attributes] = (lines[0] ?? '').split('; ')
  assert.equal(pair, '__Host-Http-oten_tx_aaaaaa10=')
  assert.deepEqual(attributes.sort(), ['HttpOnly', 'Max-Age=0', 'Path=/', 'SameSite=Lax', 'Secure'])
})

test('ST-07: other cookies, in whatever state, neither count nor disturb', async (t) => {
  const { get } = await buildStart(t)
  const others = Array.from({ length: 30 }, (_, index) => `other${index}=1; xoten_tx_${index}=1; oten_tx_${index}=1`)
  const cookie = `${others.join('; ')}; =; ;; a; __Host-Http-oten_session=a; __Host-Http-oten_session=b; __host-http-oten_tx_x=1`
  const response = await get('/auth/start', { ...NAVIGATION, cookie })
  assert.equal(response.statusCode, 303)
  assert.equal(response.cookies.length, 1)
})

test('ST-07: planted transaction cookies of odd values are cleared like any, and the sign-in starts', async (t) => {
  const { get } = await buildStart(t)
  const odd = ['', '"', '%00', 'zzzzzzzz.x', '-1.x', '9'.repeat(300), '\u00e9', '\t']
  const planted = Array.from({ length: 24 }, (_, index) => `__Host-Http-oten_tx_planted${index % 10}=${odd[index % 8]}`)
  const response = await get('/auth/start', { ...NAVIGATION, cookie: planted.join('; ') })
  assert.equal(response.statusCode, 303)
  assert.equal(response.cookies.filter(({ maxAge }) => maxAge === 0).length, 5)
})

test('ST-13: without usable metadata the start is 503 with Retry-After, and there is no cookie', async (t) => {
  const service = await buildStart(t)
  for (const [fault, code] of [
    ['idpError', 'idp_unavailable'],
    ['storeError', 'store_unavailable'],
  ] as const) {
    service[fault] = fault === 'idpError' ? idpDown() : storeDown()
    for (const headers of [FETCH, NAVIGATION]) {
      const response = await service.get('/auth/start', headers)
      assert.equal(response.statusCode, 503)
      assert.match(String(response.headers['retry-after']), /^[1-9][0-9]?$/)
      assert.equal(response.headers['set-cookie'], undefined)
      assert.equal(response.headers.location, undefined)
      if (headers === FETCH) assert.equal(readError(response), code)
      else assert.match(response.body, /<h1>/)
    }
    service[fault] = undefined
  }
  assert.deepEqual(service.writes, [])
  assert.equal((await service.get('/auth/start', FETCH)).statusCode, 200)
})

const count = async ({ get }: StartService, calls: number, remoteAddress: string, headers = {}): Promise<number[]> => {
  const codes: number[] = []
  for (let call = 0; call < calls; call++) {
    codes.push((await get('/auth/start', { ...FETCH, ...headers }, { remoteAddress })).statusCode)
  }
  return codes
}

test('an address that starts too often gets 429 with Retry-After, until the minute is over; others are not concerned', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
  const service = await buildStart(t, { RATE_LIMIT_PER_MINUTE: '3' })
  assert.deepEqual(await count(service, 4, '192.0.2.1'), [200, 200, 200, 429])
  assert.deepEqual(await count(service, 1, '192.0.2.2'), [200])
  t.mock.timers.tick(20_000)
  const fetched = await service.get('/auth/start', FETCH, { remoteAddress: '192.0.2.1' })
  assert.equal(readError(fetched), 'rate_limited')
  assert.equal(fetched.headers['retry-after'], '40')
  const navigated = await service.get('/auth/start', NAVIGATION, { remoteAddress: '192.0.2.1' })
  assert.equal(navigated.statusCode, 429)
  assert.equal(navigated.headers['retry-after'], '40')
  assert.equal(navigated.headers['content-type'], 'text/html; charset=utf-8')
  assert.equal(navigated.headers['set-cookie'], undefined)
  assert.equal(service.writes.length, 4)
  t.mock.timers.tick(40_001)
  assert.deepEqual(await count(service, 1, '192.0.2.1'), [200])
})

test('an IPv6 client counts by its /64, an IPv4 one by its address, also when it comes mapped', async (t) => {
  const service = await buildStart(t, { RATE_LIMIT_PER_MINUTE: '1' })
  assert.deepEqual(await count(service, 1, '2001:db8:1:2::1'), [200])
  assert.deepEqual(await count(service, 1, '2001:db8:1:2:ffff:ffff:ffff:ffff'), [429])
  assert.deepEqual(await count(service, 1, '2001:0db8:0001:0002:0000:0000:0000:0009'), [429])
  assert.deepEqual(await count(service, 1, '2001:db8:1:3::1'), [200])
  assert.deepEqual(await count(service, 1, '::ffff:192.0.2.1'), [200])
  assert.deepEqual(await count(service, 1, '::ffff:192.0.2.2'), [200])
  assert.deepEqual(await count(service, 1, '192.0.2.1'), [429])
})

test('X-Forwarded-For names the client only where a trusted proxy says so', async (t) => {
  const service = await buildStart(t, { RATE_LIMIT_PER_MINUTE: '1', TRUSTED_PROXIES: '10.0.0.0/8' })
  const from = (client: string) => ({ 'x-forwarded-for': client })
  assert.deepEqual(await count(service, 1, '10.0.0.1', from('192.0.2.1')), [200])
  assert.deepEqual(await count(service, 1, '10.0.0.1', from('192.0.2.2')), [200])
  assert.deepEqual(await count(service, 1, '10.0.0.9', from('198.51.100.1, 192.0.2.1')), [429])
  assert.deepEqual(await count(service, 1, '203.0.113.1', from('192.0.2.7')), [200])
  assert.deepEqual(await count(service, 1, '203.0.113.1', from('192.0.2.8')), [429])
})

test('RATE_LIMIT_PER_MINUTE=0 turns the limit off; the default is 300', async (t) => {
  const off = await buildStart(t, { RATE_LIMIT_PER_MINUTE: '0' })
  assert.ok((await count(off, 320, '192.0.2.1')).every((code) => code === 200))
  const usual = await buildStart(t, { RATE_LIMIT_PER_MINUTE: '' })
  const codes = await count(usual, 301, '192.0.2.1')
  assert.deepEqual([codes[299], codes[300]], [200, 429])
})

test('ST-07: cookies with names that only look like ours do not stop a sign-in, and are not written back', async (t) => {
  const { get } = await buildStart(t)
  const planted = Array.from(
    { length: 24 },
    (_, index) => `__Host-Http-oten_tx_${['é', 'a b', '"'][index % 3]}${index}=x`,
  )
  const response = await get('/auth/start', { ...NAVIGATION, cookie: planted.join('; ') })
  assert.equal(response.statusCode, 303)
  assert.equal(cookieLines(response).length, 1)
})
