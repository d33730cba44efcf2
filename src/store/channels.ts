/** One who listens on a channel. Neither function may throw. */
export interface Listener {
  readonly onMessage: (message: string) => void
  /** Messages may have been lost. */
  readonly onGap?: (() => void) | undefined
}

/** Who listens to what, within this process. */
export interface Channels {
  /** @returns ends it; to call it again does nothing */
  add(channel: string, listener: Listener): () => void
  /** Tells everyone on the channel, at once. */
  tell(channel: string, message: string): void
  /** Tells everyone on every channel that messages may have been lost. */
  tellGap(): void
  /** The channels that someone listens to. */
  names(): string[]
  isHeard(channel: string): boolean
  clear(): void
}

/** Messages between those who share this process: all there is without Redis, the last step of the way with it. */
export function createChannels(): Channels {
  const channels = new Map<string, Set<Listener>>()
  return {
    add(channel, { onMessage, onGap }) {
      const listener = { onMessage, onGap } // Of our own, so that who listens twice is told twice.
      const listeners = channels.get(channel) ?? new Set()
      channels.set(channel, listeners.add(listener))
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0 && channels.get(channel) === listeners) channels.delete(channel)
      }
    },
    tell(channel, message) {
      for (const { onMessage } of [...(channels.get(channel) ?? [])]) onMessage(message)
    },
    tellGap() {
      for (const { onGap } of [...channels.values()].flatMap((listeners) => [...listeners])) onGap?.()
    },
    names: () => [...channels.keys()],
    isHeard: (channel) => channels.has(channel),
    clear: () => channels.clear(),
  }
}
