import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { BffError } from '../../src/errors.ts'
import { parseReturnTo, withAuthError } from '../../src/login/return-to.ts'
import { createRandom } from '../support/random.ts'
import { ENCODED_TARGETS, HONEST_TARGETS, RULES, readHostileTargets } from './return-targets.ts'

const isRefusal = (error: unknown): boolean => error instanceof BffError && error.code === 'invalid_request'

test('ST-08: every hostile return target is refused', () => {
  const targets = readHostileTargets()
  assert.ok(targets.length >= 900)
  for (const [written, target] of targets) assert.throws(() => parseReturnTo(target, RULES), isRefusal, written)
  assert.throws(() => parseReturnTo('', RULES), isRefusal)
})

test('ST-08: the list of hostile return targets has no value twice, and at least ten of each technique', () => {
  const targets = readHostileTargets().map(([, target]) => target)
  const repeated = targets.filter((target, at) => targets.indexOf(target) !== at)
  assert.deepEqual(repeated, [])
  const list = readFileSync(new URL('../data/open-redirects.txt', import.meta.url), 'utf8')
  const [, ...techniques] = list.split(/^# -- /m)
  const few = techniques.filter((technique) => technique.trimEnd().split('\n').length <= 10)
  assert.deepEqual(few, [])
  assert.ok(techniques.length >= 25)
})

test('LG-03: the log says what is wrong with a return target', () => {
  for (const [target, reason] of [
    [`/${'a'.repeat(2048)}`, /: return_to too long$/],
    ['/a\\b', /: return_to has a control character, a space or a backslash$/],
    ['https://evil.example/', /: return_to is neither a path nor on an allowed origin$/],
    ['/a?b=%0a', /: return_to has an encoded control character$/],
    ['/a%5cb', /: return_to hides a backslash or a control character$/],
    ['/a//b', /: return_to has an empty path segment/],
    ['/a/../b', /: return_to has a dot segment/],
    [`/${'%25'.repeat(1)}${'25'.repeat(20)}2f`, /: return_to is encoded too many times$/],
    ['/a%zz', /: return_to has a broken percent-encoding$/],
  ] as const) {
    assert.throws(() => parseReturnTo(target, RULES), reason, target)
  }
  assert.throws(
    () => parseReturnTo('/a?b=%zz', RULES),
    ({ cause, message }: Error) => cause instanceof URIError && /broken percent-encoding/.test(message),
  )
})

test('ST-08: an honest return target survives byte for byte', () => {
  for (const target of HONEST_TARGETS) assert.equal(parseReturnTo(target, RULES), target)
})

test('ST-08: what is not ASCII, or not a URL character, is percent-encoded', () => {
  for (const [given, sent] of ENCODED_TARGETS) assert.equal(parseReturnTo(given, RULES), sent)
})

test('ST-08: a target on a listed origin is refused where that origin is not listed', () => {
  const rules = { ...RULES, allowedOrigins: [] }
  assert.equal(parseReturnTo('https://app.example.com/inbox', rules), 'https://app.example.com/inbox')
  for (const target of ['https://spa.example.com:8443/', 'capacitor://localhost/']) {
    assert.throws(() => parseReturnTo(target, rules), isRefusal)
  }
})

test('a return target has at most 2048 characters', () => {
  const longest = `/${'a'.repeat(2047)}`
  assert.equal(parseReturnTo(longest, RULES), longest)
  assert.throws(() => parseReturnTo(`${longest}a`, RULES), isRefusal)
})

/** Pieces that hostile targets are made of; every one that is accepted must still lead to a known origin. */
const PIECES =
  '/ // \\ . .. @ : ; ? # % & = a 5c 2f 2e 25 %2f %5c %2e %25 %252f %09 %00 %E2 %80 evil.example app.example.com https:// ' +
  'https: https://app.example.com https://spa.example.com:8443 capacitor://localhost javascript: //localhost :443 [::1] ' +
  '\t \n \r \0 \u00a0 \u200b \u200d \u2028 \u3002 \uff0e \uff0f \uff3c \u2044 \u2215 ß 你 \ud83d\ude00 \ud800'

/** Most begin as an acceptable target does, or too few would get past the first check. */
const STARTS = ['', '/', '/a', 'https://app.example.com', 'capacitor://localhost']

test('ST-08: whatever is accepted resolves to an allowed origin, however it is put together', () => {
  const pieces = [...PIECES.split(' '), ' ']
  const origins = new Set(['https://app.example.com', 'https://spa.example.com:8443', 'capacitor://localhost'])
  const random = createRandom(20_260_101)
  const pick = (): string => pieces[Math.floor(random() * pieces.length)] ?? ''
  let accepted = 0
  for (let round = 0; round < 60_000; round++) {
    const start = STARTS[round % STARTS.length] ?? ''
    const value = start + Array.from({ length: 1 + Math.floor(random() * 6) }, pick).join('')
    const parsed = parseOrUndefined(value)
    if (parsed === undefined) continue
    accepted += 1
    for (const resolved of [new URL(parsed, 'https://app.example.com'), new URL(value, 'https://app.example.com')]) {
      assert.ok(origins.has(originOf(resolved)), `${JSON.stringify(value)} leads to ${resolved.href}`)
    }
    assert.match(parsed, /^[!-~]+$/) // Fit for a header.
    assert.equal(parseReturnTo(parsed, RULES), parsed, `${JSON.stringify(value)} is not stable`)
  }
  assert.ok(accepted > 3000, `only ${accepted} accepted`)
})

function parseOrUndefined(value: string): string | undefined {
  try {
    return parseReturnTo(value, RULES)
  } catch (error) {
    assert.ok(isRefusal(error), String(error))
    return undefined
  }
}

/** `URL.origin` is the string `null` for schemes that the standard does not know. */
const originOf = ({ protocol, host }: URL): string => `${protocol}//${host}`

test('auth_error is added to the query, before the fragment, and leaves the rest as it is', () => {
  for (const [target, expected] of [
    ['/', '/?auth_error=access_denied'],
    ['/inbox?', '/inbox?auth_error=access_denied'],
    ['/inbox?a=%2F+b', '/inbox?a=%2F+b&auth_error=access_denied'],
    ['/inbox?a=b?c', '/inbox?a=b?c&auth_error=access_denied'],
    ['/#/route?x=1', '/?auth_error=access_denied#/route?x=1'],
    ['/inbox?a=1#b#c', '/inbox?a=1&auth_error=access_denied#b#c'],
    ['https://spa.example.com:8443/#x', 'https://spa.example.com:8443/?auth_error=access_denied#x'],
    ['capacitor://localhost/', 'capacitor://localhost/?auth_error=access_denied'],
  ] as const) {
    assert.equal(withAuthError(parseReturnTo(target, RULES), 'access_denied'), expected)
  }
})

test('auth_error of an earlier attempt is replaced, in whatever way its name is written', () => {
  for (const query of ['auth_error=old', 'auth_error', 'auth%5Ferror=old', 'auth_error=a&auth_error=b']) {
    const target = parseReturnTo(`/inbox?x=1&${query}&my_auth_error=2`, RULES)
    assert.equal(withAuthError(target, 'login_required'), '/inbox?x=1&my_auth_error=2&auth_error=login_required')
  }
})
