/** Stands in place of each value that is nobody's business. */
export const MASK = '•••'

/** Parameters whose values are no secret, and tell something. */
const PLAIN = new Set([
  'app',
  'auth_error',
  'client_id',
  'code_challenge_method',
  'error',
  'grant_type',
  'iss',
  'prompt',
  'response',
  'token_type_hint',
  'touch',
])

/** The shortest path segment that may be the id of something. */
const ID_LENGTH = 16

/** `code=•••&iss=…`: names stay, values go unless they are known to be harmless. */
export const maskForm = (form: string | URLSearchParams): string =>
  [...new URLSearchParams(form)].map(([name, value]) => `${name}=${PLAIN.has(name) ? value : MASK}`).join('&')

/** Path and query of a URL, with ids and values masked. */
export function maskPath(url: URL): string {
  const path = url.pathname.replaceAll(/[^/]+/g, (segment) =>
    segment.length < ID_LENGTH || isWord(segment) ? segment : '{id}',
  )
  const query = maskForm(url.searchParams)
  return query === '' ? path : `${path}?${query}`
}

/** The same with the origin in front, when it is not that of `base`. */
export function maskLocation(location: string, base: string): string {
  const url = new URL(location, base)
  return url.origin === new URL(base).origin ? maskPath(url) : `${url.origin}${maskPath(url)}`
}

/** Such as `backchannel-logout` or `.well-known`: an id from a random generator has other characters, too. */
const isWord = (segment: string): boolean => /^[a-z.-]+$/.test(segment)

/** `oten_session=•••; Max-Age=43200; …`; an empty value, which deletes, stays empty. */
export const maskSetCookie = (line: string): string => line.replace(/^([^=;]*)=([^;]+)/, `$1=${MASK}`)

/** `oten_session=•••; oten_tx_abcdefgh=•••`; what has no name is a value. */
export const maskCookies = (header: string): string =>
  header
    .split(';')
    .map((pair) => `${/^\s*([^=]*=)/.exec(pair)?.[1] ?? ''}${MASK}`)
    .join('; ')

/** `Bearer •••` */
export const maskAuthorization = (header: string): string => `${/^\S+ /.exec(header)?.[0] ?? ''}${MASK}`
