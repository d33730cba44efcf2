/** The claims of an ID token that passed every check. */
export type IdTokenClaims = Readonly<Record<string, unknown>> & { readonly sub: string; readonly sid?: string }

/** What a token response gave, its ID token fully validated. */
export interface TokenSet {
  readonly accessToken: string
  /** Epoch seconds. */
  readonly accessTokenExpiresAt: number
  readonly refreshToken?: string
  /** Epoch seconds, when the IdP told. */
  readonly refreshTokenExpiresAt?: number
  /** As received: after a refresh that brought none, the one before. */
  readonly idToken: string
  readonly idTokenClaims: IdTokenClaims
  readonly scope: string
}

/** Everything the transaction remembers that the token response is held against. */
export interface RedeemInput {
  /** As returned by `oauth.validateAuthResponse`, which marks it as checked. */
  readonly parameters: URLSearchParams
  readonly redirectUri: string
  readonly codeVerifier: string
  readonly nonce: string
  /** As requested: stands in for an absent `scope` in the response (RFC 6749 §5.1). */
  readonly scope: string
  /** Seconds, when `max_age` was sent. */
  readonly maxAge?: number | undefined
  /** Space-separated, when `acr_values` was sent. */
  readonly acrValues?: string | undefined
}

export interface RefreshInput {
  readonly refreshToken: string
  /** The session's ID token: the new one must be of the same user and sign-in (OIDC Core §12.2). */
  readonly idToken: string
  readonly scope: string
}

export type RefreshOutcome =
  | { readonly kind: 'refreshed'; readonly tokens: TokenSet }
  /** The refresh token is dead: the session ends, nothing is tried again (RF-04). */
  | { readonly kind: 'invalid_grant' }
  /** The IdP could not answer: the session stays (RF-05). */
  | { readonly kind: 'unavailable'; readonly retryAfterS?: number }
  /** The answer was not of this session: its tokens were dropped, and the session ends (RF-06). `reason`: for the log. */
  | { readonly kind: 'mismatch'; readonly reason: string }

export interface RevokeInput {
  readonly token: string
  readonly tokenTypeHint: 'access_token' | 'refresh_token'
}

/** A sign-in that the IdP or our checks refused: `sign_in_failed` to the caller. `reason` is a fixed word for the log. */
export class SignInRefused extends Error {
  readonly reason: string

  constructor(reason: string) {
    super(`sign-in refused: ${reason}`)
    this.name = 'SignInRefused'
    this.reason = reason
  }
}
