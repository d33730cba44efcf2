/** The text is no JSON, or has a name twice. */
class NotStrict extends Error {}

/** Deeper than this reader goes: it calls itself. */
export class TooDeep extends Error {}
const DEPTH_MAX = 500

const LITERALS = { true: true, false: false, null: null } as const
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const STRING = /"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const SPACE = /[ \t\n\r]*/y
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/**
 * JSON by the letter of RFC 8259, with each name once per object: written for this comparison, apart from `JSON.parse`
 * and from the code that is compared.
 *
 * @returns undefined for every other text
 * @throws {TooDeep}
 */
export function readStrictJson(text: string): { readonly value: unknown } | undefined {
  const reader = { text, at: 0, depth: 0 }
  try {
    skip(reader)
    const value = readValue(reader)
    skip(reader)
    return reader.at === text.length ? { value } : undefined
  } catch (error) {
    if (error instanceof NotStrict) return undefined
    throw error
  }
}

interface Reader {
  readonly text: string
  at: number
  depth: number
}

function match(reader: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = reader.at
  const found = pattern.exec(reader.text)?.[0]
  reader.at += found?.length ?? 0
  return found
}

const skip = (reader: Reader): void => void match(reader, SPACE)

function take(reader: Reader, character: string): boolean {
  skip(reader)
  if (reader.text[reader.at] !== character) return false
  reader.at += 1
  skip(reader)
  return true
}

function require(isSo: boolean): void {
  if (!isSo) throw new NotStrict()
}

function readValue(reader: Reader): unknown {
  for (const [name, value] of Object.entries(LITERALS)) {
    if (!reader.text.startsWith(name, reader.at)) continue
    reader.at += name.length
    return value
  }
  if (reader.text[reader.at] === '"') return readString(reader)
  if (take(reader, '{')) return nest(reader, readObject)
  if (take(reader, '[')) return nest(reader, readArray)
  const number = match(reader, NUMBER)
  require(number !== undefined && number !== '')
  return Number(number)
}

function nest(reader: Reader, read: (reader: Reader) => unknown): unknown {
  reader.depth += 1
  if (reader.depth > DEPTH_MAX) throw new TooDeep()
  const value = read(reader)
  reader.depth -= 1
  return value
}

function readString(reader: Reader): string {
  const found = match(reader, STRING)
  if (found === undefined || [...found].some((character) => character < ' ')) throw new NotStrict()
  return found
    .slice(1, -1)
    .replaceAll(/\\(?:u(....)|(.))/g, (_all, code: string | undefined, letter = '') =>
      code === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(Number.parseInt(code, 16)),
    )
}

function readObject(reader: Reader): object {
  const members = new Map<string, unknown>()
  if (take(reader, '}')) return {}
  do {
    const name = readString(reader)
    require(!members.has(name) && take(reader, ':'))
    members.set(name, readValue(reader))
  } while (take(reader, ','))
  require(take(reader, '}'))
  return Object.fromEntries(members)
}

function readArray(reader: Reader): unknown[] {
  const items: unknown[] = []
  if (take(reader, ']')) return items
  do items.push(readValue(reader))
  while (take(reader, ','))
  require(take(reader, ']'))
  return items
}
