import * as oauth from 'oauth4webapi'
import { BffError } from '../errors.ts'

/** Beyond this some server on the way cuts the line off (RFC 9110 §4.1), so the user would fail at the IdP instead. */
const URL_OCTETS_MAX = 8000

/** Longest `code` that is looked at (CB-13). Oten's are far shorter. */
const CODE_OCTETS_MAX = 4096

/** Ours alone, even where the endpoint's own query has one: each at most once, and never `request` and `request_uri`. */
const OWN_PARAMETERS = ['client_id', 'request', 'request_uri'] as const

/** Parameters that RFC 6749 §3.1 forbids to repeat: with two, one side could read the first and the other the last. */
const PROTOCOL_PARAMETERS = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri'] as const

/** Tokens never travel by the browser in the code flow (RFC 9700 §2.1.2); `response` would be JARM, not asked for. */
const FORBIDDEN_PARAMETERS = ['access_token', 'id_token', 'refresh_token', 'token_type', 'response'] as const

/** What the IdP may say went wrong, as far as a client can act on it (RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6). */
const USER_ERRORS = [
  'access_denied',
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
] as const

/** The `auth_error` and deep-link `error` values (contract §8): a fixed set, so that no IdP text reaches a URL. */
export type SignInError = (typeof USER_ERRORS)[number] | 'idp_unavailable' | 'sign_in_failed'

/** What the IdP's answer came to. `reason` is a fixed word for the log. */
export type AuthorizationResponse =
  | { readonly kind: 'code'; readonly parameters: URLSearchParams }
  | { readonly kind: 'failed'; readonly error: SignInError; readonly reason: string }

/**
 * The address to send the browser to: exactly `client_id` and `request` beside what the endpoint's own query holds
 * (RFC 9101 §5). A parameter outside the signed object is one that anybody could change.
 *
 * @throws {BffError} invalid_request when a hint makes the URL longer than servers accept
 */
export function buildAuthorizationUrl(authorizationEndpoint: string, clientId: string, requestObject: string): string {
  const url = new URL(authorizationEndpoint)
  url.hash = '' // Also a bare `#`, behind which our parameters would never leave the browser.
  if (url.search === '')
    url.search = '' // Also a bare `?`.
  else for (const name of OWN_PARAMETERS) if (url.searchParams.has(name)) url.searchParams.delete(name)
  // Of a compact JWS nothing has to be encoded (RFC 7515 §7.1), and it is long.
  const own = `${new URLSearchParams({ client_id: clientId })}&request=${requestObject}`
  // Appended, so that the endpoint's own query stays as it is; as text, since it is encoded already.
  const href = `${url.href}${url.search === '' ? '?' : '&'}${own}`
  if (href.length > URL_OCTETS_MAX) {
    throw new BffError('invalid_request', `the authorization URL has ${href.length} octets, at most ${URL_OCTETS_MAX}`)
  }
  return href
}

/**
 * Reads the IdP's answer in the callback's query: issuer (RFC 9207 §2.4), state and shape, for errors as for codes.
 *
 * @param query the callback's whole query, decoded once
 * @param server the validated metadata of the issuer that the transaction was started with
 * @param expectedState the transaction's own
 */
export function parseAuthorizationResponse(
  query: URLSearchParams,
  server: oauth.AuthorizationServer,
  clientId: string,
  expectedState: string,
): AuthorizationResponse {
  const fault = findShapeFault(query)
  if (fault !== undefined) return { kind: 'failed', error: 'sign_in_failed', reason: fault }
  try {
    const parameters = oauth.validateAuthResponse(server, { client_id: clientId }, query, expectedState)
    if (!parameters.get('code')) return { kind: 'failed', error: 'sign_in_failed', reason: 'code_missing' }
    return { kind: 'code', parameters }
  } catch (error) {
    if (error instanceof oauth.AuthorizationResponseError) return parseErrorCode(error.error)
    return { kind: 'failed', error: 'sign_in_failed', reason: 'response_invalid' }
  }
}

function findShapeFault(query: URLSearchParams): string | undefined {
  if (PROTOCOL_PARAMETERS.some((name) => query.getAll(name).length > 1)) return 'parameter_repeated'
  if (FORBIDDEN_PARAMETERS.some((name) => query.has(name))) return 'token_in_front_channel'
  // An answer that is both could be read as either: no IdP sends it.
  if (query.has('code') && query.has('error')) return 'code_and_error'
  if (query.get('iss') === '') return 'response_invalid'
  if ((query.get('code')?.length ?? 0) > CODE_OCTETS_MAX) return 'code_too_long'
  return undefined
}

function parseErrorCode(code: string): AuthorizationResponse {
  const known = USER_ERRORS.find((name) => name === code)
  if (known !== undefined) return { kind: 'failed', error: known, reason: known }
  const passing = code === 'temporarily_unavailable' || code === 'server_error'
  // The code is the IdP's text: only a shape that cannot carry anything else gets into the log.
  const reason = /^[a-z_]{1,64}$/.test(code) ? code : 'unknown_error'
  return { kind: 'failed', error: passing ? 'idp_unavailable' : 'sign_in_failed', reason }
}
