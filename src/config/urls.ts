import type { Report } from './findings.ts'

/** The characters of RFC 3986. Without this check `new URL` would trim, drop tabs, and read `\` as `/`. */
const URI = /^[A-Za-z0-9\-._~:/?#[\]@!$&'()+,;=%]+$/

/** A host that one can name: also keeps out what `new URL` lets through, such as a wildcard. */
const HOST = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])$/

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** True for `localhost`, `127.0.0.1` and `[::1]`, on any port: there, nobody on the network can listen in. */
export const isLoopback = (url: URL): boolean => LOOPBACK_HOSTS.has(url.hostname)

/** What https is for: nobody on the way reads or changes it. Plain http gives that on this machine only. */
const isProtected = (url: URL): boolean => url.protocol === 'https:' || isLoopback(url)

/**
 * An absolute http or https URL, written as RFC 3986 has it: no user info (it would end up in logs), no fragment, no
 * wildcard. The path, the query and the protocol are for the caller to judge.
 */
export function parseHttpUrl(text: string, report: Report): URL | undefined {
  const refuse = (sentence: string): undefined => {
    report(sentence)
  }
  if (text.includes('*')) return refuse('must not contain a wildcard')
  if (!/^https?:\/\/[^/?#]/.test(text)) return refuse('must be an absolute URL that begins with https:// (or http://)')
  if (!URI.test(text) || !URL.canParse(text))
    return refuse('must be a valid URL in ASCII, without spaces or backslashes')
  const url = new URL(text)
  if (/^https?:\/\/[^/?#]*@/.test(text)) return refuse('must not contain a user name or a password')
  if (text.includes('#')) return refuse('must not contain a fragment (#)')
  if (!HOST.test(url.hostname)) return refuse('must name a valid host')
  return url
}

/** An http or https URL without a query, for addresses to which a path is appended. */
export function parseBaseUrl(text: string, report: Report): URL | undefined {
  const url = parseHttpUrl(text, report)
  if (url === undefined || !text.includes('?')) return url
  report('must not contain a query (?)')
  return undefined
}

/** A URL whose way is protected: https, or http on a loopback host. */
export function parseProtectedUrl(text: string, report: Report): URL | undefined {
  const url = parseHttpUrl(text, report)
  if (url === undefined || isProtected(url)) return url
  report('must use https; http is for localhost, 127.0.0.1 and [::1] only')
  return undefined
}

/**
 * A web origin, exactly as browsers send it, so that comparing strings is enough.
 *
 * @returns the origin, https or loopback http
 */
export function parseWebOrigin(text: string, report: Report): string | undefined {
  const url = parseProtectedUrl(text, report)
  if (url === undefined || text === url.origin) return url?.origin
  if (text === `${url.origin}/`) report('must not end with a slash; remove it')
  else if (url.pathname !== '/' || text.includes('?')) report('must be an origin only, without a path or a query')
  else report('must be written as browsers send it: lower-case host, no default port (:443 for https, :80 for http)')
  return undefined
}

/**
 * RFC 8414 §2: an issuer is https and has neither query nor fragment. Kept as written, since it is compared as a string.
 *
 * @param options.allowInsecureIssuer lets a loopback issuer be plain http
 */
export function parseIssuer(text: string, options: { allowInsecureIssuer: boolean }, report: Report): URL | undefined {
  const url = parseBaseUrl(text, report)
  if (url === undefined || url.protocol === 'https:' || (options.allowInsecureIssuer && isLoopback(url))) return url
  report('must use https; http is for loopback hosts only, together with ALLOW_INSECURE_ISSUER=true')
  return undefined
}
