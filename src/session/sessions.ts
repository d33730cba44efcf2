import type { Config } from '../config.ts'
import type { Store } from '../store/store.ts'
import { type CredentialKind, createCredential, createSecret, hashSecret } from './credential.ts'
import { isLive, parseRecord, type Session, type SessionRecord, type SessionTokens, type UserClaims } from './record.ts'
import type { Seal } from './seal.ts'
import { createSessionCache } from './session-cache.ts'

/** Sessions per cache generation: about 3 KB each when opened. */
const CACHE_GENERATION_MAX = 4096

/** How long it is remembered that a newer sign-in took a session's place, and which IdP sessions were ended. */
const REPLACED_S = 60
const ENDED_SID_S = 900

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

export interface Sessions {
  /** A new session under a new credential, always: one that the client brought is never adopted (CB-11). */
  create(input: NewSession): Promise<Session>
  /** The live session of this credential. @throws {BffError} store_unavailable: never a false "signed out" */
  find(credential: string): Promise<Session | undefined>
  /**
   * Slides the idle limit. Written at most once in a twentieth of the limit, so that a busy session does not write on
   * every request; with `exact`, at once.
   */
  touch(session: Session, options?: { exact: boolean }): Promise<Session>
  /** Ends it; true when it was still there. */
  end(key: string): Promise<boolean>
  /** Ends the session whose place a new sign-in takes. */
  replace(key: string): Promise<void>
  /** True while a credential is known to be of a replaced session: its late requests are no reason to clear a cookie. */
  wasReplaced(credential: string): Promise<boolean>
  /** Remembers that the IdP's session `sid` was ended here, now. */
  markSidEnded(issuer: string, sid: string): Promise<void>
  /** True when that IdP session was ended here after `sinceMs` (epoch milliseconds). */
  wasSidEnded(issuer: string, sid: string, sinceMs: number): Promise<boolean>
}

export interface SessionsDeps {
  readonly store: Store
  readonly seal: Seal
  readonly config: Pick<Config, 'session'>
  /** Epoch seconds. */
  readonly now: () => number
}

/** The store key of a credential: one hash tag, so that all keys of a session lie on one node of a cluster. */
export const sessionKey = (credential: string): string => `session:{${hashSecret(credential)}}`

const usedKey = (key: string): string => `${key}:used`
const replacedKey = (key: string): string => `${key}:replaced`
const endedSidKey = (issuer: string, sid: string): string => `ended-sid:${hashSecret(JSON.stringify([issuer, sid]))}`

/** Create, find and end sessions. The only place that knows their store keys. */
export function createSessions({ store, seal, config, now }: SessionsDeps): Sessions {
  const cache = store.exclusive ? createSessionCache(CACHE_GENERATION_MAX) : undefined

  const load = async (credential: string, key: string): Promise<Session | undefined> => {
    const mark = cache?.mark()
    const [sealed, sealedUse] = await Promise.all([store.get(key), store.get(usedKey(key))])
    if (sealed === undefined) return undefined
    const plaintext = seal.open('session', credential, sealed)
    const record = plaintext === undefined ? undefined : parseRecord(plaintext)
    if (record === undefined) return undefined
    const lastUse = sealedUse === undefined ? undefined : seal.open('session-use', credential, sealedUse)
    const session = { key, credential, record, lastUsedAt: lastUse === undefined ? record.createdAt : Number(lastUse) }
    if (mark !== undefined) cache?.putUnlessChanged(session, mark)
    return session
  }

  const end = async (key: string): Promise<boolean> => {
    cache?.delete(key) // Before the store answers: from here on nobody is served from memory.
    const [ended] = await Promise.all([store.delete(key), store.delete(usedKey(key))])
    cache?.delete(key)
    return ended
  }

  return {
    async create(input) {
      const record = buildRecord(input, config.session, Math.floor(now()))
      const credential = createCredential(input.kind)
      const session = { key: sessionKey(credential), credential, record, lastUsedAt: record.createdAt }
      await store.set(session.key, seal.seal('session', credential, JSON.stringify(record)), ttlOf(record, now()))
      cache?.put(session)
      return session
    },

    async find(credential) {
      const key = sessionKey(credential)
      const session = cache?.get(key) ?? (await load(credential, key))
      return session !== undefined && isLive(session, now()) ? session : undefined
    },

    async touch(session, { exact } = { exact: false }) {
      const lastUsedAt = Math.floor(now())
      const stepS = exact ? 1 : Math.max(1, Math.min(60, Math.floor(session.record.idleS / 20)))
      if (lastUsedAt - session.lastUsedAt < stepS) return session
      const touched = { ...session, lastUsedAt }
      const sealedUse = seal.seal('session-use', session.credential, String(lastUsedAt))
      // Of its own key: a late touch can neither revive an ended session nor put old tokens over new ones.
      await store.set(usedKey(session.key), sealedUse, ttlOf(session.record, now()))
      if (cache?.get(session.key) === session) cache.put(touched)
      return touched
    },

    end,

    async replace(key) {
      await store.set(replacedKey(key), '1', REPLACED_S)
      await end(key)
    },

    wasReplaced: async (credential) => (await store.get(replacedKey(sessionKey(credential)))) !== undefined,

    async markSidEnded(issuer, sid) {
      await store.set(endedSidKey(issuer, sid), String(now() * 1000), ENDED_SID_S)
    },

    async wasSidEnded(issuer, sid, sinceMs) {
      const endedAtMs = await store.get(endedSidKey(issuer, sid))
      return endedAtMs !== undefined && Number(endedAtMs) >= sinceMs
    },
  }
}

function buildRecord(input: NewSession, limits: Config['session'], createdAt: number): SessionRecord {
  const { refreshTokenExpiresAt = Number.POSITIVE_INFINITY, ...rest } = input
  const { idleS, maxS } = input.kind === 'browser-cookie' ? limits.browser : limits.app
  // Past the refresh token's life the session could do nothing for its user any more (SC-10).
  const expiresAt = Math.min(createdAt + maxS, Math.floor(refreshTokenExpiresAt))
  return { ...rest, version: 1, id: createSecret(16), createdAt, expiresAt, idleS }
}

const ttlOf = (record: SessionRecord, now: number): number => Math.max(1, Math.ceil(record.expiresAt - now))
