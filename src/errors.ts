/**
 * Every refusal a caller can see: code → status and the one fixed sentence. The code is public API and never changes
 * its meaning; the sentence never echoes input, so that nobody can make our error page say their words.
 */
const ERRORS = {
  invalid_request: [400, 'The request is malformed or has a value that is not allowed.'],
  unknown_transaction: [400, 'This sign-in has expired or was already finished. Start again.'],
  invalid_grant: [400, 'The code is not valid. Start the sign-in again.'],
  unauthenticated: [401, 'There is no valid session.'],
  forbidden_origin: [403, 'This request is not allowed from where it came.'],
  not_found: [404, 'There is nothing at this address.'],
  method_not_allowed: [405, 'This address does not answer to this method.'],
  no_refresh_token: [409, 'The session has no refresh token.'],
  payload_too_large: [413, 'The request is too large.'],
  unsupported_media_type: [415, 'The content type is not supported.'],
  rate_limited: [429, 'Too many requests. Try again later.'],
  server_error: [500, 'Something went wrong on our side.'],
  upstream_unavailable: [502, 'The API did not answer.'],
  idp_unavailable: [503, 'The identity provider cannot be reached. Try again shortly.'],
  store_unavailable: [503, 'The session store cannot be reached. Try again shortly.'],
  upstream_timeout: [504, 'The API did not answer in time.'],
} as const satisfies Record<string, readonly [status: number, description: string]>

export type ErrorCode = keyof typeof ERRORS

/** Codes whose wire name differs: callers need not tell a dead sign-in from another bad request (ER-06). */
const WIRE_NAMES: Partial<Record<ErrorCode, ErrorCode>> = { unknown_transaction: 'invalid_request' }

/** Seconds after which it makes sense to try again; sent as `Retry-After` with 429 and 503 (contract §8). */
const RETRY_AFTER_S: Partial<Record<ErrorCode, number>> = { idp_unavailable: 5, store_unavailable: 2, rate_limited: 60 }

/**
 * The only error class. `code` decides all that the caller sees; `message` and `cause` go to the log alone, and must
 * hold no secret either.
 */
export class BffError extends Error {
  readonly code: ErrorCode
  readonly retryAfterS: number | undefined

  /**
   * @param code what the caller learns
   * @param message what the operator learns
   * @param options.cause the error that was translated
   * @param options.retryAfterS seconds, where the one who refused said so; otherwise the code's own
   */
  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retryAfterS?: number } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'BffError'
    this.code = code
    this.retryAfterS = options.retryAfterS ?? RETRY_AFTER_S[code]
  }

  get statusCode(): number {
    return ERRORS[this.code][0]
  }

  /** The `error` member on the wire. */
  get wireCode(): ErrorCode {
    return WIRE_NAMES[this.code] ?? this.code
  }

  get description(): string {
    return ERRORS[this.code][1]
  }
}
