import type { Config } from '../config.ts'
import type { Store } from '../store/store.ts'
import { createCredential, createSecret } from './credential.ts'
import { createEndings, type Ending } from './endings.ts'
import type { EndReason, SessionEvents } from './events.ts'
import { createInventory, type Inventory } from './inventory.ts'
import { openSessionCache } from './open-session-cache.ts'
import {
  isLive,
  type NewSession,
  type Session,
  type SessionRecord,
  type SessionTokens,
  type UserClaims,
} from './record.ts'
import type { Seal } from './seal.ts'
import { sessionKey, usedKey } from './session-keys.ts'
import { hasKeyOf, openMeta, openSession, sealSession } from './stored-session.ts'

/** The store keeps what the idle limit ended a little longer: the limit inside decides, not the store's clock. */
const SLACK_S = 60

export interface UpdateOptions {
  readonly isRefresh?: boolean
  readonly claims?: UserClaims
}

export interface Sessions extends Pick<Inventory, 'list' | 'listByUser' | 'listBySid' | 'listAll'> {
  /** A new session under a new credential, always: one that the client brought is never adopted (CB-11). */
  create(input: NewSession): Promise<Session>
  /**
   * The live session of this credential; at once where it is remembered here, which on a busy site is most of the time.
   *
   * @throws {BffError} store_unavailable: never a false "signed out"
   */
  find(credential: string): Session | undefined | Promise<Session | undefined>
  /** The session as the store has it now, whatever is remembered here. */
  reload(session: Session): Promise<Session | undefined>
  /**
   * Slides the idle limit; undefined when the session has ended meanwhile. Written at most once in a twentieth of the
   * limit, so that a busy session does not write on every request; with `exact`, at once.
   */
  touch(session: Session, options?: { exact: boolean }): Promise<Session | undefined>
  /** False where `touch` would have nothing to write yet. */
  isTouchDue(session: Session): boolean
  /**
   * Puts new tokens in the place of those that `session` has, in one step; undefined when it has ended or others are
   * there already. The absolute limit stays (RF-07).
   *
   * @param options.isRefresh false when there is no new access token, so that nobody takes it for a refresh
   * @param options.claims what the IdP says of the user by now; what it leaves out stays (OIDC Core §12.2)
   */
  update(session: Session, tokens: SessionTokens, options?: UpdateOptions): Promise<Session | undefined>
  /** Ends it, everywhere; true when it was still there. */
  end(key: string, reason: EndReason): Promise<boolean>
  /** Ends the session whose place a new sign-in takes. */
  replace(key: string): Promise<void>
  /** How a session ended that was ended a moment ago; undefined when it was longer ago, or is still there. */
  findEnd(key: string): Promise<EndReason | undefined>
  /**
   * True where a request that found no session is no reason to clear its cookie: a newer sign-in has just set its own,
   * or the record is there but sealed under a key that this replica does not know, as during a rotation.
   */
  isCookieKept(credential: string): Promise<boolean>
}

export interface SessionsDeps {
  readonly store: Store
  readonly seal: Seal
  readonly events: Pick<SessionEvents, 'publish'>
  readonly config: Pick<Config, 'session'>
  /** Epoch seconds. */
  readonly now: () => number
}

/** Create, find, change and end sessions. */
export function createSessions({ store, seal, events, config, now }: SessionsDeps): Sessions {
  const cache = openSessionCache(store, seal.keys)
  const inventory = createInventory({ store, seal, now })
  const endings = createEndings(store)

  const load = (credential: string, key: string): Promise<Session | undefined> =>
    cache.keep(key, async () => (await readSession({ store, seal, now }, credential, key))?.session)

  /**
   * Forgotten before the write is sent, so that nobody is served from memory meanwhile; and again once it is answered, and
   * also when it failed, since a read that was under way may have seen what was there before.
   */
  const change = async <T>(key: string, send: () => Promise<T>): Promise<T> => {
    cache.forget(key)
    try {
      return await send()
    } finally {
      cache.forget(key)
    }
  }

  const end = async (key: string, reason: EndReason, ending: Ending = reason): Promise<boolean> => {
    // Sent before the deletion, and the connection keeps the order: whoever does not find the session any more finds why.
    const noted = endings.note(key, ending).catch(() => {})
    const stored = await change(key, () => store.take(key))
    if (stored !== undefined) await events.publish(key, { type: 'ended', reason }) // Whatever becomes of the tidying up.
    const meta = stored === undefined ? undefined : openMeta(seal, key, stored)
    await Promise.all([noted, store.delete(usedKey(key)), meta !== undefined && inventory.remove(key, meta)])
    return stored !== undefined
  }

  return {
    ...inventory,

    async create(input) {
      const record = buildRecord(input, config.session, Math.floor(now()))
      const credential = createCredential(input.kind)
      const session = { key: sessionKey(credential), credential, record, lastUsedAt: record.createdAt }
      await store.set(session.key, sealSession(seal, session), ttlOf(record, now()))
      await inventory.add(session.key, record)
      return session
    },

    find(credential) {
      const cached = cache.get(credential)
      // One that has run out may have been used elsewhere a moment ago: the store knows.
      return cached !== undefined && isLive(cached, now()) ? cached : load(credential, sessionKey(credential))
    },

    reload: ({ credential, key }) => load(credential, key),

    isTouchDue: (session) => isTouchDue(session, now()),

    async touch(session, { exact } = { exact: false }) {
      if (!isTouchDue(session, now(), exact)) return session
      const lastUsedAt = Math.floor(now())
      const { key, record } = session
      const ttlS = ttlOf(record, now())
      // The record first: it must not run out under a user who is there, and without it there is nothing to slide.
      if (!(await store.expire(key, ttlS))) return undefined
      const sealedUse = seal.seal('session-use', key, String(lastUsedAt))
      await change(key, () => store.set(usedKey(key), sealedUse, ttlS))
      return { ...session, lastUsedAt }
    },

    async update({ credential, key, record: before }, tokens, options = {}) {
      const found = await readSession({ store, seal, now }, credential, key)
      if (found === undefined || !hasTokensOf(found.session.record, before)) return undefined
      const record = renewRecord(found.session.record, tokens, options)
      // Over this very value alone: a holder whose lease ran out cannot write over what came after it, and nothing
      // revives a session that ended meanwhile.
      const sealed = sealSession(seal, { key, credential, record })
      if (!(await change(key, () => store.swap(key, found.sealed, sealed, ttlOf(record, now()))))) return undefined
      if (record.generation > before.generation) await events.publish(key, { type: 'refreshed' })
      return { ...found.session, record }
    },

    end,

    async replace(key) {
      await end(key, 'logout', 'replaced')
    },

    async findEnd(key) {
      const ending = await endings.find(key)
      return ending === 'replaced' ? 'logout' : ending
    },

    async isCookieKept(credential) {
      const key = sessionKey(credential)
      const [ending, sealed] = await Promise.all([endings.find(key), store.get(key)])
      if (ending === 'replaced') return true
      if (sealed === undefined) return false
      // The key may have arrived since the session was looked for: then it is there after all.
      return !hasKeyOf(seal, sealed) || (await load(credential, key)) !== undefined
    },
  }
}

/** What the store has under a key, as far as this credential opens it and its limits let it live. */
async function readSession(
  { store, seal, now }: Pick<SessionsDeps, 'store' | 'seal' | 'now'>,
  credential: string,
  key: string,
): Promise<{ session: Session; sealed: string } | undefined> {
  const [sealed, sealedUse] = await Promise.all([store.get(key), store.get(usedKey(key))])
  if (sealed === undefined) return undefined
  const record = openSession(seal, { key, credential }, sealed)
  if (record === undefined) return undefined
  const lastUse = sealedUse === undefined ? undefined : seal.open('session-use', key, sealedUse)
  const session = { key, credential, record, lastUsedAt: lastUse === undefined ? record.createdAt : Number(lastUse) }
  return isLive(session, now()) ? { session, sealed } : undefined
}

function buildRecord(input: NewSession, limits: Config['session'], createdAt: number): SessionRecord {
  const { refreshTokenExpiresAt = Number.POSITIVE_INFINITY, ...rest } = input
  const { idleS, maxS } = input.kind === 'browser-cookie' ? limits.browser : limits.app
  // Past the refresh token's life the session could do nothing for its user any more (SC-10).
  const expiresAt = Math.min(createdAt + maxS, Math.floor(refreshTokenExpiresAt))
  return { ...rest, generation: 1, id: createSecret(16), createdAt, expiresAt, idleS }
}

const renewRecord = (
  before: SessionRecord,
  tokens: SessionTokens,
  { isRefresh = true, claims = {} }: UpdateOptions,
): SessionRecord => ({
  ...before,
  tokens,
  claims: { ...before.claims, ...claims },
  generation: before.generation + (isRefresh ? 1 : 0),
})

const isTouchDue = ({ record, lastUsedAt }: Session, now: number, exact = false): boolean =>
  Math.floor(now) - lastUsedAt >= (exact ? 1 : Math.max(1, Math.min(60, Math.floor(record.idleS / 20))))

const hasTokensOf = (a: SessionRecord, b: SessionRecord): boolean =>
  a.generation === b.generation && a.tokens.refreshToken === b.tokens.refreshToken

const ttlOf = ({ expiresAt, idleS }: SessionRecord, now: number): number =>
  Math.max(1, Math.ceil(Math.min(expiresAt - now, idleS)) + SLACK_S)
