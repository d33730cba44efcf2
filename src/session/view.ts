import { endsAt, type Session, type UserClaims } from './record.ts'

/** What a client may know of its session (contract §5): never a token, never the credential. */
export interface SessionView {
  readonly authenticated: true
  readonly user: UserClaims & { readonly sub: string }
  readonly session_id: string
  readonly expires_in: number
  readonly idle_expires_in: number
  readonly access_token_expires_in: number
}

/** @param now epoch seconds */
export function buildSessionView(session: Session, now: number): SessionView {
  const { record } = session
  return {
    authenticated: true,
    user: { ...record.claims, sub: record.sub },
    session_id: record.id,
    expires_in: Math.ceil(record.expiresAt - now),
    idle_expires_in: Math.ceil(endsAt(session) - now),
    access_token_expires_in: Math.max(0, Math.floor(record.tokens.accessTokenExpiresAt - now)),
  }
}

/** Of all that the IdP said of the user, only what the configuration names (ID-17). */
export const pickClaims = (claims: UserClaims, names: readonly string[]): UserClaims =>
  Object.fromEntries(names.filter((name) => Object.hasOwn(claims, name)).map((name) => [name, claims[name]]))
