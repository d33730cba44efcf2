import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildService, PUBLIC_URL, type Service, SPA } from './build-service.ts'

type Headers = Record<string, string>
/** What is presented → the headers that come from there. */
type Row = readonly [from: string, headers: Headers]

const OURS: readonly Row[] = [
  ['our own page', { origin: PUBLIC_URL, 'sec-fetch-site': 'same-origin' }],
  ['our own page, in a browser without Fetch Metadata', { origin: PUBLIC_URL }],
  ['our own page, a GET without Origin', { 'sec-fetch-site': 'same-origin' }],
  ['a listed page on our site', { origin: SPA, 'sec-fetch-site': 'same-site' }],
  ['a listed page, in a browser without Fetch Metadata', { origin: SPA }],
]
const FOREIGN: readonly Row[] = [
  ['a foreign page', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
  ['a foreign page without Fetch Metadata', { origin: 'https://evil.example' }],
  ['a sibling subdomain', { origin: 'https://other.example.com', 'sec-fetch-site': 'same-site' }],
  ['our own host over http', { origin: 'http://bff.example.com', 'sec-fetch-site': 'cross-site' }],
  ['another port of our host', { origin: `${PUBLIC_URL}:8443`, 'sec-fetch-site': 'same-site' }],
  ['our default port, spelt out', { origin: `${PUBLIC_URL}:443`, 'sec-fetch-site': 'same-site' }],
  ['a name that begins like ours', { origin: `${PUBLIC_URL}.evil.example` }],
  ['a name that ends like ours', { origin: 'https://evil-bff.example.com' }],
  ['a listed name in capitals', { origin: SPA.toUpperCase() }],
  ['a listed name with a slash', { origin: `${SPA}/` }],
  ['a sandboxed frame', { origin: 'null' }],
  ['a sandboxed frame that says same-origin', { origin: 'null', 'sec-fetch-site': 'same-origin' }],
  ['a foreign Origin that says same-origin', { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }],
  ['two origins in one', { origin: `${PUBLIC_URL}, https://evil.example` }],
  ['an empty Origin', { origin: '' }],
  ['cross-site without Origin', { 'sec-fetch-site': 'cross-site' }],
  ['same-site without Origin', { 'sec-fetch-site': 'same-site' }],
]
const NEITHER: readonly Row[] = [
  ['neither header', {}],
  ['a value of Sec-Fetch-Site that nobody knows', { 'sec-fetch-site': 'bogus' }],
]

const env = { API_ROUTES: '/api/x=http://127.0.0.1:1' }

/** Every call that the cookie authenticates and that changes something, or may (contract §8). */
const CHANGES = [
  { method: 'POST', url: '/auth/logout' },
  { method: 'POST', url: '/auth/refresh' },
  { method: 'DELETE', url: '/auth/sessions' },
  { method: 'DELETE', url: '/auth/sessions/some-id' },
  { method: 'GET', url: '/api/x/1' },
  { method: 'POST', url: '/api/x/1' },
  { method: 'DELETE', url: '/api/x/1' },
] as const

const isRefused = (answer: Awaited<ReturnType<Service['inject']>>): boolean => {
  if (answer.statusCode !== 403) return false
  assert.equal((answer.json() as { error: string }).error, 'forbidden_origin')
  return true
}

for (const call of CHANGES) {
  const name = `${call.method} ${call.url}`

  test(`CS-02, CS-03, CS-08, PX-07: ${name} with a browser's session answers our pages alone`, async (t) => {
    const { inject, plant, cookieName, sessions } = await buildService(t, { env })
    for (const [rows, refused] of [
      [OURS, false],
      [FOREIGN, true],
      [NEITHER, true],
    ] as const) {
      for (const [from, headers] of rows) {
        const credential = await plant()
        const answer = await inject({ ...call, headers: { ...headers, cookie: `${cookieName}=${credential}` } })
        assert.equal(isRefused(answer), refused, `${from}: ${answer.statusCode}`)
        if (refused) assert.ok(await sessions.find(credential), 'nothing was done')
      }
    }
  })

  test(`contract §8: ${name} with an app's session needs neither header, and still answers no foreign page`, async (t) => {
    const { inject, plant, cookieName } = await buildService(t, { env })
    for (const kind of ['app-cookie', 'app-token'] as const) {
      for (const [rows, refused] of [
        [OURS, false],
        [NEITHER, false],
        [FOREIGN, true],
      ] as const) {
        for (const [from, headers] of rows) {
          const credential = await plant({ kind })
          const own: Headers =
            kind === 'app-token' ? { authorization: `Bearer ${credential}` } : { cookie: `${cookieName}=${credential}` }
          assert.equal(
            isRefused(await inject({ ...call, headers: { ...headers, ...own } })),
            refused,
            `${kind}: ${from}`,
          )
        }
      }
    }
  })
}

test('CS-02: what stands in the place of a browser session and is none counts as one', async (t) => {
  const { inject, plant, cookieName } = await buildService(t)
  const credential = await plant()
  for (const cookie of [`${cookieName}=x`, `${cookieName}=${credential}; ${cookieName}=c_${'A'.repeat(43)}`]) {
    assert.ok(isRefused(await inject({ method: 'POST', url: '/auth/logout', headers: { cookie } })), cookie)
  }
})

test('CS-02: a token of no session beside a browser session does not act for that session', async (t) => {
  const { inject, plant, sessions, cookieName } = await buildService(t)
  const credential = await plant()
  const headers = { authorization: `Bearer t_${'A'.repeat(43)}`, cookie: `${cookieName}=${credential}` }
  await inject({ method: 'POST', url: '/auth/logout', headers })
  assert.ok(await sessions.find(credential))
})

test('CS-02: a typed address reaches an API by GET, and changes nothing', async (t) => {
  const { inject, plant, cookieName } = await buildService(t, { env })
  const headers = { 'sec-fetch-site': 'none', cookie: `${cookieName}=${await plant()}` }
  assert.equal(isRefused(await inject({ url: '/api/x/1', headers })), false)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    assert.equal(isRefused(await inject({ method, url: '/api/x/1', headers })), true, method)
  }
})

test('CS-03: a listed page of another site may call where SESSION_SAME_SITE=none says so, or with a token', async (t) => {
  const headers = { origin: SPA, 'sec-fetch-site': 'cross-site' }
  for (const [mode, refused] of [
    ['strict', true],
    ['lax', true],
    ['none', false],
  ] as const) {
    const { inject, plant, cookieName } = await buildService(t, { env: { SESSION_SAME_SITE: mode } })
    const logout = async (own: Headers) =>
      isRefused(await inject({ method: 'POST', url: '/auth/logout', headers: { ...headers, ...own } }))
    assert.equal(await logout({ cookie: `${cookieName}=${await plant()}` }), refused, mode)
    assert.equal(await logout({ authorization: `Bearer ${await plant({ kind: 'app-token' })}` }), false, mode)
  }
})

test('CS-03: start answers navigations from anywhere, fetches from listed origins, and nothing that a page embeds', async (t) => {
  const { inject, store } = await buildService(t)
  const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  const fetched = { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }
  const allowed: Headers[] = [
    ...['none', 'same-origin', 'same-site', 'cross-site'].map((site) => ({ ...navigation, 'sec-fetch-site': site })),
    { ...fetched, 'sec-fetch-site': 'same-origin' },
    { ...fetched, 'sec-fetch-site': 'same-site', origin: SPA },
    { ...fetched, 'sec-fetch-site': 'cross-site', origin: 'capacitor://localhost' },
    {},
  ]
  for (const headers of allowed) {
    assert.equal(isRefused(await inject({ url: '/auth/start', headers })), false, JSON.stringify(headers))
  }
  const before = (await store.dump()).size
  const refused: Headers[] = [
    ...['iframe', 'frame', 'embed', 'object', 'fencedframe'].map((dest) => ({ ...navigation, 'sec-fetch-dest': dest })),
    ...['image', 'script', 'style', 'iframe', 'video'].map((dest) => ({
      'sec-fetch-mode': 'no-cors',
      'sec-fetch-dest': dest,
      'sec-fetch-site': 'same-origin',
    })),
    { ...fetched, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
    { ...fetched, 'sec-fetch-site': 'same-site', origin: 'https://other.example.com' },
    { ...fetched, 'sec-fetch-site': 'cross-site', origin: 'null' },
    { ...fetched, 'sec-fetch-mode': 'no-cors', 'sec-fetch-site': 'cross-site' },
    { ...fetched, 'sec-fetch-mode': 'no-cors', 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
  ]
  for (const headers of refused) {
    const answer = await inject({ url: '/auth/start?response=json', headers })
    assert.ok(isRefused(answer), JSON.stringify(headers))
    assert.equal(answer.headers['set-cookie'], undefined)
  }
  assert.equal((await store.dump()).size, before, 'nothing was begun')
})

test('CS-03: a handoff comes from an app, without Origin, or from a listed one; before the code is looked at', async (t) => {
  const { inject } = await buildService(t)
  const redeem = (headers: Headers) =>
    inject({ method: 'POST', url: '/auth/handoff', headers, payload: { code: 'x', code_verifier: 'y' } })
  for (const headers of [{}, { origin: SPA }, { origin: 'capacitor://localhost', 'sec-fetch-site': 'cross-site' }]) {
    assert.equal((await redeem(headers)).statusCode, 400)
  }
  for (const origin of ['https://evil.example', 'null', `${SPA}.evil.example`, 'capacitor://evil', '']) {
    assert.ok(isRefused(await redeem({ origin })), origin)
  }
})

test('CS-03: the IdP reaches callback and logged-out from its own site, with whatever headers', async (t) => {
  const { inject } = await buildService(t)
  const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', origin: 'null' }
  for (const url of ['/auth/callback?code=x&state=y', '/auth/logged-out', '/auth/logout/continue', '/auth/jwks.json']) {
    assert.notEqual((await inject({ url, headers })).statusCode, 403, url)
  }
})
