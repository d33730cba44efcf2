import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildStart, FETCH, NAVIGATION, readError, SPA } from './build-start.ts'

type Headers = Record<string, string>

const ALLOWED: readonly (readonly [who: string, headers: Headers])[] = [
  ['a typed address', NAVIGATION],
  ['a link on a foreign page', { ...NAVIGATION, 'sec-fetch-site': 'cross-site' }],
  ['a link on a sibling page', { ...NAVIGATION, 'sec-fetch-site': 'same-site' }],
  ['a link on our own page', { ...NAVIGATION, 'sec-fetch-site': 'same-origin' }],
  ['a navigation whose destination is not said', { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site' }],
  [
    'a navigation with a foreign Origin',
    { ...NAVIGATION, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
  ],
  ['a browser without Fetch Metadata', { accept: 'text/html' }],
  ["an app's HTTP client", {}],
  ['a fetch of our own page', FETCH],
  ['a fetch of our own page with Origin', { ...FETCH, origin: 'https://app.example.com' }],
  ['a fetch of a listed sibling origin', { ...FETCH, 'sec-fetch-site': 'same-site', origin: SPA }],
  ['a fetch of a listed foreign origin', { ...FETCH, 'sec-fetch-site': 'cross-site', origin: SPA }],
  ['a hybrid app', { ...FETCH, 'sec-fetch-site': 'cross-site', origin: 'capacitor://localhost' }],
  ['a fetch of a listed origin without Fetch Metadata', { accept: 'application/json', origin: SPA }],
]

test('ST-10: top-level navigations may come from anywhere, fetches from our own and listed origins', async (t) => {
  const { get } = await buildStart(t)
  for (const [who, headers] of ALLOWED) {
    const { statusCode, cookies } = await get('/auth/start', headers)
    assert.ok(statusCode === 200 || statusCode === 303, `${who}: ${statusCode}`)
    assert.equal(cookies.length, 1, who)
  }
})

const FRAMES = ['iframe', 'frame', 'embed', 'object', 'fencedframe']
const SUB_RESOURCES = ['image', 'script', 'style', 'font', 'audio', 'video', 'track', 'worker', 'manifest', 'report']
const OTHERS: readonly (readonly [who: string, headers: Headers])[] = [
  ['fetch of a foreign origin', { ...FETCH, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
  ['fetch of an unlisted sibling', { ...FETCH, 'sec-fetch-site': 'same-site', origin: 'https://www.example.com' }],
  ['fetch of a sandboxed page', { ...FETCH, 'sec-fetch-site': 'cross-site', origin: 'null' }],
  ['fetch of another port', { ...FETCH, 'sec-fetch-site': 'same-site', origin: 'https://app.example.com:8443' }],
  ['fetch of another scheme', { ...FETCH, 'sec-fetch-site': 'cross-site', origin: 'http://app.example.com' }],
  ['fetch of a host that begins like ours', { ...FETCH, origin: 'https://app.example.com.evil.example' }],
  ['fetch of a host that ends like ours', { ...FETCH, origin: 'https://evilapp.example.com' }],
  ['fetch of an origin written otherwise', { ...FETCH, origin: 'https://APP.example.com' }],
  ['no-cors fetch of a foreign page', { ...FETCH, 'sec-fetch-mode': 'no-cors', 'sec-fetch-site': 'cross-site' }],
  ['no-cors fetch of a sibling', { ...FETCH, 'sec-fetch-mode': 'no-cors', 'sec-fetch-site': 'same-site' }],
  ['fetch from elsewhere without a destination', { 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'cross-site' }],
  ['foreign Origin without Fetch Metadata', { origin: 'https://evil.example' }],
  ['foreign page that asks for a redirect', { ...FETCH, 'sec-fetch-site': 'cross-site' }],
  ['foreign page that claims to be a worker', { 'sec-fetch-dest': 'sharedworker', origin: SPA }],
]

test('ST-10: frames, sub-resources and fetches of other origins get 403 and start nothing', async (t) => {
  const { get, writes } = await buildStart(t)
  const refused: (readonly [string, Headers])[] = [
    ...FRAMES.flatMap((dest): [string, Headers][] =>
      ['cross-site', 'same-site', 'same-origin', 'none'].map((site) => [
        `${dest} ${site}`,
        { ...NAVIGATION, 'sec-fetch-dest': dest, 'sec-fetch-site': site },
      ]),
    ),
    ...SUB_RESOURCES.flatMap((dest): [string, Headers][] =>
      ['cross-site', 'same-origin'].map((site) => [
        `${dest} ${site}`,
        { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': dest, 'sec-fetch-site': site },
      ]),
    ),
    ...OTHERS,
  ]
  for (const [who, headers] of refused) {
    for (const query of ['', '?response=redirect', '?response=json']) {
      const response = await get(`/auth/start${query}`, headers)
      assert.equal(response.statusCode, 403, who)
      assert.equal(response.cookies.length, 0, who)
      assert.equal(response.headers.location, undefined, who)
      // A frame is a navigation, so its failure is a page, which cannot be shown in a frame either.
      const isPage = String(response.headers['content-type']).startsWith('text/html')
      const mode = headers['sec-fetch-mode']
      if (mode !== undefined) assert.equal(isPage, mode === 'navigate' && query !== '?response=json', who)
      if (isPage) assert.match(String(response.headers['content-security-policy']), /frame-ancestors 'none'/)
      else assert.equal(readError(response), 'forbidden_origin')
    }
  }
  assert.deepEqual(writes, [])
})

test('CORS: a listed origin may read the answer, a foreign one may not', async (t) => {
  const { get } = await buildStart(t)
  const listed = await get('/auth/start', { ...FETCH, 'sec-fetch-site': 'same-site', origin: SPA })
  assert.equal(listed.headers['access-control-allow-origin'], SPA)
  assert.equal(listed.headers['access-control-allow-credentials'], 'true')
  const foreign = await get('/auth/start', { ...FETCH, origin: 'https://evil.example' })
  assert.equal(foreign.headers['access-control-allow-origin'], undefined)
  assert.equal(foreign.headers['access-control-allow-credentials'], undefined)
})

const AHEAD: readonly Headers[] = [
  { 'sec-purpose': 'prefetch' },
  { 'sec-purpose': 'prefetch;prerender' },
  { 'sec-purpose': 'prefetch;anonymous-client-ip' },
  { 'sec-purpose': 'Prerender' },
  { purpose: 'prefetch' },
  { 'x-purpose': 'preview' },
  { 'x-moz': 'prefetch' },
]

test('ST-14: what is fetched ahead starts nothing and is not kept, so that the browser asks again', async (t) => {
  const { get, writes } = await buildStart(t)
  for (const purpose of AHEAD) {
    for (const headers of [NAVIGATION, FETCH]) {
      const response = await get('/auth/start', { ...headers, ...purpose })
      assert.equal(response.statusCode, 400, JSON.stringify(purpose))
      assert.equal(response.headers['cache-control'], 'no-store')
      assert.equal(response.headers.location, undefined)
      assert.equal(response.cookies.length, 0)
    }
  }
  assert.deepEqual(writes, [])
  // The same browser, once the user does go there.
  assert.equal((await get('/auth/start', NAVIGATION)).statusCode, 303)
})

test('ST-14 HC-06: HEAD and every other method start nothing; the answer says GET', async (t) => {
  const { app, writes } = await buildStart(t)
  for (const method of ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    const response = await app.inject({ method, url: '/auth/start?return_to=/', headers: NAVIGATION })
    assert.equal(response.statusCode, 405, method)
    assert.equal(response.headers.allow, 'GET')
    assert.equal(response.headers.location, undefined)
    assert.equal(response.cookies.length, 0)
  }
  assert.deepEqual(writes, [])
})
