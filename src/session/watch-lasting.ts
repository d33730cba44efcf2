import type { Session } from './record.ts'
import { type WatchEndDeps, watchEnd } from './watch-end.ts'

/** What is over within one to two of these was never watched: most calls are, and to watch one costs as much as to make it. */
const YOUNG_MS = 200

/** Watches the sessions of what goes on for longer than a moment. */
export interface LastingWatch {
  /** Tells when the session has ended, soon after, while what was begun still goes on. @returns to be called when it is over */
  begin(session: Session, onEnd: () => void): () => void
}

interface Begun {
  readonly session: Session
  readonly onEnd: () => void
  /** The step in which it began. */
  readonly step: number
  stop: (() => void) | undefined
}

/**
 * At each step, what has outlived a whole one is watched for real, and looked at at once. What is young waits in numbered
 * places: a Set from which most is taken again at once would leave tables behind that keep the dead alive (measured: it
 * doubles the cost of a call).
 */
export function createLastingWatch(deps: WatchEndDeps): LastingWatch {
  const places: (Begun | undefined)[] = []
  const free: number[] = []
  let steps = 0
  let isStepping = false

  const leave = (place: number): void => {
    places[place] = undefined
    free.push(place)
  }

  const step = (): void => {
    steps += 1
    for (const [place, begun] of places.entries()) {
      if (begun === undefined || begun.step > steps - 2) continue
      leave(place)
      begun.stop = watchEnd(begun.session, deps, begun.onEnd, 0)
    }
    isStepping = free.length < places.length
    if (isStepping) setTimeout(step, YOUNG_MS).unref()
  }

  return {
    begin(session, onEnd) {
      const begun: Begun = { session, onEnd, step: steps, stop: undefined }
      const place = free.pop() ?? places.length
      places[place] = begun
      if (!isStepping) setTimeout(step, YOUNG_MS).unref()
      isStepping = true
      return () => {
        if (begun.stop !== undefined) begun.stop()
        else if (places[place] === begun) leave(place)
      }
    },
  }
}
