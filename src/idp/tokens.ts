import * as oauth from 'oauth4webapi'
import { BffError } from '../errors.ts'
import { type IdTokenClaims, verifyIdTokenClaims } from './id-token.ts'
import type { IdpMetadata } from './metadata.ts'
import { revokeStrays } from './revocation.ts'
import { TokenRefused, verifyJws } from './strict-jws.ts'
import {
  alertOperator,
  buildAuth,
  buildClient,
  buildRequestOptions,
  buildServer,
  type TokenEndpointDeps,
} from './token-endpoint.ts'
import { buildCheckedResponse, parseTokenResponse, type TokenAnswer } from './token-response.ts'

/** What a token response gave, its ID token fully validated. */
export interface TokenSet {
  /** Opaque: nothing is read from it (TX-10). */
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

/** A sign-in that the IdP or our checks refused: `sign_in_failed` to the caller. `reason` is a fixed word, for the log. */
export class SignInRefused extends Error {
  readonly reason: string

  constructor(reason: string) {
    super(`sign-in refused: ${reason}`)
    this.name = 'SignInRefused'
    this.reason = reason
  }
}

/**
 * Code → tokens (RFC 6749 §4.1.3), once: the code is never sent again. Nothing is returned before the ID token passed
 * every check; otherwise the tokens are dropped and revoked (TX-08).
 *
 * @throws {SignInRefused} when the IdP, or a check, says no
 * @throws {BffError} idp_unavailable when the IdP does not answer
 */
export async function redeemCode(deps: TokenEndpointDeps, input: RedeemInput): Promise<TokenSet> {
  const metadata = await deps.metadata.get()
  const requestedAt = Math.floor(deps.now())
  const answer = await requestTokens(deps, metadata, input)
  try {
    const idToken = answer.idToken
    if (idToken === undefined) throw new TokenRefused('id_token_missing')
    const idTokenClaims = await verifyIdToken(deps, metadata, input, answer, idToken)
    return { ...buildTokens(answer, requestedAt), idToken, idTokenClaims, scope: answer.scope ?? input.scope }
  } catch (error) {
    await revokeStrays(deps, answer)
    throw error instanceof TokenRefused ? new SignInRefused(error.reason) : error
  }
}

/** The part of a token set that does not depend on the ID token. `requestedAt`: epoch seconds; the lives count from it. */
export function buildTokens(answer: TokenAnswer, requestedAt: number) {
  const { accessToken, expiresInS, refreshToken, refreshExpiresInS } = answer
  return {
    accessToken,
    accessTokenExpiresAt: requestedAt + expiresInS,
    ...(refreshToken !== undefined && { refreshToken }),
    ...(refreshExpiresInS !== undefined && { refreshTokenExpiresAt: requestedAt + refreshExpiresInS }),
  }
}

async function requestTokens(deps: TokenEndpointDeps, metadata: IdpMetadata, input: RedeemInput): Promise<TokenAnswer> {
  const response = await oauth.authorizationCodeGrantRequest(
    metadata.as,
    buildClient(deps),
    buildAuth(metadata, deps),
    input.parameters,
    input.redirectUri,
    input.codeVerifier,
    buildRequestOptions(deps),
  )
  const outcome = await parseTokenResponse(response, deps.now())
  switch (outcome.kind) {
    case 'tokens':
      return outcome.answer
    case 'unavailable': {
      const { status, retryAfterS } = outcome
      const message = `token endpoint answered ${status}`
      throw new BffError('idp_unavailable', message, retryAfterS === undefined ? {} : { retryAfterS })
    }
    case 'malformed':
      await revokeStrays(deps, outcome.strays)
      throw new SignInRefused(outcome.reason)
    case 'error':
      alertOperator(outcome.error, metadata, deps)
      throw new SignInRefused(outcome.error)
  }
}

async function verifyIdToken(
  deps: TokenEndpointDeps,
  metadata: IdpMetadata,
  input: RedeemInput,
  answer: TokenAnswer,
  idToken: string,
): Promise<IdTokenClaims> {
  const { nonce, maxAge, acrValues } = input
  const { header, claims } = await verifyJws(idToken, deps.jwks)
  const expected = {
    issuer: metadata.issuer,
    clientId: deps.clientId,
    accessToken: answer.accessToken,
    now: deps.now(),
  }
  const verified = verifyIdTokenClaims(header, claims, { ...expected, nonce, maxAge, acrValues })
  try {
    // A second opinion, from a certified implementation. Its errors hold the claims, so they end here.
    await oauth.processAuthorizationCodeResponse(
      buildServer(metadata),
      buildClient(deps),
      buildCheckedResponse(answer),
      {
        expectedNonce: nonce,
        requireIdToken: true,
        ...(maxAge !== undefined && { maxAge }),
      },
    )
  } catch {
    throw new TokenRefused('openid_check')
  }
  return verified
}
