import type { BffError } from './errors.ts'
import { readStream, type StreamHearer } from './stream.ts'
import { runInOneTab } from './tabs.ts'

const WAIT_MS = 1000
const WAIT_MS_MAX = 30_000

export interface FollowHearer extends StreamHearer {
  /** There is no session to follow. */
  onRefused(): void
}

/**
 * Follows the stream of one session after the other, in one tab at a time, and again when it breaks off. Over HTTP/1.1 a
 * browser opens six connections to a host: a stream in each of twenty tabs would leave none for anything else.
 *
 * @param createHearer makes the one who hears of a session
 * @returns how to say which session there is now; null for none
 */
export function createFollower(createHearer: (id: string) => FollowHearer): (id: string | null) => void {
  let followed: string | null = null
  let stopping: AbortController | undefined
  return (id) => {
    if (id === followed) return
    followed = id
    stopping?.abort()
    if (id === null) return
    stopping = new AbortController()
    const { signal } = stopping
    void runInOneTab(() => keepReading(createHearer(id), signal), signal)
  }
}

async function keepReading(hearer: FollowHearer, signal: AbortSignal): Promise<void> {
  for (let failures = 0; ; failures++) {
    let retryAfterS = 0
    const onSign = (): void => {
      failures = 0
      hearer.onSign()
    }
    try {
      await readStream({ ...hearer, onSign }, signal)
    } catch (error) {
      const { status, retryAfterS: askedS = 0 } = error as Partial<BffError> // Or it broke off, and says nothing.
      if (status === 401) hearer.onRefused()
      retryAfterS = askedS
    }
    if (signal.aborted) return
    const waitMs = Math.min(WAIT_MS * 2 ** failures, WAIT_MS_MAX) * (0.5 + Math.random() / 2)
    await wait(Math.max(waitMs, retryAfterS * 1000), signal)
  }
}

const wait = (ms: number, signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
    signal.addEventListener('abort', resolve)
  })
