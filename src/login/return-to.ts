import { BffError } from '../errors.ts'

/** Where the browser goes afterwards: a path on `PUBLIC_URL` or a URL on an allowed origin. Made only by `parseReturnTo`. */
export type ReturnTo = string & { readonly brand: unique symbol }

/** Origins that a return target may have: our own, and those that the operator listed. */
export interface ReturnToRules {
  readonly publicUrl: string
  readonly allowedOrigins: readonly string[]
}

const LENGTH_MAX = 2048

/** Layers of percent-encoding that are peeled off: some router on the way may decode once more than we do. */
const DECODINGS_MAX = 3

/** The characters of RFC 3986: what consists of them needs no further encoding in a `Location`. */
const URI = /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]*$/

/**
 * Accepts what stays on a known origin in every reading; an open redirect would lend our name to a phishing page and
 * carry what the target page reads from its URL (RFC 9700 §4.11).
 *
 * @throws {BffError} invalid_request
 */
export function parseReturnTo(value: string, { publicUrl, allowedOrigins }: ReturnToRules): ReturnTo {
  if (value.length > LENGTH_MAX) throw refuse('too long')
  if (hasUnsafeCharacter(value)) throw refuse('has a control character, a space or a backslash')
  if (value.startsWith('/')) return requireLength(parsePath(value, publicUrl)) as ReturnTo // Checked.
  // Compared as text, not as a parsed URL: so user info, letter case, a default port or a dot at the end of the host
  // cannot make two parsers see two hosts.
  const origin = [publicUrl, ...allowedOrigins].find((allowed) => hasOrigin(value, allowed))
  if (origin === undefined) throw refuse('is neither a path nor on an allowed origin')
  const rest = value.slice(origin.length)
  return requireLength(origin + parsePath(rest.startsWith('/') ? rest : `/${rest}`, publicUrl)) as ReturnTo // As above.
}

/**
 * Adds `auth_error` to the query of a target: tells the page what became of the sign-in it asked for (contract §4). One
 * that an earlier failure left there goes: a page that reads the first would show the old one.
 */
export function withAuthError(returnTo: ReturnTo, error: string): string {
  const [beforeHash = '', ...hash] = returnTo.split('#')
  const [path = '', ...query] = beforeHash.split('?')
  const pairs = query.join('?').split('&')
  const kept = pairs.filter((pair) => pair !== '' && !new URLSearchParams(pair).has('auth_error'))
  return [`${path}?${[...kept, `auth_error=${error}`].join('&')}`, ...hash].join('#')
}

/** Encoded, a character may be nine: longer, and a proxy cuts off the `Location` of a sign-in that is done. */
function requireLength(target: string): string {
  if (target.length > LENGTH_MAX) throw refuse('is too long once it is encoded')
  return target
}

const refuse = (why: string): BffError => new BffError('invalid_request', `return_to ${why}`)

const hasOrigin = (value: string, origin: string): boolean =>
  value.startsWith(origin) && (value.length === origin.length || '/?#'.includes(value.charAt(origin.length)))

/** @returns path, query and fragment in ASCII, byte for byte as given where they already are */
function parsePath(value: string, base: string): string {
  const end = value.search(/[?#]/)
  checkPath(end === -1 ? value : value.slice(0, end))
  if (/%(?:0[0-9a-f]|1[0-9a-f]|7f)/i.test(value)) throw refuse('has an encoded control character')
  if (end !== -1) decode(value.slice(end))
  const url = new URL(value, base)
  // The net below the checks above: nothing is known that gets here.
  if (url.origin !== new URL(base).origin) throw refuse('leaves its origin')
  return URI.test(value) ? value : url.pathname + url.search + url.hash
}

/** Refuses a path that any number of decodings turns into another host or another folder. */
function checkPath(path: string): void {
  decode(path) // What is sent must be decodable; what a further decoding meets may hold a literal percent sign.
  let reading = fold(path)
  for (let round = 0; round <= DECODINGS_MAX; round++) {
    if (hasUnsafeCharacter(reading.replaceAll(' ', '_'))) throw refuse('hides a backslash or a control character')
    // As servers read it that know path parameters (RFC 3986 §3.3), or drop what nobody sees.
    const bare = reading.replaceAll(/;[^/]*|\p{Default_Ignorable_Code_Point}/gu, '')
    if (reading.includes('//') || bare.includes('//'))
      throw refuse('has an empty path segment, which a browser could read as a host')
    if (bare.split('/').some((segment) => segment === '.' || segment === '..')) throw refuse('has a dot segment')
    const next = fold(reading.replaceAll(/(?:%[0-9a-f]{2})+/gi, decode))
    if (next === reading) return
    reading = next
  }
  throw refuse('is encoded too many times')
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch (cause) {
    throw new BffError('invalid_request', 'return_to has a broken percent-encoding', { cause })
  }
}

/** As a server reads it that folds letters of other scripts, such as a full-width solidus, into the plain ones. */
const fold = (text: string): string =>
  text
    .normalize('NFKC')
    .replaceAll(/[\u2044\u2215\u29f8]/g, '/')
    .replaceAll(/[\u2216\u29f5\u29f9]/g, '\\')
    .replaceAll(/[\u3002\uff61]/g, '.')
    .replaceAll(/[\u200c\u200d]/g, '') // The joiners of Persian words and of emoji: welcome, but not a segment.

/** Controls, space and backslash: browsers strip or turn them, so that `/\host` or `/<tab>/host` becomes `//host`. */
function hasUnsafeCharacter(value: string): boolean {
  for (const character of value) {
    const code = character.codePointAt(0) ?? 0
    const isControl = code <= 0x20 || (code >= 0x7f && code <= 0xa0) || code === 0x2028 || code === 0x2029
    const isInvisible = code === 0xfeff || code === 0x200b || code === 0x200e || code === 0x200f
    if (isControl || isInvisible || character === '\\') return true
  }
  return false
}
