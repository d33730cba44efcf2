/** Between two rounds. Expiry is checked at every read: the sweep only gives space back, so it is in no hurry. */
const IDLE_MS = 1000

/**
 * Reclaims what has expired, a step at a time, so that requests pass in between. Does not keep the process alive.
 *
 * @param step one bounded piece of the work; true when the round has more
 * @param pauseMs between two steps of a round, at least; after a long one, as on a slow disk, as long as it took
 * @returns stops it
 */
export function startSweep(step: () => boolean, pauseMs: number): () => void {
  let stopped = false
  let timer = setTimeout(tick, IDLE_MS).unref()
  function tick(): void {
    const began = performance.now()
    let more = false
    try {
      more = step()
    } catch {
      // A store that cannot sweep cannot write either, and says so to the next caller. Thrown from a timer, the same
      // fault would end the process.
    }
    const restMs = more ? Math.max(pauseMs, performance.now() - began) : IDLE_MS
    if (!stopped) timer = setTimeout(tick, restMs).unref()
  }
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
