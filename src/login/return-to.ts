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

/**
 * Accepts what stays on a known origin in every reading; an open redirect would lend our name to a phishing page and
 * carry what the target page reads from its URL (RFC 9700 §4.11).
 *
 * @throws {BffError} invalid_request
 */
export function parseReturnTo(value: string, { publicUrl, allowedOrigins }: ReturnToRules): ReturnTo {
  if (value.length > LENGTH_MAX) throw refuse('too long')
  if (hasUnsafeCharacter(value)) throw refuse('has a control character, a space or a backslash')
  if (value.startsWith('/')) return parsePath(value, publicUrl) as ReturnTo // Checked, and serialised by URL.
  // Compared as text, not as a parsed URL: so user info, letter case, a default port or a dot at the end of the host
  // cannot make two parsers see two hosts.
  const origin = [publicUrl, ...allowedOrigins].find((allowed) => hasOrigin(value, allowed))
  if (origin === undefined) throw refuse('is neither a path nor on an allowed origin')
  const rest = value.slice(origin.length)
  return (origin + parsePath(rest.startsWith('/') ? rest : `/${rest}`, publicUrl)) as ReturnTo // As above.
}

/** Adds `auth_error` to the query of a target: tells the page what became of the sign-in it asked for (contract §4). */
export function withAuthError(returnTo: ReturnTo, error: string): string {
  const [beforeHash = '', ...hash] = returnTo.split('#')
  const separator = beforeHash.includes('?') ? '&' : '?'
  return `${beforeHash}${separator}auth_error=${error}${hash.length > 0 ? `#${hash.join('#')}` : ''}`
}

const refuse = (why: string): BffError => new BffError('invalid_request', `return_to ${why}`)

const hasOrigin = (value: string, origin: string): boolean =>
  value.startsWith(origin) && (value.length === origin.length || '/?#'.includes(value.charAt(origin.length)))

/** @returns path, query and fragment as a URL parser writes them, ASCII only */
function parsePath(value: string, base: string): string {
  const end = value.search(/[?#]/)
  checkPath(end === -1 ? value : value.slice(0, end))
  if (/%(?:0[0-9a-f]|1[0-9a-f]|7f)/i.test(value)) throw refuse('has an encoded control character')
  if (end !== -1) decodeOnce(value.slice(end))
  const url = new URL(value, base)
  if (url.origin !== new URL(base).origin) throw refuse('leaves its origin')
  return url.pathname + url.search + url.hash
}

/** Refuses a path that any number of decodings turns into another host or another folder. */
function checkPath(path: string): void {
  let decoded = path
  for (let round = 0; round <= DECODINGS_MAX; round++) {
    // NFKC: some servers fold a full-width solidus or backslash into the plain one.
    const folded = decoded.normalize('NFKC')
    if (hasUnsafeCharacter(folded.replaceAll(' ', '_'))) throw refuse('hides a backslash or a control character')
    if (folded.includes('//')) throw refuse('has an empty path segment, which a browser could read as a host')
    if (folded.split('/').some((segment) => segment === '.' || segment === '..')) throw refuse('has a dot segment')
    if (!decoded.includes('%')) return
    decoded = round === 0 ? decodeOnce(decoded) : decodeLeniently(decoded)
  }
  throw refuse('is encoded too many times')
}

function decodeOnce(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch (cause) {
    throw new BffError('invalid_request', 'return_to has a broken percent-encoding', { cause })
  }
}

/** A second decoding may meet a literal percent sign; that is then no encoding, and stays. */
function decodeLeniently(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value.replaceAll('%', '_')
  }
}

/** Controls, space and backslash: browsers strip or turn them, so that `/\host` or `/<tab>/host` becomes `//host`. */
function hasUnsafeCharacter(value: string): boolean {
  for (const character of value) {
    const code = character.codePointAt(0) ?? 0
    const isControl = code <= 0x20 || (code >= 0x7f && code <= 0xa0) || code === 0x2028 || code === 0x2029
    if (isControl || character === '\\' || code === 0xfeff || (code >= 0x200b && code <= 0x200f)) return true
  }
  return false
}
