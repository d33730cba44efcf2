import type { Page } from './page.ts'

/**
 * What the authorization endpoint's answer comes to.
 *
 * - `accepted`: it would let the user sign in
 * - `refused`: `error` is an OAuth code, or undefined where the answer has none
 * - `unclear`: neither can be told from the answer alone
 */
export type AuthorizationAnswer =
  | { readonly kind: 'accepted'; readonly how: string }
  | { readonly kind: 'refused'; readonly error: OAuthError | undefined; readonly how: string; readonly said: string }
  | { readonly kind: 'unclear'; readonly how: string }

/** Codes of RFC 6749 §4.1.2.1, RFC 9101 §7, OIDC Core §3.1.2.6, and those that Oten adds. The longer ones first. */
const ERRORS = [
  'invalid_request_object',
  'request_not_supported',
  'unsupported_response_type',
  'temporarily_unavailable',
  'unauthorized_client',
  'invalid_request',
  'invalid_client',
  'invalid_scope',
  'access_denied',
  'server_error',
] as const

export type OAuthError = (typeof ERRORS)[number]

/** "I would have to ask the user": said of a request that is otherwise good. */
const INTERACTION_ERRORS = ['login_required', 'interaction_required', 'consent_required', 'account_selection_required']

const LOOKED_AT_MAX = 300_000

/**
 * Reads the answer to a good request, sent without cookies: a redirect to a sign-in page, or that page.
 *
 * @param redirectUri ours: a redirect to it is an answer to the service, everything else one to the user
 */
export function readAnswer(page: Page, redirectUri: string): AuthorizationAnswer {
  const { status, location } = page
  if (status >= 300 && status < 400) {
    return location === undefined
      ? { kind: 'refused', error: undefined, how: `a redirect (${status}) to nowhere`, said: '' }
      : readRedirect(location, redirectUri)
  }
  const said = readVisibleText(page)
  const error = findError(page, said)
  if (error !== undefined || status >= 400) {
    return { kind: 'refused', error, how: `an error page (status ${status})`, said }
  }
  if (/<(?:form|input)\b/i.test(page.text)) return { kind: 'accepted', how: 'the sign-in page' }
  return { kind: 'unclear', how: `a page without a form (status ${status})` }
}

function readRedirect(target: URL, redirectUri: string): AuthorizationAnswer {
  const parameters = new URLSearchParams([...target.searchParams, ...new URLSearchParams(target.hash.slice(1))])
  const code = parameters.get('error')
  const isOurs = `${target.origin}${target.pathname}` === redirectUri
  const how = isOurs ? 'a redirect back to the service' : `a redirect to ${showPlace(target)}`
  if (code !== null && INTERACTION_ERRORS.includes(code)) return { kind: 'accepted', how: `${how} (${code})` }
  if (code !== null) {
    const error = ERRORS.find((known) => known === code)
    const description = parameters.get('error_description') ?? ''
    return { kind: 'refused', error, how, said: error === undefined ? `${code} ${description}` : description }
  }
  const looksBroken = target.pathname
    .split('/')
    .some((segment) => /^(?:errors?|denied|forbidden|[45]\d\d)$/i.test(segment))
  return looksBroken ? { kind: 'refused', error: undefined, how, said: '' } : { kind: 'accepted', how }
}

/** Where a page is; a long segment of its path may be the key to this very sign-in. */
const showPlace = ({ origin, pathname }: URL): string => origin + pathname.replaceAll(/[^/]{21,}/g, '…')

/** A page's own scripts may know every code there is, so only what a reader sees counts. */
function findError({ contentType, text }: Page, visible: string): OAuthError | undefined {
  if (/json/i.test(contentType)) {
    const body = parseJson(text)
    return ERRORS.find((known) => known === body.error)
  }
  return ERRORS.find((known) => new RegExp(`\\b${known}\\b`).test(visible))
}

function readVisibleText({ contentType, text }: Page): string {
  if (/json/i.test(contentType)) {
    const { error_description: description } = parseJson(text)
    return typeof description === 'string' ? description : ''
  }
  return text
    .slice(0, LOOKED_AT_MAX)
    .replace(/<(script|style|title)\b[\s\S]*?<\/\1\s*>|<!--[\s\S]*?-->|<[^>]*>/gi, ' ')
    .replaceAll(/&#(\d{1,4});/g, (_, code) => String.fromCharCode(Number(code)))
    .replaceAll(/\s+/g, ' ')
    .trim()
}

function parseJson(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
