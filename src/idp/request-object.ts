import { createSecretKey, type KeyObject } from 'node:crypto'
import type { Config, Secrets } from '../config.ts'
import { type JwsHeader, signJws } from './sign-jws.ts'

/** What a sign-in asks of the IdP. JSON types as OIDC Core §6.1 wants them: `maxAge` is a number, never a string. */
export interface AuthorizationParameters {
  readonly redirectUri: string
  readonly scope: string
  readonly state: string
  readonly nonce: string
  /** Unpadded base64url of the verifier's SHA-256 (RFC 7636 §4.2). */
  readonly codeChallenge: string
  readonly prompt?: string | undefined
  /** Seconds. */
  readonly maxAge?: number | undefined
  readonly loginHint?: string | undefined
  readonly uiLocales?: string | undefined
  readonly acrValues?: string | undefined
}

export interface RequestObjectInput {
  readonly clientId: string
  /** The IdP's issuer, or the configured override: one string (RFC 9101 §4). */
  readonly audience: string
  readonly parameters: AuthorizationParameters
  readonly settings: Config['requestObject']
  readonly secrets: Pick<Secrets, 'clientSecret' | 'jarKeys'>
  /** Epoch seconds. */
  readonly now: number
  /** Unguessable and fresh per call: lets the IdP refuse a replay. */
  readonly jti: string
}

/** A compact JWS, the value of the `request` parameter, and the epoch second at which it expires. */
export interface RequestObject {
  readonly jwt: string
  readonly expiresAt: number
}

/**
 * Signs an authorization request (JAR, RFC 9101 §4): the browser carries it but cannot change it. The header's `typ`
 * and the absent `sub` keep it from passing for a client assertion (§10.8); the short life and the `jti` let the IdP
 * refuse one that somebody kept.
 *
 * @throws {Error} when the configured algorithm has no key; configuration refuses that at start
 */
export function signRequestObject(input: RequestObjectInput): RequestObject {
  const { clientId, audience, parameters, settings, secrets, now, jti } = input
  // Strict verifiers refuse a stamp that lies one second ahead of their clock, so ours lie a little back.
  const issuedAt = Math.floor(now) - settings.backdateS
  const expiresAt = issuedAt + settings.ttlS
  const claims = {
    client_id: clientId,
    iss: clientId,
    aud: audience,
    jti,
    iat: issuedAt,
    nbf: issuedAt,
    exp: expiresAt,
  }
  const { key, header } = chooseKey(settings, secrets)
  const payload = JSON.stringify({ ...toWire(parameters), ...claims }) // Ours last: no parameter can replace a claim.
  return { jwt: signJws(header, payload, key), expiresAt }
}

/** RFC names; an unused parameter is absent, not null (RO-13). */
function toWire(parameters: AuthorizationParameters): Record<string, string | number> {
  const { redirectUri, scope, state, nonce, codeChallenge, prompt, maxAge, loginHint, uiLocales, acrValues } =
    parameters
  return {
    response_type: 'code',
    redirect_uri: redirectUri,
    scope,
    state,
    nonce,
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
    ...(prompt !== undefined && { prompt }),
    ...(maxAge !== undefined && { max_age: maxAge }),
    ...(loginHint !== undefined && { login_hint: loginHint }),
    ...(uiLocales !== undefined && { ui_locales: uiLocales }),
    ...(acrValues !== undefined && { acr_values: acrValues }),
  }
}

function chooseKey(
  settings: Config['requestObject'],
  secrets: RequestObjectInput['secrets'],
): { readonly key: KeyObject; readonly header: JwsHeader } {
  const { alg, typ } = settings
  if (alg === 'HS256') {
    if (secrets.clientSecret === undefined) throw new Error('HS256 needs OTEN_CLIENT_SECRET')
    // The octets as given: a secret that looks like base64 is not decoded (RFC 7518 §3.2, OIDC Core §10.1).
    return { key: createSecretKey(secrets.clientSecret, 'utf8'), header: { alg, typ } }
  }
  const [signer] = secrets.jarKeys
  if (signer === undefined) throw new Error(`${alg} needs JAR_KEYS`)
  // `kid` and nothing more: a key that the token brings along (`jwk`, `jku`) is no key to trust (RFC 7515 §4.1).
  return { key: signer.privateKey, header: { alg, typ, kid: signer.kid } }
}
