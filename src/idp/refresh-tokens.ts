import * as oauth from 'oauth4webapi'
import { BffError } from '../errors.ts'
import { type IdTokenClaims, verifyRefreshedIdTokenClaims } from './id-token.ts'
import type { IdpMetadata } from './metadata.ts'
import { revokeStrays } from './revocation.ts'
import { type JsonObject, parseJws, TokenRefused, verifyJws } from './strict-jws.ts'
import {
  alertOperator,
  buildAuth,
  buildClient,
  buildRequestOptions,
  buildServer,
  type TokenEndpointDeps,
} from './token-endpoint.ts'
import { buildCheckedResponse, parseTokenResponse, type TokenAnswer, type TokenResponse } from './token-response.ts'
import { buildTokens, type TokenSet } from './tokens.ts'

export interface RefreshInput {
  readonly refreshToken: string
  /** The session's ID token: a new one must be of the same user and sign-in (OIDC Core §12.2). */
  readonly idToken: string
  /** The session's: stands in for an absent `scope` in the response. */
  readonly scope: string
}

export type RefreshOutcome =
  /** `tokens.refreshToken` is the new one, or the old one where the IdP does not rotate. */
  | { readonly kind: 'refreshed'; readonly tokens: TokenSet }
  /** The refresh token is dead: the session ends, nothing is tried again (RF-04). */
  | { readonly kind: 'invalid_grant' }
  /**
   * The IdP could not answer, or not us: the session stays (RF-05). `reason`: for the log. `successor`: the refresh token
   * that already took the place of the one shown, where the new ID token cannot be verified now.
   */
  | {
      readonly kind: 'unavailable'
      readonly reason: string
      readonly retryAfterS?: number | undefined
      readonly successor?: string | undefined
    }
  /** The answer is not of this session: its tokens were dropped, the session ends (RF-06). `reason`: for the log. */
  | { readonly kind: 'mismatch'; readonly reason: string }

/** Refresh token → new tokens (RFC 6749 §6, OIDC Core §12). One request; whether to try again is the caller's matter. */
export async function refreshTokens(deps: TokenEndpointDeps, input: RefreshInput): Promise<RefreshOutcome> {
  try {
    const metadata = await deps.metadata.get()
    const requestedAt = Math.floor(deps.now())
    const outcome = await request(deps, metadata, input)
    if (outcome.kind !== 'tokens') return interpretFailure(deps, metadata, outcome)
    return await buildOutcome(deps, metadata, input, outcome.answer, requestedAt)
  } catch (error) {
    if (!(error instanceof BffError)) throw error
    return unavailable(error.message) // The IdP said nothing: how long to leave it in peace is the caller's matter.
  }
}

async function request(deps: TokenEndpointDeps, metadata: IdpMetadata, input: RefreshInput): Promise<TokenResponse> {
  const response = await oauth.refreshTokenGrantRequest(
    metadata.as,
    buildClient(deps),
    buildAuth(metadata, deps),
    input.refreshToken,
    buildRequestOptions(deps),
  )
  return parseTokenResponse(response, deps.now())
}

function interpretFailure(
  deps: TokenEndpointDeps,
  metadata: IdpMetadata,
  outcome: Exclude<TokenResponse, { kind: 'tokens' }>,
): RefreshOutcome {
  switch (outcome.kind) {
    case 'error':
      if (outcome.error === 'invalid_grant') return { kind: 'invalid_grant' }
      // Our own fault or the operator's: no reason to sign anybody out.
      alertOperator(outcome.error, metadata, deps)
      return unavailable(outcome.error)
    case 'unavailable':
      return unavailable(`token endpoint answered ${outcome.status}`, outcome.retryAfterS)
    case 'malformed':
      // Not revoked: with them the grant could go that the session still lives on.
      return unavailable(`token response malformed: ${outcome.reason}`)
  }
}

async function buildOutcome(
  deps: TokenEndpointDeps,
  metadata: IdpMetadata,
  input: RefreshInput,
  answer: TokenAnswer,
  requestedAt: number,
): Promise<RefreshOutcome> {
  try {
    const original = parseJws(input.idToken).claims
    const idTokenClaims =
      answer.idToken === undefined
        ? requireSubject(original)
        : await verifyIdToken(deps, metadata, original, answer, answer.idToken)
    const tokens: TokenSet = {
      refreshToken: input.refreshToken,
      ...buildTokens(answer, requestedAt),
      idToken: answer.idToken ?? input.idToken,
      idTokenClaims,
      scope: answer.scope ?? input.scope,
    }
    return { kind: 'refreshed', tokens }
  } catch (error) {
    if (error instanceof TokenRefused) {
      await revokeStrays(deps, answer)
      return { kind: 'mismatch', reason: error.reason }
    }
    // The keys cannot be had: nothing of the answer is believed yet, but the token that was shown is spent.
    if (error instanceof BffError) {
      return { kind: 'unavailable', reason: error.message, successor: answer.refreshToken }
    }
    throw error
  }
}

async function verifyIdToken(
  deps: TokenEndpointDeps,
  metadata: IdpMetadata,
  original: JsonObject,
  answer: TokenAnswer,
  idToken: string,
): Promise<IdTokenClaims> {
  const { header, claims } = await verifyJws(idToken, deps.jwks)
  const expected = {
    issuer: metadata.issuer,
    clientId: deps.clientId,
    accessToken: answer.accessToken,
    now: deps.now(),
  }
  const verified = verifyRefreshedIdTokenClaims(header, claims, { ...expected, original })
  try {
    await oauth.processRefreshTokenResponse(buildServer(metadata), buildClient(deps), buildCheckedResponse(answer))
  } catch {
    throw new TokenRefused('openid_check')
  }
  return verified
}

/** The session's own claims were verified when they came; the types are all that is asked of them again. */
function requireSubject(claims: JsonObject): IdTokenClaims {
  const { iss, sub, sid } = claims
  if (typeof iss !== 'string' || typeof sub !== 'string') throw new TokenRefused('sub')
  if (sid !== undefined && typeof sid !== 'string') throw new TokenRefused('sid')
  return claims as IdTokenClaims
}

function unavailable(reason: string, retryAfterS?: number): RefreshOutcome {
  return { kind: 'unavailable', reason, ...(retryAfterS !== undefined && { retryAfterS }) }
}
