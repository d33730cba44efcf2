import type { Store } from '../store/store.ts'
import { inBatches } from './in-batches.ts'
import type { SessionMeta } from './record.ts'
import type { Seal } from './seal.ts'
import {
  idpSessionKey,
  isSessionKey,
  memberOf,
  SESSION_PREFIX,
  sessionKeyOf,
  usedKey,
  userKey,
} from './session-keys.ts'
import { openMeta } from './stored-session.ts'

export interface ListedSession extends SessionMeta {
  readonly key: string
  /** Epoch seconds, in steps: see `touch`. */
  readonly lastUsedAt: number
}

export interface Inventory {
  add(key: string, meta: SessionMeta): Promise<void>
  remove(key: string, meta: SessionMeta): Promise<void>
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
  const describe = async (key: string): Promise<ListedSession | undefined> => {
    const [stored, sealedUse] = await Promise.all([store.get(key), store.get(usedKey(key))])
    const meta = stored === undefined ? undefined : openMeta(seal, key, stored)
    if (meta === undefined) return undefined
    const lastUse = sealedUse === undefined ? undefined : seal.open('session-use', key, sealedUse)
    const lastUsedAt = lastUse === undefined ? meta.createdAt : Number(lastUse)
    return now() < Math.min(meta.expiresAt, lastUsedAt + meta.idleS) ? { ...meta, key, lastUsedAt } : undefined
  }

  const indexesOf = ({ issuer, sub, sid }: Pick<SessionMeta, 'issuer' | 'sub' | 'sid'>): string[] => [
    userKey(issuer, sub),
    ...(sid === undefined ? [] : [idpSessionKey(issuer, sid)]),
  ]

  const listKeys = async (index: string): Promise<string[]> => (await store.members(index)).map(sessionKeyOf)

  return {
    async add(key, meta) {
      const lifeS = Math.max(1, Math.ceil(meta.expiresAt - now()))
      await Promise.all(indexesOf(meta).map((index) => store.addMember(index, memberOf(key), lifeS)))
    },

    async remove(key, meta) {
      await Promise.all(indexesOf(meta).map((index) => store.removeMember(index, memberOf(key))))
    },

    async list(issuer, sub) {
      const described = await inBatches(await listKeys(userKey(issuer, sub)), describe)
      return described.filter((session) => session !== undefined).toSorted((a, b) => b.createdAt - a.createdAt)
    },

    listByUser: (issuer, sub) => listKeys(userKey(issuer, sub)),
    listBySid: (issuer, sid) => listKeys(idpSessionKey(issuer, sid)),

    async *listAll() {
      for await (const key of store.scan(SESSION_PREFIX)) {
        if (isSessionKey(key)) yield key
      }
    },
  }
}
