import type { Session } from './record.ts'

/**
 * Opened sessions, so that a request need not read and decrypt what the last one did. Bounded by two generations: the
 * young one fills, then becomes the old one, and what nobody asked for since is dropped. (Evicting a Map's first key,
 * one at a time, costs more than the request it serves.)
 *
 * Only for a store that no other process writes to, and only for what its owner tells it of: an ended or changed
 * session must leave it in the same step.
 *
 * @param generationMax sessions per generation; twice as many are held at most
 * @param keys what opened them: another object once a key was added or taken away, and then everything is forgotten. A
 *   key that is not in `SESSION_KEYS` any more opens nothing, what was opened before included.
 */
export function createSessionCache(generationMax: number, keys: () => unknown) {
  let young = createGeneration()
  let old = createGeneration()
  let changes = 0
  let openedBy = keys()

  const forgetWhatOtherKeysOpened = (): void => {
    const current = keys()
    if (current === openedBy) return
    openedBy = current
    changes += 1
    young = createGeneration()
    old = createGeneration()
  }

  const put = (session: Session): void => {
    if (young.sessions.size >= generationMax) {
      old = young
      young = createGeneration()
    }
    young.sessions.set(session.credential, session)
    young.credentials.set(session.key, session.credential)
  }

  return {
    /** By the credential as it came, which spares a request its hash; a guess is as hopeless as at the store. */
    get(credential: string): Session | undefined {
      forgetWhatOtherKeysOpened()
      const session = young.sessions.get(credential)
      if (session !== undefined) return session
      const older = old.sessions.get(credential)
      if (older !== undefined) put(older)
      return older
    },

    /** Keeps what was just written. */
    put(session: Session): void {
      changes += 1
      forget(old, session.key)
      put(session)
    },

    /** A mark to take before a read, for `putUnlessChanged`. */
    mark: (): number => changes,

    /** Keeps what was read, unless anything was written meanwhile: the read may have been the older value. */
    putUnlessChanged(session: Session, mark: number): void {
      if (changes === mark) put(session)
    },

    /** By the store's key: whoever ends a session need not hold its credential. */
    delete(key: string): void {
      changes += 1
      forget(young, key)
      forget(old, key)
    },
  }
}

const createGeneration = () => ({ sessions: new Map<string, Session>(), credentials: new Map<string, string>() })

function forget({ sessions, credentials }: ReturnType<typeof createGeneration>, key: string): void {
  const credential = credentials.get(key)
  if (credential === undefined) return
  sessions.delete(credential)
  credentials.delete(key)
}
