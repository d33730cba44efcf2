import { type TokenParties, verifyParties } from './id-token.ts'
import type { Jwks } from './jwks.ts'
import { type JsonObject, TokenRefused, verifyJws } from './strict-jws.ts'

/** The one event a logout token may speak of (Back-Channel Logout 1.0 §2.4). */
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/** `logout+jwt` is what the standard asks for; `JWT` and none is what some IdPs send (D9). */
const TYPES = ['logout+jwt', 'jwt']

/** Whom the IdP signed out: one of its sessions, or a user everywhere. */
export interface LogoutToken {
  readonly issuer: string
  readonly sub: string | undefined
  readonly sid: string | undefined
  readonly jti: string
  /** Epoch seconds: until then a replay must be recognised. */
  readonly expiresAt: number
}

/**
 * A logout token that the IdP signed for this client, of now (Back-Channel Logout 1.0 §2.6; BL-02 … BL-08). Whether its
 * `jti` was seen before is for the caller.
 *
 * @throws {TokenRefused} with the first thing that does not hold
 * @throws {BffError} idp_unavailable when the IdP's keys cannot be had
 */
export async function verifyLogoutToken(token: string, jwks: Jwks, parties: TokenParties): Promise<LogoutToken> {
  const { header, claims } = await verifyJws(token, jwks)
  requireType(header.typ)
  verifyParties(claims, parties)
  requireEvent(claims.events)
  // Keeps ID tokens and logout tokens apart: one kind must never pass for the other (§2.4).
  if (Object.hasOwn(claims, 'nonce')) throw new TokenRefused('nonce')
  const { jti, exp } = claims
  if (typeof jti !== 'string' || jti === '') throw new TokenRefused('jti')
  const [sub, sid] = [parseName(claims, 'sub'), parseName(claims, 'sid')]
  if (sub === undefined && sid === undefined) throw new TokenRefused('nobody_named')
  return { issuer: parties.issuer, sub, sid, jti, expiresAt: Number(exp) } // `verifyParties` saw a number.
}

function requireType(typ: unknown): void {
  if (typ === undefined) return
  const name = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : ''
  if (!TYPES.includes(name)) throw new TokenRefused('typ')
}

function requireEvent(events: unknown): void {
  const event: unknown = isObject(events) ? events[EVENT] : undefined
  if (!isObject(event)) throw new TokenRefused('events')
}

function parseName(claims: JsonObject, name: 'sub' | 'sid'): string | undefined {
  const value = claims[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '') throw new TokenRefused(name)
  return value
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
