import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LightMyRequestResponse } from 'fastify'
import { buildService, PUBLIC_URL, SPA } from './build-service.ts'

const FOREIGN = [
  'https://evil.example',
  `${SPA}.evil.example`,
  'https://x.app.example.com',
  'https://evilapp.example.com',
  'https://example.com',
  `${SPA}:8443`,
  `${SPA}:443`,
  'http://app.example.com',
  `${SPA}/`,
  SPA.toUpperCase(),
  `${SPA} ${PUBLIC_URL}`,
  `${SPA}, ${SPA}`,
  'null',
  '*',
  '',
]
const LISTED = [PUBLIC_URL, SPA, 'capacitor://localhost']
const ROUTES = ['/auth/session', '/auth/start?response=json', '/auth/nowhere', '/api/x/1', '/auth/session?touch=1']
const env = { API_ROUTES: '/api/x=http://127.0.0.1:1' }

const corsHeaders = ({ headers }: LightMyRequestResponse): string[] =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'))
const variesByOrigin = ({ headers }: LightMyRequestResponse): boolean => /(^|, ?)origin(,|$)/i.test(`${headers.vary}`)

test('CS-04, CS-05: a listed origin may read any answer, also a refusal: that one origin, with credentials', async (t) => {
  const { inject } = await buildService(t, { env })
  for (const origin of LISTED) {
    for (const url of ROUTES) {
      const answer = await inject({ url, headers: { origin } })
      assert.equal(answer.headers['access-control-allow-origin'], origin, url)
      assert.equal(answer.headers['access-control-allow-credentials'], 'true')
      assert.ok(variesByOrigin(answer), url)
    }
  }
})

test('CS-04, CS-05: any other origin, however like a listed one, gets no CORS header, and the answer varies by Origin', async (t) => {
  const { inject } = await buildService(t, { env })
  for (const origin of FOREIGN) {
    for (const url of ROUTES) {
      for (const call of [{}, { method: 'OPTIONS', 'access-control-request-method': 'POST' }] as const) {
        const { method = 'GET', ...more } = call
        const answer = await inject({ method, url, headers: { origin, ...more } })
        assert.deepEqual(corsHeaders(answer), [], `${method} ${url} from ${origin}`)
        assert.ok(variesByOrigin(answer), `${method} ${url} from ${origin}`)
      }
    }
  }
})

test('CS-05: the answer varies by Origin also where there was none, or where it failed before that was looked at', async (t) => {
  const { inject } = await buildService(t, { env })
  const more = [
    '/',
    '/auth/jwks.json',
    '/auth/callback',
    '/auth/logged-out',
    '/auth/%zz',
    '/auth/session?a=%zz',
    `/auth/session?${'a'.repeat(9000)}`,
  ]
  for (const url of [...ROUTES, ...more]) assert.ok(variesByOrigin(await inject({ url })), url.slice(0, 50))
})

test('CS-06: a preflight needs no session, is 204 without a body, and names what is needed, for ten minutes at most', async (t) => {
  const { inject, store } = await buildService(t, { env })
  store.fault = new Error('asked')
  for (const origin of LISTED) {
    for (const url of ['/auth/session', '/auth/start', '/auth/handoff', '/auth/logout']) {
      const headers = { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-evil' }
      const answer = await inject({ method: 'OPTIONS', url, headers })
      assert.equal(answer.statusCode, 204)
      assert.equal(answer.body, '')
      assert.equal(answer.headers['access-control-allow-origin'], origin)
      assert.equal(answer.headers['access-control-allow-credentials'], 'true')
      assert.equal(answer.headers['access-control-allow-methods'], 'GET, POST, DELETE')
      assert.equal(answer.headers['access-control-allow-headers'], 'authorization, content-type')
      const maxAge = Number(answer.headers['access-control-max-age'])
      assert.ok(maxAge > 0 && maxAge <= 600)
    }
  }
})

test('CS-04, CS-06: a preflight for an API allows its methods and the headers asked for, never by a wildcard', async (t) => {
  const { inject } = await buildService(t, { env })
  const headers = {
    origin: SPA,
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'x-a,if-match',
  }
  const answer = await inject({ method: 'OPTIONS', url: '/api/x/1', headers })
  assert.equal(answer.statusCode, 204)
  assert.equal(answer.headers['access-control-allow-headers'], 'x-a,if-match')
  assert.match(String(answer.headers['access-control-allow-methods']), /\bPUT\b/)
  assert.match(String(answer.headers.vary), /Access-Control-Request-Headers/i)
  assert.ok(!Object.values(answer.headers).includes('*'))
})

test('CS-06: callback, logged-out, continue and back-channel answer no origin at all, however their path is spelt', async (t) => {
  const { inject } = await buildService(t)
  const paths = ['/auth/callback', '/auth/logged-out', '/auth/logout/continue', '/auth/backchannel-logout']
  for (const origin of LISTED) {
    for (const url of paths) {
      for (const method of ['GET', 'POST', 'OPTIONS'] as const) {
        const headers = { origin, 'access-control-request-method': 'GET' }
        assert.deepEqual(corsHeaders(await inject({ method, url, headers })), [], `${method} ${url}`)
      }
    }
    for (const url of ['/auth/%63allback', '/auth/logged%2dout']) {
      assert.deepEqual(corsHeaders(await inject({ url, headers: { origin } })), [], url)
    }
  }
})

test('LG-03: an origin that is not listed is told to the operator, who may have forgotten it', async (t) => {
  const { inject, entries } = await buildService(t)
  await inject({ url: '/auth/session', headers: { origin: 'https://forgotten.example.com' } })
  const [told] = entries().filter(({ event }) => event === 'origin_not_allowed')
  assert.equal(told?.origin, 'https://forgotten.example.com')
})
