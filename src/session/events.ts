import type { Store } from '../store/store.ts'

/** Why a session was ended (contract §5). That one expired is never told: whoever listens knows the time. */
export type EndReason = 'logout' | 'backchannel' | 'revoked'

/** What happened to a session. `gap`: something may have been missed, so look again. */
export type SessionEvent =
  | { readonly type: 'refreshed' }
  | { readonly type: 'ended'; readonly reason: EndReason }
  | { readonly type: 'gap' }

export type SessionListener = (event: SessionEvent) => void

export interface SessionEvents {
  /** Tells every replica. Never throws: that a session changed does not depend on who heard of it. */
  publish(key: string, event: Exclude<SessionEvent, { type: 'gap' }>): Promise<void>
  /** Hears of one session until the returned function is called. @throws {BffError} store_unavailable */
  listen(key: string, listener: SessionListener): Promise<() => void>
  close(): void
}

const CHANNEL = 'session-events'

const REASONS: readonly unknown[] = ['logout', 'backchannel', 'revoked'] satisfies EndReason[]

/** Who else may write to the store may publish, too: what is not ours is nothing, and must not end the process. */
function parseMessage(message: string): [key: string, event: SessionEvent] | undefined {
  try {
    const [key, { type, reason }] = JSON.parse(message) as [unknown, { type?: unknown; reason?: unknown }]
    if (typeof key !== 'string') return undefined
    if (type === 'refreshed') return [key, { type }]
    return type === 'ended' && REASONS.includes(reason) ? [key, { type, reason: reason as EndReason }] : undefined
  } catch {
    return undefined
  }
}

/** One subscription per process, however many listen: the message names the session. */
export function createSessionEvents(store: Pick<Store, 'publish' | 'subscribe'>): SessionEvents {
  const listeners = new Map<string, Set<SessionListener>>()
  let subscription: Promise<() => void> | undefined

  const tell = (key: string, event: SessionEvent): void => {
    for (const listener of listeners.get(key) ?? []) listener(event)
  }

  const subscribe = (): Promise<() => void> => {
    subscription ??= store.subscribe(
      CHANNEL,
      (message) => {
        const told = parseMessage(message)
        if (told !== undefined) tell(...told)
      },
      () => {
        for (const key of listeners.keys()) tell(key, { type: 'gap' })
      },
    )
    subscription.catch(() => {
      subscription = undefined // The next listener tries again.
    })
    return subscription
  }

  return {
    async publish(key, event) {
      try {
        await store.publish(CHANNEL, JSON.stringify([key, event]))
      } catch {
        // The change itself stands; a listener that missed it finds out when it looks again.
      }
    },

    async listen(key, listener) {
      await subscribe()
      const own = listeners.get(key) ?? new Set()
      listeners.set(key, own.add(listener))
      return () => {
        own.delete(listener)
        if (own.size === 0 && listeners.get(key) === own) listeners.delete(key)
      }
    },

    close() {
      subscription?.then(
        (stop) => stop(),
        () => {},
      )
    },
  }
}
