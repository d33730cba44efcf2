import type { SessionEvents } from './events.ts'
import type { Session } from './record.ts'
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
 * Tells once when a session has ended, on whatever replica, or has reached its absolute limit: what was begun in it and
 * still goes on should end with it.
 *
 * @returns ends the watch; to be called when what was begun is over
 */
export function watchEnd(session: Session, { sessions, events, now }: WatchEndDeps, onEnd: () => void): () => void {
  let stopListening: (() => void) | undefined
  let isOver = false

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
  const listen = async (): Promise<void> => {
    const stopThis = await events.listen(session.key, ({ type }) => {
      if (type === 'ended') end()
      if (type === 'gap') void look()
    })
    stopListening = stopThis
    if (isOver) stopThis()
  }
  const look = async (): Promise<void> => {
    clearTimeout(nextLook)
    try {
      if (stopListening === undefined) await listen()
      if ((await sessions.reload(session)) === undefined) end()
    } catch {
      if (!isOver) nextLook = lookLater()
    }
  }
  const lookLater = (): NodeJS.Timeout => setTimeout(() => void look(), LOOK_MS).unref()

  const leftMs = (session.record.expiresAt - now()) * 1000
  const limit = setTimeout(end, Math.min(TIMER_MS_MAX, Math.max(0, leftMs))).unref()
  let nextLook = lookLater()
  // Not waited for: it is for what lasts, and what is short should not be held up, nor fail because of it.
  listen().catch(() => {})
  return stop
}
