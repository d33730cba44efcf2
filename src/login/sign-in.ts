import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'
import { buildAuthorizationUrl, parseAuthorizationResponse, type SignInError } from '../idp/authorization.ts'
import type { Idp } from '../idp/idp.ts'
import { type AuthorizationParameters, signRequestObject } from '../idp/request-object.ts'
import { SignInRefused, type TokenSet } from '../idp/tokens.ts'
import { createSecret } from '../session/credential.ts'
import type { NewSession } from '../session/record.ts'
import { pickClaims } from '../session/view.ts'
import type { SignInTarget, Transaction, TransactionCookie, Transactions } from './transaction.ts'

/** What a caller may ask of the IdP beside the fixed parameters (ST-11). */
export type SignInHints = Pick<AuthorizationParameters, 'prompt' | 'maxAge' | 'loginHint' | 'uiLocales' | 'acrValues'>

export interface SignInDeps {
  readonly config: Pick<Config, 'publicUrl' | 'idp' | 'requestObject' | 'session' | 'secrets'>
  readonly idp: Idp
  readonly transactions: Transactions
  /** Epoch seconds. */
  readonly now: () => number
}

export interface BegunSignIn {
  readonly authorizationUrl: string
  /** Whole seconds for which the IdP accepts that URL. */
  readonly expiresInS: number
  readonly cookie: TransactionCookie
}

/** Registered with Oten; from configuration alone, so that no `Host` header can send a code elsewhere (CB-09). */
export const buildRedirectUri = (publicUrl: string): string => `${publicUrl}/auth/callback`

/**
 * Signs the authorization request and keeps what the answer will be held against.
 *
 * @throws {BffError} idp_unavailable before anything is kept, when there is no usable metadata (ST-13)
 */
export async function beginSignIn(
  { config, idp, transactions, now }: SignInDeps,
  target: SignInTarget,
  hints: SignInHints,
  earlierSessionKey: string | undefined,
): Promise<BegunSignIn> {
  const { issuer, authorizationEndpoint } = await idp.metadata.get()
  const redirectUri = buildRedirectUri(config.publicUrl)
  const { maxAge, acrValues } = hints
  const { transaction, codeChallenge, cookie } = await transactions.start({
    issuer,
    redirectUri,
    target,
    maxAge,
    acrValues,
    earlierSessionKey,
  })
  const { state, nonce } = transaction
  const { jwt, expiresAt } = signRequestObject({
    clientId: config.idp.clientId,
    audience: config.requestObject.audience ?? issuer,
    parameters: { ...hints, redirectUri, scope: config.idp.scope, state, nonce, codeChallenge },
    settings: config.requestObject,
    secrets: config.secrets.current(),
    now: now(),
    jti: createSecret(16),
  })
  return {
    authorizationUrl: buildAuthorizationUrl(authorizationEndpoint, config.idp.clientId, jwt),
    expiresInS: Math.floor(expiresAt - now()),
    cookie,
  }
}

/** What a callback came to: all that a session needs, or why there is none. `reason` is a fixed word for the log. */
export type CompletedSignIn =
  | { readonly kind: 'signed-in'; readonly session: Omit<NewSession, 'kind' | 'userAgent'> }
  | { readonly kind: 'failed'; readonly error: SignInError; readonly reason: string }

/** Checks the IdP's answer, redeems the code and validates what came of it. The transaction is already taken. */
export async function completeSignIn(
  { config, idp, now }: Pick<SignInDeps, 'config' | 'idp' | 'now'>,
  transaction: Transaction,
  query: URLSearchParams,
): Promise<CompletedSignIn> {
  try {
    const { as, issuer } = await idp.metadata.get()
    // The issuer that was asked is the one whose answer counts, also after a change of configuration (CB-12).
    if (issuer !== transaction.issuer) return refuse('issuer_changed')
    const answer = parseAuthorizationResponse(query, as, config.idp.clientId, transaction.state)
    if (answer.kind === 'failed') return answer
    const { redirectUri, codeVerifier, nonce, maxAge, acrValues } = transaction
    const { scope } = config.idp
    const { parameters } = answer
    const tokens = await idp.redeemCode({ parameters, redirectUri, codeVerifier, nonce, scope, maxAge, acrValues })
    const session = buildNewSession(tokens, issuer, config.session.claims, now())
    return {
      kind: 'signed-in',
      session: transaction.target.kind === 'app' ? { ...session, app: transaction.target.app } : session,
    }
  } catch (error) {
    if (error instanceof SignInRefused) return refuse(error.reason)
    if (error instanceof BffError && error.code === 'idp_unavailable') {
      return { kind: 'failed', error: 'idp_unavailable', reason: error.message }
    }
    throw error
  }
}

const refuse = (reason: string): CompletedSignIn => ({ kind: 'failed', error: 'sign_in_failed', reason })

function buildNewSession(tokens: TokenSet, issuer: string, claimNames: readonly string[], now: number) {
  const { idTokenClaims, refreshTokenExpiresAt, accessToken, accessTokenExpiresAt, refreshToken, idToken, scope } =
    tokens
  return {
    issuer,
    sub: idTokenClaims.sub,
    sid: idTokenClaims.sid,
    claims: pickClaims(idTokenClaims, claimNames),
    tokens: { accessToken, accessTokenExpiresAt, obtainedAt: Math.floor(now), refreshToken, idToken, scope },
    refreshTokenExpiresAt,
  }
}
