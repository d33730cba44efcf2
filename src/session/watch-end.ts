import type { SessionEvents } from './events.ts'
import { endsAt, type Session } from './record.ts'
import type { Sessions } from './sessions.ts'

/** The longest that a timer takes; a session may have months left. */
const TIMER_MS_MAX = 2 ** 31 - 1

export interface WatchEndDeps {
  readonly sessions: Pick<Sessions, 'reload'>
  readonly events: Pick<SessionEvents, 'listen'>
  /** Epoch seconds. */
  readonly now: () => number
}

/**
 * When what was begun is still going on after this time, the session is looked at, and again until that has worked: it
 * may have ended before anybody listened, or while the store was away.
 */
const LOOK_MS = 1000

/**
 * Tells once when a session has ended, on whatever replica, or has run out: what was begun in it and still goes on should
 * end with it.
 *
 * @param firstLookMs when the session is looked at first, unless its end is told before
 * @returns ends the watch; to be called when what was begun is over
 */
export function watchEnd(
  session: Session,
  { sessions, events, now }: WatchEndDeps,
  onEnd: () => void,
  firstLookMs = LOOK_MS,
): () => void {
  let stopListening: (() => void) | undefined
  let isListening = false
  let isOver = false
  let nextLook: NodeJS.Timeout | undefined

  const stop = (): void => {
    isOver = true
    clearTimeout(limit)
    clearTimeout(nextLook)
    stopListening?.()
  }
  const end = (): void => {
    if (isOver) return
    stop()
    onEnd()
  }
  /** Not waited for: it is for what lasts, and what is short should not be held up, nor fail because of it. */
  const listen = (): void => {
    isListening = true
    events
      .listen(session.key, ({ type }) => {
        if (type === 'ended') end()
        if (type === 'gap') void look()
      })
      .then(
        (stopThis) => {
          stopListening = stopThis
          if (isOver) stopThis()
        },
        () => {
          isListening = false
        },
      )
  }
  const look = async (): Promise<void> => {
    clearTimeout(nextLook)
    if (!isListening) listen()
    let nextMs = LOOK_MS
    try {
      const found = await sessions.reload(session)
      if (found === undefined) return end()
      // Others may have slid its idle limit. Without anybody who would tell of the end, it is looked at again soon.
      if (stopListening !== undefined) nextMs = Math.max(LOOK_MS, (endsAt(found) - now()) * 1000)
    } catch {
      // The store is away: it ends nothing, and is asked again.
    }
    if (isOver) return
    clearTimeout(nextLook) // Of another look that went on meanwhile.
    nextLook = later(nextMs, () => void look())
  }

  /** The absolute limit needs nobody's word. */
  const awaitLimit = (): void => {
    const leftMs = (session.record.expiresAt - now()) * 1000
    if (leftMs <= 0) end()
    else limit = later(leftMs, awaitLimit)
  }
  let limit = later(0, awaitLimit)
  nextLook = later(Math.min(firstLookMs, (endsAt(session) - now()) * 1000), () => void look())
  listen()
  return stop
}

const later = (ms: number, run: () => void): NodeJS.Timeout =>
  setTimeout(run, Math.min(TIMER_MS_MAX, Math.max(0, ms))).unref()
