import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Cookies, createCookies } from '../../src/plugins/cookies.ts'
import { isNavigation } from '../../src/plugins/navigation.ts'
import { readPresented } from '../../src/plugins/presented.ts'
import { parseQuery } from '../../src/plugins/query.ts'
import { hostileText, madeOf } from './arbitraries.ts'
import { hold } from './settings.ts'

/** What the URL standard's form parser does, written down once more, octet by octet. */
function parseForm(text: string): [name: string, value: string][] {
  const decode = (part: string): string => {
    const octets: number[] = []
    const given = Buffer.from(part.replaceAll('+', ' '))
    for (let at = 0; at < given.length; at++) {
      const escaped = /^%([0-9a-f]{2})/i.exec(given.subarray(at, at + 3).toString('latin1'))
      octets.push(escaped === null ? (given[at] ?? 0) : Number.parseInt(escaped[1] ?? '', 16))
      if (escaped !== null) at += 2
    }
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(octets))
  }
  const parts = text.split('&').filter((part) => part !== '')
  return parts.map((part) => {
    const at = part.indexOf('=')
    return at === -1 ? [decode(part), ''] : [decode(part.slice(0, at)), decode(part.slice(at + 1))]
  })
}

const queryText = fc.oneof(
  madeOf(
    [
      'a',
      'b',
      'return_to',
      '=',
      '&',
      '+',
      '%3d',
      '%26',
      '%61',
      '__proto__',
      'constructor',
      '[]',
      '%F0%9F%98',
      '?',
      ';',
    ],
    16,
  ),
  hostileText,
)

const isDecodable = (text: string): boolean => {
  try {
    return decodeURIComponent(text) !== undefined
  } catch {
    return false
  }
}

test('CB-13: a query has the names and values of the URL standard, each name once, repeated values in their order', (t) =>
  hold(
    t,
    fc.property(queryText, (text) => {
      const query = text.replace(/^\?+/, '') // The separator, not a part of it.
      const parsed = parseQuery(query)
      assert.equal(Object.getPrototypeOf(parsed), null)
      // As octets come; with a broken percent-encoding a request gets no further than its URL.
      if (/[^\0-\xff]/.test(query) || !isDecodable(query)) return
      const expected = new Map<string, string[]>()
      for (const [name, value] of parseForm(query)) expected.set(name, [...(expected.get(name) ?? []), value])
      assert.deepEqual(Object.keys(parsed).toSorted(), [...expected.keys()].toSorted())
      for (const [name, values] of expected) assert.deepEqual(parsed[name], values.length === 1 ? values[0] : values)
    }),
    { share: 10 },
  ))

const limits = { store: 'memory:', browser: { idleS: 60, maxS: 600 }, app: { idleS: 60, maxS: 600 }, claims: [] }
const cookies: Cookies = createCookies({ secure: true, session: { ...limits, sameSite: 'strict' } })
const NAME = '__Host-Http-oten_session'
const TX = '__Host-Http-oten_tx_'

/** The part of a request that cookies are read from. */
const requestWith = (headers: Record<string, string | undefined>): FastifyRequest => ({ headers }) as FastifyRequest

/** What a header value of HTTP/1.1 can be once Node's parser has let it through, joined from all its lines. */
const headerText = (pieces: readonly string[]): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...pieces) }, fc.constantFrom(...VISIBLE)), {
      maxLength: 12,
      size: 'max',
    })
    .map((parts) => parts.join(''))
const VISIBLE = ['\t', ...Array.from({ length: 224 }, (_, at) => String.fromCharCode(at + 32))].filter(
  (c) => c !== '\x7f',
)

const SECRET = 'A'.repeat(43)
const cookieHeader = headerText([
  ...['; ', ';', '=', ' ', '\t', '"', ',', '\xa0', '\x85', '\xad', `${NAME}=b_${SECRET}`, `${NAME}=c_${SECRET}`],
  ...[NAME, NAME.toLowerCase(), `${NAME}=`, `${NAME}=t_${SECRET}`, `b_${SECRET}`, TX, `${TX}abcdefgh=1.x`, 'other=1'],
])

/** RFC 6265 §4.2.1, §5.4: pairs between semicolons; space and tab around a name or value are no part of it. */
function readCookiePairs(header: string): [name: string, value: string][] {
  const trim = (text: string): string => text.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '')
  return header
    .split(';')
    .filter((part) => part.includes('='))
    .map((part) => [trim(part.slice(0, part.indexOf('='))), trim(part.slice(part.indexOf('=') + 1))])
}

test('SC-08: a cookie is ours by its exact name: what a browser does not hold to be __Host- never passes for it', (t) =>
  hold(
    t,
    fc.property(cookieHeader, (cookie) => {
      const pairs = readCookiePairs(cookie)
      const request = requestWith({ cookie })
      const named = (wanted: string) => pairs.filter(([name]) => name === wanted).map(([, value]) => value)
      assert.deepEqual(cookies.readSessions(request), named(NAME))
      const [transaction, ...more] = named(`${TX}abcdefgh`)
      assert.equal(cookies.readTransaction(request, 'abcdefgh'), more.length === 0 ? transaction : undefined)
    }),
    { share: 10, examples: [[`\xa0${NAME}=b_${SECRET}`], [`a=b; ${NAME}\xa0=b_${SECRET}`], [`\xa0${TX}abcdefgh=1.x`]] },
  ))

test('MH-13, SC-08: a credential is taken from its own place alone, in its own form, and of two cookies neither', (t) => {
  const authorization = fc.option(
    headerText(['Bearer ', 'bearer ', 'BEARER', ' ', `t_${SECRET}`, `b_${SECRET}`, `c_${SECRET}`, 'Basic ', ',', '\t']),
    { nil: undefined },
  )
  return hold(
    t,
    fc.property(fc.option(cookieHeader, { nil: undefined }), authorization, (cookie, sent) => {
      const presented = readPresented(requestWith({ cookie, authorization: sent }), cookies)
      const token = /^bearer (t_[\w-]{43})$/i.exec(sent ?? '')?.[1]
      const own = cookies.readSessions(requestWith({ cookie }))
      const [credential = ''] = own
      const kind = { b: 'browser-cookie', c: 'app-cookie' }[/^([bc])_[\w-]{43}$/.exec(credential)?.[1] ?? '']
      if (token !== undefined) assert.deepEqual(presented, { kind: 'app-token', credential: token })
      else if (own.length === 0) assert.deepEqual(presented, { kind: 'none' })
      else if (own.length > 1 || kind === undefined) assert.deepEqual(presented, { kind: 'malformed' })
      else assert.deepEqual(presented, { kind, credential })
    }),
    { share: 10 },
  )
})

const SUFFIXES = Array.from({ length: 40 }, (_, at) => `suffix${String(at).padStart(2, '0')}`)
/** When a sign-in began that a cookie is of; what is not ours in form counts as the oldest. */
const startedAt = (value: string): number => {
  const [text = ''] = value.split('.')
  return /^[0-9a-z]{1,8}$/.test(text) ? Number.parseInt(text, 36) : 0
}

test('contract §3: whatever cookies a browser sends, it holds at most twenty transactions after a start, the newest of them', (t) => {
  const value = fc.oneof(
    { weight: 4, arbitrary: fc.nat({ max: 999 }).map((at) => `${at.toString(36)}.x`) },
    fc.constantFrom('', '.', '-1.x', 'zzzzzzzzz.x'),
  )
  const own = fc
    .shuffledSubarray(SUFFIXES)
    .chain((names) => fc.tuple(...names.map((of) => value.map((text) => [TX + of, text] as const))))
  const planted = fc.array(headerText(['=', ' ', TX, `${TX}short=1`, `${TX}abcdefghi=1`, `${TX}abc efgh=1`, 'a=b']), {
    maxLength: 5,
  })
  return hold(
    t,
    fc.property(own, planted, (pairs, others) => {
      const set: { name: string; maxAge: number }[] = []
      const setCookie = (name: string, _value: string, { maxAge }: { maxAge: number }) => set.push({ name, maxAge })
      const cookie = [...pairs.map((pair) => pair.join('=')), ...others].join('; ')
      const reply = { setCookie } as unknown as FastifyReply // What is called of it.
      cookies.setTransaction(requestWith({ cookie }), reply, { suffix: 'newestof', value: 'zzzz.new' })
      for (const { name } of set) assert.match(name, /^__Host-Http-oten_tx_[\w-]{8}$/)
      assert.deepEqual(set.at(-1), { name: `${TX}newestof`, maxAge: 600 })
      const gone = new Set(set.filter(({ maxAge }) => maxAge === 0).map(({ name }) => name))
      const kept = pairs.filter(([name]) => !gone.has(name))
      assert.ok(kept.length <= 19, `${kept.length} are left beside the new one`)
      const lost = pairs.filter(([name]) => gone.has(name))
      assert.ok(
        lost.every(([, text]) => kept.every(([, other]) => startedAt(text) <= startedAt(other))),
        'a newer one went',
      )
    }),
  )
})

test('contract §4: Sec-Fetch-Mode decides what a caller is; without it Accept does, whatever it says, and in any order', (t) => {
  const ranges = fc.array(
    headerText([
      'text/html',
      'application/json',
      '*/*',
      'text/*',
      ';q=',
      '0.5',
      '0',
      ';',
      ',',
      ' ',
      'q',
      '=',
      '1e9',
      '-1',
      'NaN',
    ]),
    { maxLength: 4 },
  )
  return hold(
    t,
    fc.property(ranges, fc.option(hostileText, { nil: undefined }), (accept, mode) => {
      const headers = { accept: accept.join(','), ...(mode !== undefined && { 'sec-fetch-mode': mode }) }
      const answer = isNavigation({ headers })
      if (mode !== undefined) assert.equal(answer, mode === 'navigate')
      else assert.equal(typeof answer, 'boolean')
    }),
    { share: 5, examples: [[['application/json'], 'navigate']] },
  )
})
