import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { buildClientHeaders, buildHandshakeHeaders, buildUpstreamHeaders } from '../../src/proxy/headers.ts'
import { CANARIES, PUBLIC_URL } from '../plugins/build-service.ts'
import { buildProxy } from '../routes/build-proxy.ts'
import { hostileText } from './arbitraries.ts'
import { hold } from './settings.ts'

/** What a client must not say to an API (contract §7), as the RFCs and the usual proxies spell it. */
const IDENTITY = [
  'cookie',
  'proxy',
  'authorization',
  'forwarded',
  'x-request-id',
  'x-real-ip',
  'traceparent',
  'tracestate',
  'x-auth-subject',
  'x-auth-email',
  'x-auth-anything',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-user',
  'sec-fetch-site',
]
/** RFC 9110 §7.6.1, and the older ones that servers still know. */
const HOP_BY_HOP = [
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'te',
  'trailer',
  'upgrade',
  'expect',
]

/** A name as a client may write it: any letter case, and `_` for `-`, which many servers read as one. */
const spell = (name: string, folded: boolean): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map((flips) => [...name].map((c, at) => (flips[at] ? (c === '-' && folded ? '_' : c.toUpperCase()) : c)).join(''))

/** A whole service and an API that notes what it is told. */
async function build(t: TestContext) {
  const told: string[][] = []
  const world = await buildProxy(t, (incoming, answer) => {
    told.push(incoming.rawHeaders)
    incoming.resume()
    answer.end('{}')
  })
  /** Sends header lines as they are. @returns what reached the API, by folded name */
  const ask = async (lines: readonly string[]): Promise<Map<string, string[]>> => {
    const socket = connect(world.port, '127.0.0.1').on('error', () => {})
    const head = [
      'GET /api/x/1 HTTP/1.1',
      'Host: bff.example.com',
      `Cookie: ${world.mine.cookie}`,
      `Origin: ${PUBLIC_URL}`,
      ...lines,
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n`, 'latin1')
    const answer = Buffer.concat(await socket.toArray()).toString('latin1')
    assert.match(answer, /^(?:HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 200 /)
    const raw = told.splice(0).flat()
    const byName = new Map<string, string[]>()
    for (let at = 0; at < raw.length; at += 2) {
      const name = (raw[at] ?? '').toLowerCase().replaceAll('_', '-')
      byName.set(name, [...(byName.get(name) ?? []), raw[at + 1] ?? ''])
    }
    return byName
  }
  return { ask }
}

const lines = (names: readonly string[], folded: boolean): fc.Arbitrary<string[]> =>
  fc.array(
    fc
      .constantFrom(...names)
      .chain((name) => spell(name, folded))
      .map((name) => `${name}: canary`),
    { maxLength: 6 },
  )
/** Names in `Connection`: they, and nothing of ours, stay here. */
const connection = fc
  .array(
    fc.constantFrom(
      'authorization',
      'traceparent',
      'X-Request-Id',
      'x-custom',
      'cookie',
      'host',
      'x_auth_subject',
      'content-type',
      '',
      ' ',
      'close',
      '"',
      'te',
    ),
    { maxLength: 4 },
  )
  .map((names) => `Connection: ${['close', ...names].join(',')}`)

test('PX-03: no header that is ours to say, or of one connection alone, survives under any letter case or Connection list', async (t) => {
  const { ask } = await build(t)
  await hold(
    t,
    fc.asyncProperty(lines(IDENTITY, true), lines(HOP_BY_HOP, false), connection, async (identity, hops, list) => {
      const told = await ask([
        ...identity.filter((line) => !/^cookie:/i.test(line)),
        ...hops,
        list,
        'X-Custom: kept',
        'X-Other: kept',
      ])
      for (const name of [...IDENTITY, ...HOP_BY_HOP]) {
        assert.ok(told.get(name)?.every((value) => value !== 'canary') ?? true, `the API was told ${name}`)
      }
      assert.deepEqual(told.get('authorization'), [`Bearer ${CANARIES.accessToken}`])
      assert.equal(told.get('x-request-id')?.length, 1)
      assert.match(told.get('traceparent')?.join() ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/)
      assert.equal(told.has('x-custom'), !list.includes('x-custom'))
      assert.deepEqual([told.get('x-other'), told.get('host')?.length], [['kept'], 1])
    }),
    { share: 0.5 },
  )
})

test('PX-03: no header of one connection alone survives with _ for -, which a gateway behind may read as the same', async (t) => {
  const { ask } = await build(t)
  const names = [...HOP_BY_HOP, 'transfer-encoding']
    .filter((name) => name.includes('-'))
    .map((name) => name.replace('-', '_'))
  await hold(
    t,
    fc.asyncProperty(lines(names, false), async (hops) => {
      const told = await ask([...hops, 'Connection: close'])
      for (const name of [...HOP_BY_HOP, 'transfer-encoding'])
        assert.ok(!told.get(name)?.includes('canary'), `the API was told ${name}`)
    }),
    { share: 0.1, examples: [[['Transfer_Encoding: canary']]] },
  )
})

test('PX-03: of a call and of a WebSocket handshake alike, what Connection names stays here, and what is ours stays ours', (t) => {
  const via = { address: 'ours', host: 'ours', proto: 'ours' }
  const ours = { accessToken: 'ours', requestId: 'ours', traceparent: 'ours', via }
  const names = [...IDENTITY, ...HOP_BY_HOP, 'x-custom', 'x-other', 'accept', 'transfer-encoding', 'sec-websocket-key']
  const name = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...names) },
    hostileText.map((text) => `x${text.toLowerCase()}`),
  )
  const listed = fc.array(fc.constantFrom(...names, 'X-Custom', ' x-other ', '', 'Authorization'), { maxLength: 5 })
  return hold(
    t,
    fc.property(fc.dictionary(name, fc.constant('canary')), listed, (headers, list) => {
      const said = { ...headers, connection: list.join(',') }
      const dropped = new Set(list.map((of) => of.trim().toLowerCase()))
      const passed = buildUpstreamHeaders(said, ours)
      for (const [of, value] of Object.entries(passed)) {
        if (value === 'ours' || value === 'Bearer ours') continue
        assert.ok(!dropped.has(of) && ![...IDENTITY, ...HOP_BY_HOP, 'transfer-encoding', 'connection'].includes(of), of)
      }
      const { authorization, 'x-request-id': requestId, traceparent } = passed
      assert.deepEqual([authorization, requestId, traceparent], ['Bearer ours', 'ours', 'ours'])
      assert.deepEqual(buildHandshakeHeaders(said, ours), { ...passed, connection: 'Upgrade', upgrade: 'websocket' })
    }),
    { share: 3 },
  )
})

test("PX-05, HC-01: of an API's answer no cookie, no CORS decision and nothing of the connection comes through, and no cache may share it", (t) => {
  const dropped = [
    'set-cookie',
    'access-control-allow-origin',
    'access-control-allow-credentials',
    'access-control-x',
    'connection',
    'keep-alive',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'proxy-authenticate',
    'proxy-connection',
  ]
  const directive = fc.constantFrom(
    'max-age=60',
    'no-cache',
    'must-revalidate',
    'x-public',
    'Public',
    'private',
    'no-store',
    's-maxage=1',
    'publicly',
    '',
    ' ',
    'immutable',
  )
  const answer = fc.dictionary(
    fc.oneof(
      fc.constantFrom(...dropped, 'etag', 'content-type', 'vary', 'x-custom', 'x-hop'),
      hostileText.map((name) => `x${name.toLowerCase()}`),
    ),
    fc.constantFrom('canary', 'x-hop', 'keep-alive, X-Hop, set-cookie', ''),
  )
  return hold(
    t,
    fc.property(
      answer,
      fc.option(fc.array(directive, { maxLength: 3 }), { nil: undefined }),
      fc.constantFrom(undefined, 'Origin'),
      (headers, caching, vary) => {
        const said: IncomingHttpHeaders = {
          ...headers,
          'set-cookie': ['canary'],
          ...(caching && { 'cache-control': caching.join(', ') }),
        }
        const passed = buildClientHeaders(said, vary)
        const ofConnection = (headers.connection ?? '').toLowerCase().split(/[ ,]+/)
        for (const name of Object.keys(passed)) {
          assert.ok(!dropped.includes(name) && !name.startsWith('access-control-'), name)
          assert.ok(!ofConnection.includes(name), name)
        }
        const kept = String(passed['cache-control']).toLowerCase().split(/[ ,]+/)
        assert.ok(
          ['no-store', 'private', 'public', 's-maxage=1'].some((name) => kept.includes(name)),
          String(passed['cache-control']),
        )
        if (vary !== undefined) assert.match(String(passed.vary), /^Origin(?:, |$)/)
      },
    ),
    { share: 3 },
  )
})
