import { createSecret, type RandomBytes } from './secrets.ts'
import type { Service } from './service.ts'

/** How the app keeps its session: a cookie in its HTTP client, or a token in the key store of the system. */
export type SessionKind = 'cookie' | 'token'

/** A sign-in in flight. Kept until its deep link comes, also when the system ends the app meanwhile; then removed. */
export interface SignIn {
  /** Never leaves the phone before the handoff (RFC 7636 §4.1). */
  readonly verifier: string
  /** Comes back in the deep link, and tells this sign-in from one that somebody else began. */
  readonly state: string
  readonly kind: SessionKind
}

/** New secrets for each sign-in: an old verifier may be known, an old state may come back. */
export const createSignIn = (kind: SessionKind, randomBytes: RandomBytes): SignIn => ({
  verifier: createSecret(randomBytes),
  state: createSecret(randomBytes),
  kind,
})

/** What the system's browser opens; never a web view, in which the app could read the password (RFC 8252 §8.12). */
export function buildStartUrl({ url, app }: Service, { state }: SignIn, challenge: string): string {
  const query = [
    ['app', app],
    ['code_challenge', challenge],
    ['code_challenge_method', 'S256'],
    ['state', state],
  ]
  return `${url}/auth/start?${query.map(([name = '', value = '']) => `${name}=${encodeURIComponent(value)}`).join('&')}`
}
