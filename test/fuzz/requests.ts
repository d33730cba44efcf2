import fc from 'fast-check'
import { applyEdits, edits, hostileText, piece } from './arbitraries.ts'
import type { Template } from './record.ts'

/** A recorded request after something was done to it. */
export interface Mutated {
  readonly of: string
  readonly did: string
  /** Its octets as Latin-1. */
  readonly text: string
  /** It is still one whole request, as far as its framing goes: an answer has to come. */
  readonly isWhole: boolean
}

interface Parts {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

function split({ text }: Template): Parts {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [line = '', ...lines] = head.split('\r\n')
  const [method = '', target = ''] = line.split(' ')
  const headers = lines.map(
    (header) => [header.slice(0, header.indexOf(':')), header.slice(header.indexOf(':') + 2)] as const,
  )
  return { method, target, headers, body: rest.join('\r\n\r\n') }
}

function join({ method, target, headers, body }: Parts): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}`)
  return [`${method} ${target} HTTP/1.1`, ...lines, '', body].join('\r\n')
}

/** What can stand in a header, or in a target, without an end to it. */
const headerSafe = (text: string): string => text.replaceAll(/[^\t -~\x80-\xff]/g, '?')
const targetSafe = (text: string): string => text.replaceAll(/[^!-~\x80-\xff]/g, '+')

type Change = { readonly did: string; readonly make: (parts: Parts) => Parts }
const index = fc.nat({ max: 999 })
const length = fc.constantFrom(300, 2048, 4096, 8193, 15_000, 40_000)

const changeHeader =
  (at: number, make: (value: string, name: string) => readonly (readonly [string, string])[]) =>
  (parts: Parts): Parts => ({
    ...parts,
    headers: parts.headers.flatMap((header, place) =>
      place === at % parts.headers.length ? make(header[1], header[0]) : [header],
    ),
  })

/** The values of two parameters, or headers, change places. */
function swapIn(text: string, a: number, b: number): string {
  const pairs = text.split('&').map((pair) => pair.split('='))
  const [one, other] = [pairs[a % pairs.length], pairs[b % pairs.length]]
  if (one === undefined || other === undefined) return text
  ;[one[1], other[1]] = [other[1] ?? '', one[1] ?? '']
  return pairs.map((pair) => pair.join('=')).join('&')
}

function onQuery(parts: Parts, make: (query: string) => string): Parts {
  const [path = '', query = ''] = parts.target.split('?')
  return { ...parts, target: `${path}?${make(query)}` }
}

/** The usual ways to lie in the parts of a request. Framing stays, except where a length is among what is changed. */
const change: fc.Arbitrary<Change> = fc.oneof(
  fc
    .constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY')
    .map((method): Change => ({ did: `method ${method}`, make: (parts) => ({ ...parts, method }) })),
  index.map((at): Change => ({ did: `drops header ${at}`, make: changeHeader(at, () => []) })),
  fc.tuple(index, hostileText).map(
    ([at, text]): Change => ({
      did: `repeats header ${at}`,
      make: changeHeader(at, (value, name) => [
        [name, value],
        [name.toUpperCase(), headerSafe(text)],
      ]),
    }),
  ),
  fc.tuple(index, hostileText).map(
    ([at, text]): Change => ({
      did: `replaces header ${at}`,
      make: changeHeader(at, (_value, name) => [[name, headerSafe(text)]]),
    }),
  ),
  fc.tuple(index, length).map(
    ([at, long]): Change => ({
      did: `lengthens header ${at}`,
      make: changeHeader(at, (value, name) => [[name, value + 'A'.repeat(long)]]),
    }),
  ),
  fc.tuple(index, index).map(
    ([a, b]): Change => ({
      did: `swaps headers ${a} and ${b}`,
      make: (parts) => {
        const values = parts.headers.map(([, value]) => value)
        const [first, second] = [a % values.length, b % values.length]
        ;[values[first], values[second]] = [values[second] ?? '', values[first] ?? '']
        return { ...parts, headers: parts.headers.map(([name], at) => [name, values[at] ?? '']) }
      },
    }),
  ),
  fc.tuple(index, index).map(
    ([a, b]): Change => ({
      did: 'swaps parameters',
      make: (parts) => onQuery(parts, (query) => swapIn(query, a, b)),
    }),
  ),
  fc
    .tuple(
      fc.constantFrom('return_to', 'state', 'code', 'iss', 'ticket', 'response', 'app', 'touch', 'error', 'x'),
      hostileText,
    )
    .map(
      ([name, text]): Change => ({
        did: `adds ${name}`,
        make: (parts) => onQuery(parts, (query) => `${query}&${name}=${targetSafe(text)}`),
      }),
    ),
  fc.tuple(index, length).map(
    ([at, long]): Change => ({
      did: 'lengthens the query',
      make: (parts) =>
        onQuery(
          parts,
          (query) => query.slice(0, at % (query.length + 1)) + 'A'.repeat(long) + query.slice(at % (query.length + 1)),
        ),
    }),
  ),
  fc.tuple(index, piece).map(
    ([at, text]): Change => ({
      did: 'edits the target',
      make: (parts) => ({
        ...parts,
        target: targetSafe(
          parts.target.slice(0, at % parts.target.length) + text + parts.target.slice(at % parts.target.length),
        ),
      }),
    }),
  ),
  fc
    .constantFrom('http://evil.example', 'http://', 'http://{{host}}', '//evil.example', '/.', '/auth/..', '\\', '*')
    .map(
      (start): Change => ({
        did: `target after ${start}`,
        make: (parts) => ({ ...parts, target: start + parts.target }),
      }),
    ),
  fc
    .constantFrom(
      ['Transfer-Encoding', 'chunked'],
      ['Transfer-Encoding', 'identity'],
      ['Content-Length', '0'],
      ['Content-Length', '5'],
      ['Expect', '100-continue'],
      ['Upgrade', 'websocket'],
      ['Upgrade', 'h2c'],
      ['Connection', 'Upgrade'],
      ['TE', 'trailers'],
      ['X-Forwarded-For', '%'],
      ['Content-Encoding', 'gzip'],
      ['Range', 'bytes=0-1'],
      ['Sec-Fetch-Mode', 'navigate'],
      ['Origin', 'null'],
      ['Cookie', '='],
      ['Authorization', 'Bearer x'],
      ['X-HTTP-Method-Override', 'DELETE'],
      ['Host', 'evil.example'],
    )
    .map(
      (header): Change => ({
        did: `adds ${header.join(': ')}`,
        make: (parts) => ({ ...parts, headers: [...parts.headers, [header[0] ?? '', header[1] ?? '']] }),
      }),
    ),
)

const FRAMING = /^(?:content-length|transfer-encoding|upgrade|expect|connection|host):/im
const framingOf = (text: string): string =>
  (text.split('\r\n\r\n')[0] ?? '')
    .split('\r\n')
    .filter((line) => FRAMING.test(line))
    .join('\n')

/** Recorded requests after a few lies, after edits of their octets, cut off, or one behind the other. */
export function mutationsOf(templates: readonly Template[]): fc.Arbitrary<Mutated> {
  const template = fc.constantFrom(...templates)
  const told = fc.tuple(template, fc.array(change, { minLength: 1, maxLength: 3 })).map(([of, changes]): Mutated => {
    const text = join(changes.reduce((parts, { make }) => make(parts), split(of)))
    const isWhole = framingOf(of.text) === framingOf(text)
    return { of: of.name, did: changes.map(({ did }) => did).join(', '), text, isWhole }
  })
  const edited = fc.tuple(template, edits(3)).map(([of, changes]): Mutated => {
    const text = applyEdits(Buffer.from(of.text, 'latin1'), changes).toString('latin1')
    return { of: of.name, did: 'edits of octets', text, isWhole: false }
  })
  const together = fc.tuple(template, template, fc.boolean()).map(([one, other, isKept]): Mutated => {
    const first = isKept ? one.text.replace(/^connection: close$/im, 'connection: keep-alive') : one.text
    const of = `${one.name} and ${other.name}`
    return { of, did: 'one behind the other', text: first + other.text, isWhole: false }
  })
  return fc.oneof({ weight: 6, arbitrary: told }, { weight: 3, arbitrary: edited }, { weight: 1, arbitrary: together })
}
