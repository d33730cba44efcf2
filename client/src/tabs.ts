import { getOrigin } from './origin.ts'
import type { EndReason } from './types.ts'

/** What a tab knows just now. */
export interface News {
  /** Public id of the session; null when nobody is signed in. */
  readonly id: string | null
  readonly reason?: EndReason | undefined
}

/** Of this page's origin, with the same service. */
export interface Tabs {
  tell(news: News): void
  close(): void
}

const getName = (): string => `oten-bff ${getOrigin()}`

/** @param onNews hears what other tabs tell */
export function openTabs(onNews?: (news: News) => void): Tabs {
  const channel = new BroadcastChannel(getName())
  channel.onmessage = ({ data }) => onNews?.(data)
  return { tell: (news) => channel.postMessage(news), close: () => channel.close() }
}

/** Runs in one tab at a time; in the next one when that tab is gone. Never throws. */
export async function runInOneTab(run: () => Promise<void>, signal: AbortSignal): Promise<void> {
  // Only secure contexts have locks: elsewhere each tab is on its own.
  if (!navigator.locks) return run()
  await navigator.locks.request(getName(), { signal }, run).catch(() => {}) // Stopped before its turn.
}
