import { createHash, timingSafeEqual } from 'node:crypto'
import { type JsonObject, type Jws, TokenRefused } from './strict-jws.ts'

/** How far ahead of our clock a stamp may lie, seconds (ID-10). */
export const ID_TOKEN_SKEW_S = 30

/** The token comes straight from the token endpoint: an older one was made for something else. */
const AGE_S_MAX = 600

/** OIDC Core §2: at most 255 ASCII characters; printable ones, since it becomes a header for proxies. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/

/** The claims of an ID token that passed every check. The account is (`iss`, `sub`), never an e-mail address. */
export type IdTokenClaims = JsonObject & { readonly iss: string; readonly sub: string; readonly sid?: string }

/** Who the token must be from and for. */
export interface TokenParties {
  readonly issuer: string
  readonly clientId: string
  /** Epoch seconds. */
  readonly now: number
}

/** What a sign-in's ID token is held against. */
export interface IdTokenExpectations extends TokenParties {
  /** The transaction's. */
  readonly nonce: string
  /** What came along with the token, for `at_hash`. */
  readonly accessToken: string
  /** Seconds, when `max_age` was sent. */
  readonly maxAge?: number | undefined
  /** Space-separated, when `acr_values` was sent. */
  readonly acrValues?: string | undefined
}

/** What a refresh's ID token is held against. */
export interface RefreshedIdTokenExpectations extends TokenParties {
  readonly accessToken: string
  /** The claims of the ID token that the session has. */
  readonly original: JsonObject
}

/**
 * Every claim of a sign-in's ID token (OIDC Core §3.1.3.7; ID-07 … ID-15). The signature is `verifyJws`'s matter.
 *
 * @throws {TokenRefused} with the first claim that does not hold
 */
export function verifyIdTokenClaims(
  header: Jws['header'],
  claims: JsonObject,
  expected: IdTokenExpectations,
): IdTokenClaims {
  const verified = verifyShared(header, claims, expected)
  requireNonce(claims.nonce, expected.nonce)
  requireRecentAuthentication(claims.auth_time, expected)
  const { acr } = claims
  if (expected.acrValues !== undefined && acr !== undefined) {
    if (typeof acr !== 'string' || !expected.acrValues.split(' ').includes(acr)) throw new TokenRefused('acr')
  }
  return verified
}

/**
 * An ID token that came with a refresh: the same checks, and it must speak of the same user and the same sign-in
 * (OIDC Core §12.2, RF-06).
 *
 * @throws {TokenRefused} with the first claim that does not hold
 */
export function verifyRefreshedIdTokenClaims(
  header: Jws['header'],
  claims: JsonObject,
  expected: RefreshedIdTokenExpectations,
): IdTokenClaims {
  const { original } = expected
  const verified = verifyShared(header, claims, expected)
  // `aud` needs no comparison: either token's is this client alone.
  if (verified.iss !== original.iss) throw new TokenRefused('iss_changed')
  if (verified.sub !== original.sub) throw new TokenRefused('sub_changed')
  const { nonce, auth_time: authTime } = claims
  if (nonce !== undefined && nonce !== original.nonce) throw new TokenRefused('nonce_mismatch')
  if (authTime !== undefined && original.auth_time !== undefined && authTime !== original.auth_time) {
    throw new TokenRefused('auth_time_changed')
  }
  return verified
}

/**
 * The claims that every token from the IdP must have, whatever it is for: from this issuer, for this client alone, and
 * of now (RFC 7519 §4.1; ID-07, ID-08, ID-10).
 *
 * @throws {TokenRefused} with the first claim that does not hold
 */
export function verifyParties(claims: JsonObject, { issuer, clientId, now }: TokenParties): void {
  const { iss, aud, exp, iat, nbf } = claims
  if (iss !== issuer) throw new TokenRefused('iss')
  // Alone: with a second audience, that one could present our user's token here (ASVS 10.5.4).
  const audience: unknown = Array.isArray(aud) && aud.length === 1 ? aud[0] : aud
  if (audience !== clientId) throw new TokenRefused('aud')
  if (!isInstant(exp) || exp <= now - ID_TOKEN_SKEW_S) throw new TokenRefused('exp')
  if (!isInstant(iat) || iat > now + ID_TOKEN_SKEW_S || iat < now - AGE_S_MAX - ID_TOKEN_SKEW_S)
    throw new TokenRefused('iat')
  if (nbf !== undefined && (!isInstant(nbf) || nbf > now + ID_TOKEN_SKEW_S)) throw new TokenRefused('nbf')
}

function verifyShared(
  { typ }: Jws['header'],
  claims: JsonObject,
  expected: TokenParties & { readonly accessToken: string },
): IdTokenClaims {
  requireIdTokenType(typ, claims)
  verifyParties(claims, expected)
  const { sub, sid, azp, at_hash: hash, auth_time: authTime } = claims
  if (typeof sub !== 'string' || !SUBJECT.test(sub)) throw new TokenRefused('sub')
  if (sid !== undefined && (typeof sid !== 'string' || sid === '')) throw new TokenRefused('sid')
  if (azp !== undefined && azp !== expected.clientId) throw new TokenRefused('azp')
  if (hash !== undefined && hash !== hashAccessToken(expected.accessToken)) throw new TokenRefused('at_hash')
  if (authTime !== undefined && !isInstant(authTime)) throw new TokenRefused('auth_time')
  return claims as IdTokenClaims // `iss`, `sub` and `sid` are as the type says: checked above.
}

/** Another kind of token, signed by the same key, is no statement about a sign-in (RFC 8725 §3.11, BCL §4.1). */
function requireIdTokenType(typ: unknown, { events }: JsonObject): void {
  const isTyped = typ !== undefined
  if (isTyped && (typeof typ !== 'string' || typ.toLowerCase().replace(/^application\//, '') !== 'jwt')) {
    throw new TokenRefused('typ')
  }
  if (events !== undefined) throw new TokenRefused('events')
}

/** Ties the token to this very sign-in: without it, a code that leaked elsewhere could be injected (RFC 9700 §4.5.3.2). */
function requireNonce(nonce: unknown, expected: string): void {
  if (typeof nonce !== 'string') throw new TokenRefused('nonce_missing')
  const [given, wanted] = [Buffer.from(nonce), Buffer.from(expected)]
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw new TokenRefused('nonce_mismatch')
}

function requireRecentAuthentication(authTime: unknown, { maxAge, now }: IdTokenExpectations): void {
  if (maxAge === undefined) return
  if (!isInstant(authTime) || authTime > now + ID_TOKEN_SKEW_S) throw new TokenRefused('auth_time')
  if (now - authTime > maxAge + ID_TOKEN_SKEW_S) throw new TokenRefused('auth_time_too_old')
}

/** OIDC Core §3.1.3.6 with the hash that Ed25519 itself uses: SHA-512, its left half (D7). */
function hashAccessToken(accessToken: string): string {
  return createHash('sha512').update(accessToken).digest().subarray(0, 32).toString('base64url')
}

const isInstant = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
