import type { CredentialKind } from './credential.ts'

/** The claims of an ID token that the configuration lets the frontend see. */
export type UserClaims = Readonly<Record<string, unknown>>

/** What the IdP gave for this session. Replaced whole by a refresh. */
export interface SessionTokens {
  readonly accessToken: string
  /** Epoch seconds. */
  readonly accessTokenExpiresAt: number
  readonly refreshToken?: string | undefined
  /** As received, for `id_token_hint` alone (ID-16). */
  readonly idToken: string
  readonly scope: string
  /** Epoch seconds. */
  readonly obtainedAt: number
  /** The refresh token before this one, for an IdP that lost its last answer; epoch seconds. */
  readonly previous?: { readonly refreshToken: string; readonly until: number } | undefined
}

/** Everything a finished sign-in knows about its session-to-be. */
export interface NewSession {
  readonly kind: CredentialKind
  readonly app?: string | undefined
  readonly issuer: string
  readonly sub: string
  readonly sid?: string | undefined
  readonly claims: UserClaims
  readonly tokens: SessionTokens
  /** Epoch seconds, when the IdP told how long the refresh token lives. */
  readonly refreshTokenExpiresAt?: number | undefined
  readonly userAgent: string
}

/** What may be known of a session without its credential: enough to list it and to end it, no token. */
export interface SessionMeta {
  /** Public: names the session to its user, opens nothing. */
  readonly id: string
  readonly kind: CredentialKind
  /** Which of `APPS`; absent for a browser. */
  readonly app?: string | undefined
  readonly issuer: string
  readonly sub: string
  /** The IdP's own session, when it said so. */
  readonly sid?: string | undefined
  /** Epoch seconds. */
  readonly createdAt: number
  /** The absolute limit, epoch seconds. */
  readonly expiresAt: number
  /** The idle limit, seconds since the last use. */
  readonly idleS: number
  readonly userAgent: string
}

/**
 * A session as it is stored, sealed. The limits stand inside: a store that keeps a record too long, or a copy of it put
 * back later, does not lengthen a session (SC-10).
 */
export interface SessionRecord extends SessionMeta {
  /** Counts the refreshes: tells newer tokens from older ones. */
  readonly generation: number
  readonly claims: UserClaims
  readonly tokens: SessionTokens
}

/** An opened session and what its holder presented. Lives in memory only; never logged, never serialized. */
export interface Session {
  readonly key: string
  readonly credential: string
  readonly record: SessionRecord
  /** Epoch seconds. */
  readonly lastUsedAt: number
}

/** Epoch seconds at which the session ends if nobody uses it again. */
export const endsAt = ({ record, lastUsedAt }: Pick<Session, 'record' | 'lastUsedAt'>): number =>
  Math.min(record.expiresAt, lastUsedAt + record.idleS)

/** Decided by the limits in the record alone, whatever the store or the cookie's `Max-Age` say (SC-10). */
export const isLive = (session: Pick<Session, 'record' | 'lastUsedAt'>, now: number): boolean => now < endsAt(session)
