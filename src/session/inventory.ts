import type { Store } from '../store/store.ts'
import type { CredentialKind } from './credential.ts'
import { inBatches } from './in-batches.ts'
import type { SessionRecord } from './record.ts'
import type { Seal } from './seal.ts'
import { idpSessionKey, META_SUFFIX, metaKey, SESSION_PREFIX, usedKey, userKey } from './session-keys.ts'

/** What may be known of a session without its credential: enough to list it and to end it, no token. */
export interface SessionMeta {
  readonly id: string
  readonly kind: CredentialKind
  readonly app?: string | undefined
  readonly issuer: string
  readonly sub: string
  readonly sid?: string | undefined
  /** Epoch seconds. */
  readonly createdAt: number
  readonly expiresAt: number
  readonly idleS: number
  readonly userAgent: string
}

export interface ListedSession extends SessionMeta {
  readonly key: string
  /** Epoch seconds, in steps: see `touch`. */
  readonly lastUsedAt: number
}

export interface Inventory {
  add(key: string, record: SessionRecord, ttlS: number): Promise<void>
  remove(key: string, meta: SessionMeta | undefined): Promise<void>
  find(key: string): Promise<SessionMeta | undefined>
  /** The live sessions of a user, for showing. */
  list(issuer: string, sub: string): Promise<ListedSession[]>
  /** Store keys of all sessions of a user, of an IdP session, of everybody: for ending. Dead ones may be among them. */
  listByUser(issuer: string, sub: string): Promise<string[]>
  listBySid(issuer: string, sid: string): Promise<string[]>
  listAll(): AsyncIterable<string>
}

interface Deps {
  readonly store: Store
  readonly seal: Seal
  /** Epoch seconds. */
  readonly now: () => number
}

/** Which sessions there are: indexes by user and by IdP session. They only point; the record alone makes a session. */
export function createInventory({ store, seal, now }: Deps): Inventory {
  const find = async (key: string): Promise<SessionMeta | undefined> => {
    const sealed = await store.get(metaKey(key))
    const plaintext = sealed === undefined ? undefined : seal.open('session-meta', key, sealed)
    return plaintext === undefined ? undefined : (JSON.parse(plaintext) as SessionMeta) // Authenticated: we wrote it.
  }

  const describe = async (key: string): Promise<ListedSession | undefined> => {
    const [meta, sealedUse] = await Promise.all([find(key), store.get(usedKey(key))])
    if (meta === undefined) return undefined
    const lastUse = sealedUse === undefined ? undefined : seal.open('session-use', key, sealedUse)
    const lastUsedAt = lastUse === undefined ? meta.createdAt : Number(lastUse)
    return now() < Math.min(meta.expiresAt, lastUsedAt + meta.idleS) ? { ...meta, key, lastUsedAt } : undefined
  }

  const indexesOf = ({ issuer, sub, sid }: Pick<SessionMeta, 'issuer' | 'sub' | 'sid'>): string[] => [
    userKey(issuer, sub),
    ...(sid === undefined ? [] : [idpSessionKey(issuer, sid)]),
  ]

  return {
    find,

    async add(key, record, ttlS) {
      const { id, kind, app, issuer, sub, sid, createdAt, expiresAt, idleS, userAgent } = record
      const meta: SessionMeta = { id, kind, app, issuer, sub, sid, createdAt, expiresAt, idleS, userAgent }
      const lifeS = Math.max(1, Math.ceil(expiresAt - now()))
      await Promise.all([
        store.set(metaKey(key), seal.seal('session-meta', key, JSON.stringify(meta)), ttlS),
        ...indexesOf(meta).map((index) => store.addMember(index, key, lifeS)),
      ])
    },

    async remove(key, meta) {
      const indexes = meta === undefined ? [] : indexesOf(meta)
      await Promise.all([store.delete(metaKey(key)), ...indexes.map((index) => store.removeMember(index, key))])
    },

    async list(issuer, sub) {
      const described = await inBatches(await store.members(userKey(issuer, sub)), describe)
      return described.filter((session) => session !== undefined).toSorted((a, b) => b.createdAt - a.createdAt)
    },

    listByUser: (issuer, sub) => store.members(userKey(issuer, sub)),
    listBySid: (issuer, sid) => store.members(idpSessionKey(issuer, sid)),

    async *listAll() {
      for await (const key of store.scan(SESSION_PREFIX)) {
        if (key.endsWith(META_SUFFIX)) yield key.slice(0, -':meta'.length)
      }
    },
  }
}
