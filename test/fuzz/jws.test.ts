import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { type JsonObject, parseJws, TokenRefused, verifyJws } from '../../src/idp/strict-jws.ts'
import { signJws } from '../idp/hostile-idp.ts'
import { applyEdits, edits, hostileJson, hostileText, likeText } from './arbitraries.ts'
import { FIXED_KEY, FIXED_KEYS } from './fixed-key.ts'
import { hold } from './settings.ts'
import { readStrictJson, TooDeep } from './strict-json.ts'

const encode = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url')

/** JSON in any of its spellings: white space, escapes, names that come twice, and things that are almost JSON. */
const { text: jsonText } = fc.letrec<{ text: string }>((tie) => {
  const space = fc.constantFrom('', '', '', '', ' ', '\n', '\t\r ', '\u00a0', '\f')
  const name = fc.constantFrom(
    '"alg"',
    '"kid"',
    '"sub"',
    '"\\u0073ub"',
    '"crit"',
    '"__proto__"',
    '""',
    '"a"',
    '"\\u0061"',
    "'a'",
    'a',
  )
  const odd = fc.constantFrom(
    '01',
    '+1',
    '.5',
    '1.',
    'NaN',
    'Infinity',
    'undefined',
    '"\n"',
    '"\\x41"',
    '"\\u00g0"',
    '\ufeff',
    '//',
    '"',
  )
  const spelled = fc.oneof(
    fc.constantFrom(
      '"EdDSA"',
      '"Ed25519"',
      '"none"',
      '"HS256"',
      '"Ed\\u0044SA"',
      '"k1"',
      '"\\ud83d\\ude00"',
      '"\\ud800"',
      '"\u00e9"',
    ),
    fc.constantFrom('null', 'true', 'false', '0', '-0', '1e5', '-1.5E+3', '123456789012345678901234567890'),
  )
  const member = fc.tuple(space, name, space, tie('text'), space).map(([a, n, b, v, c]) => `${a}${n}${b}:${v}${c}`)
  const list = (open: string, close: string, item: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc
      .tuple(fc.array(item, { maxLength: 4 }), fc.constantFrom('', '', '', '', ','))
      .map(([items, end]) => `${open}${items.join(',')}${end}${close}`)
  return {
    text: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 4, arbitrary: spelled },
      { weight: 4, arbitrary: list('{', '}', member) },
      { weight: 1, arbitrary: list('[', ']', tie('text')) },
      { weight: 1, arbitrary: odd },
    ),
  }
})

const HEADERS = [
  '{"alg":"EdDSA"}',
  '{"alg":"Ed25519","kid":"k1"}',
  '{"alg":"EdDSA","kid":"k1","typ":"JWT"}',
  '{"alg":"EdDSA","crit":[]}',
]
const headerText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...HEADERS) },
  jsonText,
  fc.constantFrom(...HEADERS).chain((text) => likeText(text, 1)),
)
/** Octets that are no UTF-8, or begin with a mark that some readers take away. */
const oddOctets = fc
  .constantFrom(
    '{"a":"\xff"}',
    '{"a":"\xe9"}',
    '{"a":"\xc0\xaf"}',
    '{"a":"\xed\xa0\x80"}',
    '\xef\xbb\xbf{}',
    '{"\xc3":1}',
  )
  .map((text) => new Uint8Array(Buffer.from(text, 'latin1')))
const members = fc
  .array(fc.tuple(fc.constantFrom('"a"', '"b"', '"\\u0061"', '"c\\""'), jsonText), { maxLength: 4 })
  .map((pairs) => `{${pairs.map(([name, value]) => `${name}:${value}`).join(',')}}`)
const objectText: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: members },
  { weight: 2, arbitrary: jsonText },
  { weight: 1, arbitrary: hostileText },
  { weight: 1, arbitrary: oddOctets },
)

/** A segment as it should be, or in another spelling of the same octets. */
const segment = (octets: fc.Arbitrary<string | Uint8Array>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 30, arbitrary: octets.map(encode) },
    { weight: 1, arbitrary: octets.map((text) => Buffer.from(text).toString('base64')) },
    { weight: 1, arbitrary: octets.chain((text) => likeText(encode(text), 1)) },
    { weight: 1, arbitrary: octets.map((text) => encode(Buffer.from(Buffer.from(text).toString(), 'latin1'))) },
  )

const token = fc
  .oneof(
    {
      weight: 9,
      arbitrary: fc.tuple(
        segment(headerText),
        segment(objectText),
        segment(fc.uint8Array({ minLength: 1, maxLength: 64 })),
      ),
    },
    { weight: 1, arbitrary: fc.array(segment(objectText), { maxLength: 6 }) },
  )
  .map((segments) => segments.join('.'))

/** RFC 7515 §3.1, §5.2 and RFC 4648 §3.5, as strictly as they can be read. */
function readStrictly(text: string): { header: JsonObject; claims: JsonObject } | 'too deep' | undefined {
  try {
    return readSegments(text)
  } catch (error) {
    if (error instanceof TooDeep) return 'too deep'
    throw error
  }
}

function readSegments(text: string): { header: JsonObject; claims: JsonObject } | undefined {
  const segments = text.split('.')
  if (text.length > 16_384 || segments.length !== 3) return undefined
  const objects = segments.slice(0, 2).map((part) => {
    const json = decodeStrictly(part)
    const value = json === undefined ? undefined : readStrictJson(json)?.value
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
  })
  const [header, claims] = objects
  if (header === undefined || claims === undefined || octetsOf(segments[2] ?? '') === undefined) return undefined
  const hasAlg = header.alg === 'EdDSA' || header.alg === 'Ed25519'
  const hasKid = !Object.hasOwn(header, 'kid') || typeof header.kid === 'string'
  return hasAlg && hasKid && !Object.hasOwn(header, 'crit') ? { header, claims } : undefined
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

function octetsOf(part: string): Buffer | undefined {
  const values = [...part].map((character) => ALPHABET.indexOf(character))
  if (values.length === 0 || values.length % 4 === 1 || values.includes(-1)) return undefined
  const bits = values.map((value) => value.toString(2).padStart(6, '0')).join('')
  const whole = Math.floor(bits.length / 8)
  if (/1/.test(bits.slice(whole * 8))) return undefined // Bits that nobody reads.
  return Buffer.from(Array.from({ length: whole }, (_, at) => Number.parseInt(bits.slice(at * 8, at * 8 + 8), 2)))
}

function decodeStrictly(part: string): string | undefined {
  const octets = octetsOf(part)
  const text = octets?.toString('utf8')
  return octets !== undefined && text !== undefined && Buffer.from(text).equals(octets) ? text : undefined
}

function parse(text: string): ReturnType<typeof parseJws> | undefined {
  try {
    return parseJws(text)
  } catch (error) {
    assert.ok(error instanceof TokenRefused, `throws ${String(error)}`)
    return undefined
  }
}

test('ID-06 of all that looks like a compact JWS exactly that is read which a strict reader accepts, and as the same', (t) => {
  const seen = { tried: 0, accepted: 0 }
  const property = fc.property(token, (text) => {
    seen.tried += 1
    const parsed = parse(text)
    const expected = readStrictly(text)
    if (expected === 'too deep') return
    if (expected === undefined) return assert.equal(parsed, undefined)
    assert.deepEqual({ ...parsed }, expected)
    seen.accepted += 1
  })
  return hold(t, property, { share: 10 }).then(() => {
    assert.ok(seen.accepted >= seen.tried / 20, `only ${seen.accepted} of ${seen.tried} were accepted`)
  })
})

const claims = fc.dictionary(fc.constantFrom('iss', 'sub', 'aud', 'exp', 'nonce', 'a'), hostileJson, { maxKeys: 6 })

/** Refused as a token that is not believed; whatever else is thrown, or a yes, is a fault. */
async function requireRefusal(text: string): Promise<void> {
  const outcome = await verifyJws(text, FIXED_KEYS).then(
    () => 'believed',
    (error: unknown) => (error instanceof TokenRefused ? 'refused' : error),
  )
  assert.equal(outcome, 'refused', text)
}

test('ID-01 what the key signed is believed and read as it was written, whatever the claims', (t) =>
  hold(
    t,
    fc.asyncProperty(claims, fc.constantFrom('EdDSA', 'Ed25519'), async (written, alg) => {
      const text = signJws(written, FIXED_KEY, { alg, kid: 'k1' })
      const isTooLong = text.length > 16_384
      if (isTooLong) return requireRefusal(text)
      assert.deepEqual((await verifyJws(text, FIXED_KEYS)).claims, JSON.parse(JSON.stringify(written)))
    }),
  ))

test('ID-01 a signed token with any edit, of its text or of the octets in a segment, never verifies', (t) =>
  hold(
    t,
    fc.asyncProperty(claims, edits(2), fc.constantFrom(0, 1, 2, 'text' as const), async (written, changes, where) => {
      const good = signJws(written, FIXED_KEY)
      const segments = good.split('.')
      const changed =
        where === 'text'
          ? applyEdits(Buffer.from(good), changes).toString('latin1')
          : segments
              .map((part, at) => (at === where ? encode(applyEdits(Buffer.from(part, 'base64url'), changes)) : part))
              .join('.')
      if (changed !== good) await requireRefusal(changed)
    }),
    { share: 2 },
  ))

test('ID-01, ID-02 headers, claims and signatures of two tokens, in any other mixture, never verify', (t) => {
  const header = fc.constantFrom<object>(
    { alg: 'EdDSA', kid: 'k1' },
    { alg: 'Ed25519' },
    { alg: 'EdDSA', typ: 'logout+jwt' },
    { alg: 'none' },
    { alg: 'HS256', kid: 'k1' },
  )
  const pick = fc.tuple(fc.nat({ max: 1 }), fc.nat({ max: 1 }), fc.nat({ max: 1 }))
  return hold(
    t,
    fc.asyncProperty(claims, claims, header, header, pick, async (one, other, a, b, [h, c, s]) => {
      const tokens = [signJws(one, FIXED_KEY, a), signJws(other, FIXED_KEY, b)]
      const [[header1 = '', claims1 = '', signature1 = ''] = [], [header2 = '', claims2 = '', signature2 = ''] = []] =
        tokens.map((text) => text.split('.'))
      const mixed = [[header1, header2][h], [claims1, claims2][c], [signature1, signature2][s]].join('.')
      if (!tokens.includes(mixed)) await requireRefusal(mixed)
    }),
  )
})

test('ID-02 no header makes a token of somebody else verify, whichever keys and algorithms it names', (t) => {
  const header = fc.dictionary(
    fc.constantFrom('alg', 'kid', 'jwk', 'jku', 'x5c', 'crit', 'b64', 'typ', 'zip'),
    fc.oneof(hostileJson, fc.constantFrom('EdDSA', 'none', 'k1', FIXED_KEY.jwk)),
  )
  const signature = fc.oneof(
    fc.uint8Array({ minLength: 64, maxLength: 64 }),
    fc.constantFrom(new Uint8Array(64), new Uint8Array(64).fill(255), new Uint8Array(0)),
  )
  return hold(
    t,
    fc.asyncProperty(claims, header, signature, async (written, named, octets) => {
      await requireRefusal(
        `${encode(JSON.stringify({ alg: 'EdDSA', ...named }))}.${encode(JSON.stringify(written))}.${encode(octets)}`,
      )
    }),
  )
})

test('ID-01 a signature over anything but header, dot and claims as they stand is refused', (t) => {
  const inputs = fc.constantFrom<(header: string, claims: string) => string>(
    (header, body) => header + body,
    (header, body) => `${body}.${header}`,
    (_header, body) => body,
    (header) => header,
    (header, body) => `${header}.${Buffer.from(body, 'base64url').toString()}`, // As `b64: false` has it (RFC 7797).
    (header, body) => `${header}.${body}.`,
  )
  return hold(
    t,
    fc.asyncProperty(claims, inputs, async (written, over) => {
      const [header, body] = [encode('{"alg":"EdDSA","kid":"k1"}'), encode(JSON.stringify(written))]
      await requireRefusal(
        `${header}.${body}.${sign(null, Buffer.from(over(header, body)), FIXED_KEY.privateKey).toString('base64url')}`,
      )
    }),
  )
})
