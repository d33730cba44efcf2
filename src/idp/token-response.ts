/** Seconds an access token counts as valid when the IdP does not say (TX-07): short, so that a wrong guess heals. */
const EXPIRES_IN_DEFAULT_S = 300

/** The IdP's words that something depends on here (RFC 6749 §5.2). */
const ERRORS = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
] as const

/** "Not now", said in the body or by the status. */
const PASSING_ERRORS: readonly unknown[] = ['server_error', 'temporarily_unavailable']
const PASSING_STATUSES = [408, 425, 429]

const RETRY_AFTER_S_MAX = 3600

/** Visible ASCII: it becomes a header value, where a line break would begin a header of somebody else's choice. */
const HEADER_SAFE = /^[\x21-\x7e]+$/

/** A fixed word, never the IdP's own text. */
export type TokenError = (typeof ERRORS)[number] | 'unknown_error'

/** A successful token response, its members of the right types; what the ID token says is not checked yet. */
export interface TokenAnswer {
  readonly accessToken: string
  readonly expiresInS: number
  readonly refreshToken: string | undefined
  readonly refreshExpiresInS: number | undefined
  readonly idToken: string | undefined
  readonly scope: string | undefined
}

/** What the token endpoint's answer came to. */
export type TokenResponse =
  | { readonly kind: 'tokens'; readonly answer: TokenAnswer }
  /** The IdP says no (RFC 6749 §5.2). */
  | { readonly kind: 'error'; readonly error: TokenError }
  | { readonly kind: 'unavailable'; readonly status: number; readonly retryAfterS: number | undefined }
  /** Success by its status, nonsense by its content; `strays` are the tokens in it, to be revoked. */
  | { readonly kind: 'malformed'; readonly reason: string; readonly strays: Strays }

/** Tokens that nobody will use. */
export interface Strays {
  readonly accessToken: string | undefined
  readonly refreshToken: string | undefined
}

/**
 * Reads the token endpoint's answer. Before oauth4webapi does, because that throws on an odd `expires_in` (TX-07), takes
 * DPoP for granted (TX-06), and on a `WWW-Authenticate` header forgets the error in the body (RFC 6749 §5.2 has both).
 *
 * @param now epoch seconds, for a `Retry-After` that is a date
 */
export async function parseTokenResponse(response: Response, now: number): Promise<TokenResponse> {
  const { status } = response
  const body = toObject(await response.json().catch(() => undefined))
  if (status === 200) return parseSuccess(body)
  const passing = status >= 500 || PASSING_STATUSES.includes(status) || PASSING_ERRORS.includes(body.error)
  if (passing) return { kind: 'unavailable', status, retryAfterS: parseRetryAfter(response.headers, now) }
  const known = ERRORS.find((name) => name === body.error)
  return { kind: 'error', error: known ?? (status === 401 ? 'invalid_client' : 'unknown_error') }
}

function parseSuccess(body: Record<string, unknown>): TokenResponse {
  const { access_token, token_type, expires_in, refresh_token, refresh_expires_in, refresh_token_expires_in } = body
  const accessToken = isText(access_token) && HEADER_SAFE.test(access_token) ? access_token : undefined
  const refreshToken = isText(refresh_token) ? refresh_token : undefined
  const malformed = (reason: string): TokenResponse => {
    return { kind: 'malformed', reason, strays: { accessToken, refreshToken } }
  }
  if (accessToken === undefined) return malformed('access_token')
  if (typeof token_type !== 'string' || token_type.toLowerCase() !== 'bearer') return malformed('token_type')
  if (refreshToken === undefined && !isVoid(refresh_token)) return malformed('refresh_token')
  if (!isText(body.id_token) && !isVoid(body.id_token)) return malformed('id_token')
  if (typeof body.scope !== 'string' && !isVoid(body.scope)) return malformed('scope')
  const answer = {
    accessToken,
    expiresInS: parseSeconds(expires_in) ?? EXPIRES_IN_DEFAULT_S,
    refreshToken,
    // Where it exists, 0 stands for "does not expire".
    refreshExpiresInS: parseSeconds(refresh_expires_in) || parseSeconds(refresh_token_expires_in) || undefined,
    idToken: isText(body.id_token) ? body.id_token : undefined,
    scope: isText(body.scope) ? body.scope : undefined,
  }
  return { kind: 'tokens', answer }
}

/** The same answer in the shape oauth4webapi expects, for its own checks. */
export function buildCheckedResponse({ accessToken, idToken }: TokenAnswer): Response {
  return Response.json({ access_token: accessToken, token_type: 'bearer', id_token: idToken })
}

/** Seconds as a number, or as the digits of one; anything else is as good as absent. */
function parseSeconds(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined
}

/** RFC 9110 §10.2.3: seconds or a date; bounded, so that a typo at the IdP does not close this service for a day. */
function parseRetryAfter(headers: Headers, now: number): number | undefined {
  const value = headers.get('retry-after') ?? ''
  // `Date.parse` takes almost anything for a date; an HTTP one ends like this.
  const date = value.endsWith(' GMT') ? Date.parse(value) : Number.NaN
  const seconds = parseSeconds(value) ?? date / 1000 - now
  return Number.isFinite(seconds) ? Math.min(RETRY_AFTER_S_MAX, Math.max(1, Math.ceil(seconds))) : undefined
}

function toObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** Some servers write `null` or nothing for a token they did not grant. */
const isVoid = (value: unknown): boolean => value === undefined || value === null || value === ''
