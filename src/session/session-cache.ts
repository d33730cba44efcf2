import type { Session } from './record.ts'

/** Opened sessions, so that a request need not read and decrypt what the last one did. */
export interface SessionCache {
  /** By the credential as it came, which spares a request its hash; a guess is as hopeless as at the store. */
  get(credential: string): Session | undefined
  /**
   * Reads, and keeps what was found, unless the session was forgotten meanwhile: then the read may have seen what was
   * there before.
   *
   * @param key the store's
   */
  keep(key: string, read: () => Promise<Session | undefined>): Promise<Session | undefined>
  /** By the store's key: whoever changes or ends a session need not hold its credential. */
  forget(key: string): void
  forgetAll(): void
}

/**
 * Bounded by two generations: the young one fills, then becomes the old one, and what nobody asked for since is dropped.
 * (Evicting a Map's first key, one at a time, costs more than the request it serves.)
 *
 * Only a read fills it. What is written is not kept but forgotten, so that there is one way in to be guarded.
 *
 * @param generationMax sessions per generation; twice as many are held at most
 * @param keys what opened them: another object once a key was added or taken away, and then everything is forgotten. A
 *   key that is not in `SESSION_KEYS` any more opens nothing, what was opened before included.
 * @param isCurrent false while there may be changes of which nobody has told: nothing is served then, and nothing kept
 */
export function createSessionCache(
  generationMax: number,
  keys: () => unknown,
  isCurrent: () => boolean = () => true,
): SessionCache {
  let young = createGeneration()
  let old = createGeneration()
  /** Reads that are under way, by the key that they read. */
  const readings = new Map<string, Set<object>>()
  let openedBy = keys()

  const put = (session: Session): void => {
    if (young.sessions.size >= generationMax) {
      old = young
      young = createGeneration()
    }
    young.sessions.set(session.credential, session)
    young.credentials.set(session.key, session.credential)
  }

  const forgetAll = (): void => {
    readings.clear()
    young = createGeneration()
    old = createGeneration()
  }

  const forgetWhatOtherKeysOpened = (): void => {
    const current = keys()
    if (current === openedBy) return
    openedBy = current
    forgetAll()
  }

  return {
    get(credential) {
      if (!isCurrent()) return undefined
      forgetWhatOtherKeysOpened()
      const session = young.sessions.get(credential)
      if (session !== undefined) return session
      const older = old.sessions.get(credential)
      if (older !== undefined) put(older)
      return older
    },

    async keep(key, read) {
      if (!isCurrent()) return read()
      const own = {}
      const together = readings.get(key) ?? new Set()
      readings.set(key, together.add(own))
      try {
        const session = await read()
        if (session !== undefined && readings.get(key) === together) put(session)
        return session
      } finally {
        together.delete(own)
        if (together.size === 0 && readings.get(key) === together) readings.delete(key)
      }
    },

    forget(key) {
      readings.delete(key)
      forget(young, key)
      forget(old, key)
    },

    forgetAll,
  }
}

const createGeneration = () => ({ sessions: new Map<string, Session>(), credentials: new Map<string, string>() })

function forget({ sessions, credentials }: ReturnType<typeof createGeneration>, key: string): void {
  const credential = credentials.get(key)
  if (credential === undefined) return
  sessions.delete(credential)
  credentials.delete(key)
}
