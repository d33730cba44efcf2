import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BffError } from '../../src/errors.ts'
import { parseReturnTo, type ReturnTo, withAuthError } from '../../src/login/return-to.ts'
import { HONEST_TARGETS, RULES, readHostileTargets } from '../login/return-targets.ts'
import { hostileText, likeText, madeOf } from './arbitraries.ts'
import { hold } from './settings.ts'

const LENGTH_MAX = 2048
const ORIGINS = [RULES.publicUrl, ...RULES.allowedOrigins]

const PIECES = [
  ...'/ /a /inbox // \\ . .. ... @ : ; ;a=b ? # % & = %5c %2f %2e %25 %252f %252e %09 %00 %0d%0a %E2%81%84 %C3%A9'.split(
    ' ',
  ),
  ...[
    '\t',
    '\n',
    '\0',
    '\u00a0',
    '\u200d',
    '\u2044',
    '\u3002',
    '\uff0e',
    '\uff0f',
    '\uff3c',
    '\uff05',
    '\u2025',
    '\u00df',
  ],
  ...[
    'evil.example',
    'app.example.com',
    ...ORIGINS,
    'https://',
    'https:',
    'javascript:',
    '//localhost',
    ':443',
    '[::1]',
  ],
]

/** Most begin as an acceptable target does, or too few would get past the first check. */
const target: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(fc.constantFrom('/', '/a', '/inbox?a=', '/#', ...ORIGINS), madeOf(PIECES))
    .map(([start, rest]) => start + rest),
  madeOf(PIECES),
  hostileText,
  fc.constantFrom(...HONEST_TARGETS).chain((honest) => likeText(honest)),
  fc.constantFrom(...readHostileTargets().map(([, text]) => text)).chain((text) => likeText(text)),
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
)

function parse(value: string): ReturnTo | undefined {
  try {
    return parseReturnTo(value, RULES)
  } catch (error) {
    assert.ok(error instanceof BffError && error.code === 'invalid_request', `throws ${String(error)}`)
    return undefined
  }
}

type Reading = (text: string) => string

const decodeLeniently: Reading = (text) =>
  text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString())

/** What some program on the way may make of a text before it looks for the host. */
const READINGS: readonly Reading[] = [
  (text) => text.replaceAll('\\', '/'),
  decodeLeniently,
  (text) => decodeLeniently(decodeLeniently(text)),
  (text) => text.replaceAll(/[^ -~\x80-\uffff]/g, ''),
  (text) => text.replace(/^[\s\0-\x20]+/, ''),
  (text) => text.normalize('NFKC'),
  (text) => text.replaceAll('\u3002', '.').replaceAll(/[\u2044\u2215\u29f8]/g, '/'),
]

/** A text in its own and in every other reading, and in each of these once more. */
function readAll(text: string, readings: readonly Reading[]): Set<string> {
  const once = [text, ...readings.map((read) => read(text))]
  return new Set(once.flatMap((reading) => [reading, ...readings.map((read) => read(reading))]))
}

/** `URL.origin` is the text `null` for schemes that the standard does not know. */
function originOf(reading: string): string {
  const url = URL.parse(reading, RULES.publicUrl)
  return url === null ? 'nowhere' : `${url.protocol}//${url.host}`
}

test('ST-08: a return target is refused as invalid_request, or leads to an allowed origin in every reading', (t) =>
  hold(
    t,
    fc.property(target, (value) => {
      const parsed = parse(value)
      if (parsed === undefined) return
      for (const reading of [...readAll(value, READINGS), ...readAll(parsed, READINGS)]) {
        assert.ok(ORIGINS.includes(originOf(reading)), `read as ${JSON.stringify(reading)}`)
      }
    }),
    { share: 20, examples: HONEST_TARGETS.map((honest) => [honest]) },
  ))

test('ST-08: a return target leads to an allowed origin also where path parameters or invisible characters are dropped', (t) =>
  hold(
    t,
    fc.property(target, (value) => {
      const parsed = parse(value)
      if (parsed === undefined) return
      for (const decoded of [parsed, decodeLeniently(parsed)]) {
        const [path = ''] = decoded.split(/[?#]/, 1)
        for (const reading of [
          path.replaceAll(/;[^/]*/g, ''),
          path.replaceAll(/\p{Default_Ignorable_Code_Point}/gu, ''),
        ]) {
          assert.ok(ORIGINS.includes(originOf(reading)), `read as ${JSON.stringify(reading)}`)
          assert.doesNotMatch(reading, /(?:^|\/)\.{1,2}(?:\/|$)/, `has a dot segment as ${JSON.stringify(reading)}`)
        }
      }
    }),
    { share: 20, examples: [['/;/evil.example'], ['/..;/admin'], ['/\u00ad/evil.example'], ['/.\u2060./admin']] },
  ))

/** The authority as RFC 3986 Appendix B splits it, and as readers do that look for the last `@`. */
const splitAuthority = (text: string): string | undefined => /^(?:[^:/?#]+:)?\/\/([^/?#]*)/.exec(text)?.[1]

test('ST-08: what is sent to the browser is ASCII, names its host before the first slash, and stays as it is when sent again', (t) =>
  hold(
    t,
    fc.property(target, (value) => {
      const parsed = parse(value)
      if (parsed === undefined) return
      assert.match(parsed, /^[!-~]+$/)
      assert.doesNotMatch(parsed, /[\\<>"]/)
      if (parsed.length <= LENGTH_MAX) assert.equal(parse(parsed), parsed)
      const host = splitAuthority(parsed)
      if (parsed.startsWith('/')) assert.equal(host, undefined)
      else
        assert.ok(
          ORIGINS.some((origin) => parsed.startsWith(`${origin}/`) && splitAuthority(origin) === host),
          parsed,
        )
    }),
    { share: 10 },
  ))

test('a return target has at most 2048 characters, also as it is sent: a proxy cuts off a longer Location', (t) =>
  hold(
    t,
    fc.property(target, (value) => {
      const parsed = parse(value)
      assert.ok(parsed === undefined || parsed.length <= LENGTH_MAX, `${value.length} became ${parsed?.length}`)
    }),
    { share: 10, examples: [[`/${'\u00e9'.repeat(1000)}`]] },
  ))

test('ST-08: what one deployment accepts as a path, every deployment does; an origin counts only where it is listed', (t) =>
  hold(
    t,
    fc.property(target, (value) => {
      const parsed = parse(value)
      const other = { publicUrl: 'https://other.example', allowedOrigins: [] }
      const isPath = parsed?.startsWith('/') === true
      if (isPath) assert.equal(parseReturnTo(value, other), parsed)
      else assert.throws(() => parseReturnTo(value, other), BffError)
    }),
    { share: 10 },
  ))

test('auth_error is in the query exactly once, whatever the target; path, fragment and other parameters stay', (t) =>
  hold(
    t,
    fc.property(target, fc.constantFrom('access_denied', 'sign_in_failed'), (value, error) => {
      const parsed = parse(value)
      if (parsed === undefined) return
      const before = new URL(parsed, RULES.publicUrl)
      const after = new URL(withAuthError(parsed, error), RULES.publicUrl)
      assert.deepEqual(after.searchParams.getAll('auth_error'), [error])
      assert.deepEqual([after.pathname, after.hash, after.host], [before.pathname, before.hash, before.host])
      const others = (url: URL): [string, string][] =>
        [...url.searchParams].filter(([name, text]) => name !== 'auth_error' && name + text !== '')
      assert.deepEqual(others(after), others(before))
      assert.ok(ORIGINS.includes(originOf(after.href)))
    }),
    { share: 10 },
  ))
