import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { BffError } from '../../src/errors.ts'
import { createIdpHttp } from '../../src/idp/http.ts'
import { parseTokenResponse, type TokenResponse } from '../../src/idp/token-response.ts'
import { SignInRefused } from '../../src/idp/tokens.ts'
import { buildIdp, createTestLog } from '../idp/build-idp.ts'
import { signJws } from '../idp/hostile-idp.ts'
import { hostileJson, hostileText, likeObject, likeOctets, likeText } from './arbitraries.ts'
import { hold } from './settings.ts'

type Members = Record<string, unknown>

const NOW = 1_800_000_000
const GOOD = {
  access_token: 'the-access-token',
  token_type: 'Bearer',
  expires_in: 900,
  refresh_token: 'the-refresh-token',
  refresh_expires_in: 86_400,
  id_token: 'a.b.c',
  scope: 'openid',
}

const seconds = fc.constantFrom<unknown>(
  0,
  -0,
  -1,
  900,
  0.5,
  1e308,
  2 ** 31,
  2 ** 53,
  '900',
  '0900',
  '1e3',
  ' 900',
  '',
  '-1',
  null,
)
const tokenText = fc.constantFrom<unknown>(
  'x',
  'a b',
  'a\nb',
  'a\r\nX: y',
  '\u00e9',
  'a\u0000',
  'bearer',
  'BEARER',
  'DPoP',
  'MAC',
  null,
  '',
)
const members = likeObject(GOOD, fc.oneof(seconds, tokenText, hostileJson))

/** Text that `JSON.stringify` never writes. */
const rawJson = fc.constantFrom(
  ...['', ' ', 'null', '[]', '"text"', '0', '{', '{}', '{"access_token":"a","access_token":"b","token_type":"bearer"}'],
  ...[
    '{"access_token":"a","token_type":"bearer","expires_in":1e400}',
    '{"access_token":"a","token_type":"bearer","expires_in":-1e400}',
  ],
  `{"access_token":"a","token_type":"bearer","expires_in":${'9'.repeat(400)}}`,
  `{"access_token":"a","token_type":"bearer","x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
  `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
  '{"access_token":"\\ud800","token_type":"bearer"}',
  '{"__proto__":{"access_token":"a","token_type":"bearer"}}',
  'access_token=a&token_type=bearer',
  '<html>login</html>',
)

type Spelling = (text: string) => Buffer
/** The same answer as a server may write it that has its own ideas of characters. */
const spelling: fc.Arbitrary<Spelling> = fc.constantFrom<Spelling>(
  ...[Buffer.from, Buffer.from, Buffer.from, Buffer.from].map(
    (write): Spelling =>
      (text) =>
        write(text),
  ),
  (text) => Buffer.from(text, 'utf16le'),
  (text) => Buffer.from(text, 'latin1'),
  (text) => Buffer.from(`\ufeff${text}`),
  (text) => Buffer.from(`)]}'\n${text}`),
)

const octets: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        members.map((value) => JSON.stringify(value)),
        spelling,
      )
      .map(([text, write]) => write(text)),
  },
  { weight: 2, arbitrary: likeOctets(Buffer.from(JSON.stringify(GOOD))) },
  { weight: 1, arbitrary: rawJson.map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: hostileText.map((text) => Buffer.from(text)) },
)

const status = fc.oneof(
  { weight: 4, arbitrary: fc.constant(200) },
  fc.constantFrom(201, 203, 226, 400, 400, 401, 403, 404, 408, 418, 425, 429, 451, 499, 500, 502, 503, 599),
)
const headerText = fc.oneof(
  fc.constantFrom(
    '5',
    '0',
    '-5',
    '1e9',
    '99999999999',
    'Wed, 15 Jan 2027 08:00:30 GMT',
    'soon',
    ' GMT',
    'Infinity',
    '5, 6',
  ),
  fc.string({ maxLength: 20 }),
)
const headers = fc.dictionary(
  fc.constantFrom('content-type', 'retry-after', 'www-authenticate', 'date', 'x-a'),
  headerText,
)

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isAbsent = (value: unknown): boolean => value === undefined || value === null || value === ''
const isLife = (value: unknown): boolean =>
  (typeof value === 'number' && Number.isFinite(value) && value >= 0) ||
  (typeof value === 'string' && /^\d{1,10}$/.test(value))

/** RFC 6749 §5.1 with what the checklist leaves open, written down once more. */
function isGrant({
  access_token: access,
  token_type: type,
  refresh_token: refresh,
  id_token: idToken,
  scope,
}: Members): boolean {
  const isBearer = typeof type === 'string' && /^bearer$/i.test(type) && type.length === 6
  const isAccess = isText(access) && [...access].every((character) => character > ' ' && character < '\x7f')
  return (
    isBearer &&
    isAccess &&
    [refresh, idToken].every((token) => isText(token) || isAbsent(token)) &&
    (typeof scope === 'string' || isAbsent(scope))
  )
}

function readBody(body: Buffer): Members {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body))
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {}
  } catch {
    return {}
  }
}

/** Holds an answer against what the body says, as another reader has it. */
function check(answer: TokenResponse, code: number, body: Members): void {
  if (code === 200) assert.equal(answer.kind, isGrant(body) ? 'tokens' : 'malformed')
  else assert.ok(answer.kind === 'error' || answer.kind === 'unavailable')
  if (answer.kind === 'tokens') {
    const { accessToken, expiresInS, refreshToken, refreshExpiresInS, idToken, scope } = answer.answer
    assert.equal(accessToken, body.access_token)
    assert.equal(expiresInS, isLife(body.expires_in) ? Number(body.expires_in) : 300)
    assert.ok(refreshExpiresInS === undefined || (refreshExpiresInS > 0 && Number.isFinite(refreshExpiresInS)))
    const given = [body.refresh_token, body.id_token, body.scope].map((value) => (isAbsent(value) ? undefined : value))
    assert.deepEqual([refreshToken, idToken, scope], given)
  } else if (answer.kind === 'unavailable') {
    const { retryAfterS = 1 } = answer
    const isPassing = ['server_error', 'temporarily_unavailable'].includes(String(body.error))
    assert.ok(code >= 500 || [408, 425, 429].includes(code) || isPassing)
    assert.ok(retryAfterS >= 1 && retryAfterS <= 3600 && Number.isInteger(retryAfterS))
  } else assert.match(answer.kind === 'error' ? answer.error : answer.reason, /^[a-z_]+$/)
}

test('TX-06, TX-07: whatever the token endpoint answers is tokens, an error, "not now" or nonsense, as another reader has it', (t) =>
  hold(
    t,
    fc.asyncProperty(octets, status, headers, async (body, code, sent) => {
      const response = new Response(new Uint8Array(body), { status: code, headers: new Headers(Object.entries(sent)) })
      check(await parseTokenResponse(response, NOW), code, readBody(body))
    }),
    { share: 3 },
  ))

test('TX-08, TX-13: of whatever the IdP answers, tokens come only with the very ID token that it signed for this sign-in', async (t) => {
  const { hostile, idp, redeemInput, claims, key } = await buildIdp(t)
  const idToken = signJws(claims(), key)
  const answers = likeObject(
    { ...GOOD, id_token: idToken },
    fc.oneof(seconds, tokenText, hostileJson, likeText(idToken, 1)),
  )
  await hold(
    t,
    fc.asyncProperty(fc.oneof({ weight: 3, arbitrary: answers }, octets), status, async (body, code) => {
      const text = Buffer.isBuffer(body) ? body : JSON.stringify(body)
      hostile.on('/token', () => ({ status: code, body: text }))
      const signedIn = await idp.redeemCode(redeemInput()).catch((error: unknown) => {
        const isKnown =
          error instanceof SignInRefused || (error instanceof BffError && error.code === 'idp_unavailable')
        assert.ok(isKnown, `throws ${String(error)}`)
        return undefined
      })
      if (signedIn !== undefined) {
        assert.deepEqual([signedIn.idToken, signedIn.idTokenClaims.sub, code], [idToken, 'alice', 200])
        assert.ok(Number.isFinite(signedIn.accessTokenExpiresAt) && isGrant(readBody(Buffer.from(text))))
      }
      const outcome = await idp.refresh({ refreshToken: 'old', idToken, scope: 'openid' })
      assert.ok(['refreshed', 'invalid_grant', 'unavailable', 'mismatch'].includes(outcome.kind))
      if (outcome.kind === 'refreshed') assert.equal(outcome.tokens.idToken, idToken)
    }),
    { share: 0.5 },
  )
})

test('TX-03, TX-05: whatever octets come back instead of HTTP, it is an answer or idp_unavailable, and the next request works', async (t) => {
  let next: Buffer = Buffer.alloc(0)
  const server = createServer((socket) => {
    socket.on('error', () => {}).on('data', () => socket.end(next))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const http = createIdpHttp({ allowInsecureIssuer: true, now: () => NOW, log: createTestLog() })
  t.after(async () => {
    await http.close()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
  const body = JSON.stringify(GOOD)
  const plain = Buffer.from(
    `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  const chunked = Buffer.from(
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  )
  const wire = fc.constantFrom(plain, chunked).chain((good) => likeOctets(good))
  await hold(
    t,
    fc.asyncProperty(wire, fc.constantFrom('GET', 'POST'), async (sent, method) => {
      for (const answer of [sent, plain]) {
        next = answer
        const response = await http.fetch(url, { method }).catch((error: unknown) => error)
        if (response instanceof Response)
          check(
            await parseTokenResponse(response.clone(), NOW),
            response.status,
            readBody(Buffer.from(await response.arrayBuffer())),
          )
        else
          assert.ok(response instanceof BffError && response.code === 'idp_unavailable', `throws ${String(response)}`)
        if (answer === plain) assert.ok(response instanceof Response && response.status === 200)
      }
    }),
    { share: 0.5 },
  )
})
