import { hashSecret } from './credential.ts'

/**
 * Store keys of sessions. All keys of one session carry its hash in braces: one hash tag, so one node of a cluster.
 * None holds a secret, nor a name of a user.
 */

/** The record, sealed under keys and credential. */
export const sessionKey = (credential: string): string => `session:{${hashSecret(credential)}}`

/** What a list of sessions shows; sealed under the keys alone, since whoever lists has other credentials. */
export const metaKey = (key: string): string => `${key}:meta`
export const META_SUFFIX = '}:meta'
export const SESSION_PREFIX = 'session:{'

/** When it was last used. Of its own: a late touch can neither revive a session nor put old tokens over new ones. */
export const usedKey = (key: string): string => `${key}:used`

/** The key of the session to which a key belongs that begins with it, its own included. */
export const sessionOf = (key: string): string => key.slice(0, key.indexOf('}') + 1)

/** How it ended, for a while afterwards. Under a name of its own: nothing of an ended session is left under `session:`. */
export const endedKey = (key: string): string => `ended-${key}`

const hashNames = (...names: readonly string[]): string => hashSecret(JSON.stringify(names))

/** All sessions of a user: (iss, sub) is the account, never an e-mail address. */
export const userKey = (issuer: string, sub: string): string => `user:{${hashNames(issuer, sub)}}`

/** All sessions here that belong to one session at the IdP. */
export const idpSessionKey = (issuer: string, sid: string): string => `idp-session:{${hashNames(issuer, sid)}}`

/** That an IdP session, all of a user, or everybody was signed out, and when. */
export const endedSidKey = (issuer: string, sid: string): string => `ended-sid:{${hashNames(issuer, sid)}}`
export const endedSubKey = (issuer: string, sub: string): string => `ended-sub:{${hashNames(issuer, sub)}}`
export const ENDED_ALL_KEY = 'ended-all'
