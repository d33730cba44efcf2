import fc from 'fast-check'

/** Pieces that parsers stumble over: separators, escapes, what some of them strip, fold or decode, names of their own. */
const PIECES = [
  ...'/ // \\ . .. @ : ; ? # % & = , + - _ ~ * ! $ \' " ` ( ) [ ] { } < > | ^'.split(' '),
  ...'%2f %2F %5c %2e %00 %0a %0d%0a %09 %25 %252f %252e %c0%af %e2%80%8d %ff %zz % %2 %u002f'.split(' '),
  ...['\0', '\t', '\n', '\r', '\r\n', '\x0b', '\x0c', '\x1f', ' ', '\x7f', '\x80', '\x85', '\xa0', '\xad', '\xff'],
  ...['\u200b', '\u200d', '\u200e', '\u2028', '\u202e', '\u2060', '\ufeff', '\u3000', '\u0130', '\u017f', '\u212a'],
  ...'\u2044 \u2215 \u3002 \uff0e \uff0f \uff3c \uff61 \ufe68 \ud83d\ude00 \ud800 \udfff'.split(' '),
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', 'undefined', 'true', 'NaN', '[object Object]'],
  ...['0', '-0', '-1', '1e308', '1e999', '9007199254740993', '2147483648', '0x10', '1.5', '00', '\u0661'],
  ...['https://', 'http:', 'javascript:', '//evil.example', 'evil.example', 'app.example.com', 'localhost', '[::1]'],
  ...['{"a":1}', '{"a":1,"a":2}', '[[[[', '\\u0000', '\\ud800', '<script>', '&colon;', '%s%n', '../../etc/passwd'],
] as const

export const piece: fc.Arbitrary<string> = fc.constantFrom(...PIECES)

/** Any text at all, most of it made to hurt. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.oneof(piece, fc.string({ maxLength: 4 })), { maxLength: 8 }).map(join) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.tuple(piece, fc.nat({ max: 3000 })).map(([text, times]) => text.repeat(times)) },
)

function join(parts: readonly string[]): string {
  return parts.join('')
}

/** Texts of given pieces, with a hostile one among them now and then. */
export const madeOf = (pieces: readonly string[], max = 8): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...pieces) }, { weight: 1, arbitrary: piece }), {
      maxLength: max,
    })
    .map(join)

/** Any JSON value, deep and odd ones among them. */
export const hostileJson: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: hostileText },
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(null, true, false, 0, -0, -1, 1.5, 1e21, 1e308, 2 ** 53, '', ' ', [], {}),
  },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.array(hostileText, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>({ __proto__: null }, { toString: 1 }, { length: 1 }) },
)

/** An object like a good one, with some of its members changed, taken away or added. */
export function likeObject(
  good: Readonly<Record<string, unknown>>,
  value: fc.Arbitrary<unknown> = hostileJson,
): fc.Arbitrary<Record<string, unknown>> {
  const names = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...Object.keys(good)) },
    { weight: 1, arbitrary: piece },
  )
  const change = fc.tuple(
    names,
    fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: fc.constant(undefined) }),
  )
  return fc.array(change, { maxLength: 3 }).map((changes) => {
    const changed = new Map(Object.entries(good))
    for (const [name, given] of changes) {
      if (given === undefined) changed.delete(name)
      else changed.set(name, given)
    }
    return Object.fromEntries(changed)
  })
}

export type Edit =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'delete'; readonly at: number; readonly count: number }
  | { readonly kind: 'insert'; readonly at: number; readonly octets: Uint8Array }
  | { readonly kind: 'repeat'; readonly at: number; readonly count: number; readonly times: number }
  | { readonly kind: 'truncate'; readonly at: number }

const at = fc.nat({ max: 0xffff })
const inserted = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 4 }),
  piece.map((text) => new Uint8Array(Buffer.from(text))),
)

/** What can happen to octets on their way, or be done to them. Places count from the front, modulo the length. */
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat({ max: 7 }) }),
  fc.record({ kind: fc.constant('delete' as const), at, count: fc.integer({ min: 1, max: 8 }) }),
  fc.record({ kind: fc.constant('insert' as const), at, octets: inserted }),
  fc.record({
    kind: fc.constant('repeat' as const),
    at,
    count: fc.integer({ min: 1, max: 64 }),
    times: fc.constantFrom(1, 1, 2, 300),
  }),
  fc.record({ kind: fc.constant('truncate' as const), at }),
)

function apply(octets: Buffer, change: Edit): Buffer {
  const place = octets.length === 0 ? 0 : change.at % octets.length
  const [before, after] = [octets.subarray(0, place), octets.subarray(place)]
  switch (change.kind) {
    case 'flip':
      return Buffer.concat([before, Buffer.from([(after[0] ?? 0) ^ (1 << change.bit)]), after.subarray(1)])
    case 'delete':
      return Buffer.concat([before, after.subarray(change.count)])
    case 'insert':
      return Buffer.concat([before, change.octets, after])
    case 'repeat':
      return Buffer.concat([before, ...Array(change.times).fill(after.subarray(0, change.count)), after])
    case 'truncate':
      return before
  }
}

/** Edits, to be made to octets that are perhaps known only later. */
export const edits = (max = 3): fc.Arbitrary<readonly Edit[]> => fc.array(edit, { minLength: 1, maxLength: max })

export const applyEdits = (octets: Buffer, changes: readonly Edit[]): Buffer => changes.reduce(apply, octets)

/** Octets like good ones. */
export const likeOctets = (good: Buffer, max = 3): fc.Arbitrary<Buffer> =>
  edits(max).map((changes) => applyEdits(good, changes))

/** A text like a good one; octets are taken as Latin-1, so that every change stays a change. */
export const likeText = (good: string, max = 3): fc.Arbitrary<string> =>
  likeOctets(Buffer.from(good, 'latin1'), max).map((octets) => octets.toString('latin1'))
