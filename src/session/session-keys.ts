import { hashSecret } from './credential.ts'

/**
 * Store keys of sessions. All keys of one session carry its hash in braces: one hash tag, so one node of a cluster.
 * None holds a secret, nor a name of a user.
 */

/** 132 bits of a SHA-256: who looks for what has a given hash tries as long as for an AES key, and each key is shorter. */
const HASH_CHARACTERS = 22

const hashShortly = (secret: string): string => hashSecret(secret).slice(0, HASH_CHARACTERS)

const nameKey = (hash: string): string => `session:{${hash}}`
export const SESSION_PREFIX = 'session:{'

/** The record, sealed under keys and credential, and what a list shows of it. */
export const sessionKey = (credential: string): string => nameKey(hashShortly(credential))

/** When it was last used. Of its own: a late touch can neither revive a session nor put old tokens over new ones. */
export const usedKey = (key: string): string => `${key}:used`

/** The key of the session to which a key belongs that begins with it, its own included. */
export const sessionOf = (key: string): string => key.slice(0, key.indexOf('}') + 1)

/** True for the key of a record itself. */
export const isSessionKey = (key: string): boolean => sessionOf(key) === key && key.startsWith(SESSION_PREFIX)

/** How a list names a session: by the hash alone. */
export const memberOf = (key: string): string => key.slice(SESSION_PREFIX.length, -1)
export const sessionKeyOf = (member: string): string => nameKey(member)

/** How it ended, for a while afterwards. Under a name of its own: nothing of an ended session is left under `session:`. */
export const endedKey = (key: string): string => `ended-${key}`

const hashNames = (...names: readonly string[]): string => hashShortly(JSON.stringify(names))

/** All sessions of a user: (iss, sub) is the account, never an e-mail address. */
export const userKey = (issuer: string, sub: string): string => `user:{${hashNames(issuer, sub)}}`

/** All sessions here that belong to one session at the IdP. */
export const idpSessionKey = (issuer: string, sid: string): string => `idp-sid:{${hashNames(issuer, sid)}}`

/** That an IdP session, all of a user, or everybody was signed out, and when. */
export const endedSidKey = (issuer: string, sid: string): string => `ended-sid:{${hashNames(issuer, sid)}}`
export const endedSubKey = (issuer: string, sub: string): string => `ended-sub:{${hashNames(issuer, sub)}}`
export const ENDED_ALL_KEY = 'ended-all'
