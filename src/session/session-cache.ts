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
  let young = new Map<string, Session>()
  let old = new Map<string, Session>()
  let changes = 0
  let openedBy = keys()

  const forgetWhatOtherKeysOpened = (): void => {
    const current = keys()
    if (current === openedBy) return
    openedBy = current
    changes += 1
    young.clear()
    old.clear()
  }

  const put = (session: Session): void => {
    if (young.size >= generationMax) {
      old = young
      young = new Map()
    }
    young.set(session.key, session)
  }

  return {
    get(key: string): Session | undefined {
      forgetWhatOtherKeysOpened()
      const session = young.get(key)
      if (session !== undefined) return session
      const older = old.get(key)
      if (older !== undefined) put(older)
      return older
    },

    /** Keeps what was just written. */
    put(session: Session): void {
      changes += 1
      old.delete(session.key)
      put(session)
    },

    /** A mark to take before a read, for `putUnlessChanged`. */
    mark: (): number => changes,

    /** Keeps what was read, unless anything was written meanwhile: the read may have been the older value. */
    putUnlessChanged(session: Session, mark: number): void {
      if (changes === mark) put(session)
    },

    delete(key: string): void {
      changes += 1
      young.delete(key)
      old.delete(key)
    },
  }
}
