import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildClientHeaders, buildUpstreamHeaders } from '../../src/proxy/headers.ts'

const VIA = { address: '192.0.2.7', host: 'app.example.com', proto: 'https' }
const OURS = { accessToken: 'the-token', requestId: 'the-id', traceparent: 'the-trace', via: VIA }

test('PX-03: what a client may not say to an API is left out, however it is spelt', () => {
  const names = [
    'cookie',
    'authorization',
    'proxy-authorization',
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded-access-token',
    'x_forwarded_for',
    'X-Forwarded-For',
    'x-real-ip',
    'traceparent',
    'tracestate',
    'x-auth-subject',
    'x_auth_subject',
    'x-auth_email',
    'x-request-id',
    'sec-fetch-site',
    'connection',
    'keep-alive',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'expect',
  ]
  const sent = Object.fromEntries(names.map((name) => [name, 'canary']))
  const passed = buildUpstreamHeaders({ ...sent, accept: 'a', 'content-type': 'b', 'x-custom': 'c' }, OURS)
  assert.deepEqual(passed, {
    accept: 'a',
    'content-type': 'b',
    'x-custom': 'c',
    authorization: 'Bearer the-token',
    'x-request-id': 'the-id',
    traceparent: 'the-trace',
    'x-forwarded-for': '192.0.2.7',
    'x-forwarded-host': 'app.example.com',
    'x-forwarded-proto': 'https',
  })
})

test("PX-05: an API's cookies, CORS decisions and connection stay behind", () => {
  const passed = buildClientHeaders({
    'set-cookie': ['__Host-Http-oten_session=planted'],
    'access-control-allow-origin': '*',
    'access-control-allow-credentials': 'true',
    connection: 'keep-alive, X-Hop',
    'x-hop': 'canary',
    'keep-alive': 'timeout=5',
    'transfer-encoding': 'chunked',
    'content-type': 'application/json',
    etag: '"1"',
  })
  assert.deepEqual(passed, { 'content-type': 'application/json', etag: '"1"', 'cache-control': 'no-store' })
})

test('PX-05, HC-01: no shared cache keeps what an API gave one user, unless the API says that it is for all', () => {
  for (const [said, kept] of [
    [undefined, 'no-store'],
    ['', 'no-store'],
    ['max-age=60', 'max-age=60, private'],
    ['must-revalidate, max-age=60', 'must-revalidate, max-age=60, private'],
    ['no-cache', 'no-cache, private'],
    ['x-public=1', 'x-public=1, private'],
    ['no-store', 'no-store'],
    ['private, max-age=60', 'private, max-age=60'],
    ['Public, max-age=60', 'Public, max-age=60'],
    ['s-maxage=60', 's-maxage=60'],
  ] as const) {
    const headers = said === undefined ? {} : { 'cache-control': said }
    assert.equal(buildClientHeaders(headers)['cache-control'], kept, said)
  }
})

test('CS-05: what the answer varies by is added to what the API says', () => {
  assert.equal(buildClientHeaders({ vary: 'Accept-Encoding' }, 'Origin').vary, 'Origin, Accept-Encoding')
  assert.equal(buildClientHeaders({}, 'Origin').vary, 'Origin')
  assert.equal(buildClientHeaders({ vary: 'Accept' }).vary, 'Accept')
  assert.equal('vary' in buildClientHeaders({}), false)
})
