const systemNow = Date.now
/** One offset per simulator of this process; the process's clock is ahead by their sum. */
const offsets = new Map<symbol, number>()

function apply(): void {
  const totalMs = [...offsets.values()].reduce((sum, ms) => sum + ms, 0)
  Date.now = totalMs === 0 ? systemNow : () => systemNow() + totalMs
}

/**
 * Moves time, for tests of expiry that do not sleep.
 *
 * The provider reads `Date.now()`, so moving its clock moves `Date.now()` of **the whole process**: a service under test
 * that runs in the same process moves along. To move the two apart, run the simulator as a process of its own and use
 * `POST /control/clock`. Until `advance` or `offsetS` is used, `Date.now` is untouched; `restore` (and the
 * simulator's `close`) puts it back.
 */
export interface Clock {
  /** Seconds by which this simulator has moved the process's clock; may be set, also to less than before. */
  offsetS: number
  advance(seconds: number): void
  restore(): void
}

/** A clock of its own for each simulator, so that closing one does not undo another's. */
export function createClock(): Clock {
  const id = Symbol('clock')
  const set = (seconds: number): void => {
    if (!Number.isFinite(seconds)) throw new Error('the clock moves by a finite number of seconds')
    if (seconds === 0) offsets.delete(id)
    else offsets.set(id, seconds * 1000)
    apply()
  }
  return {
    get offsetS() {
      return (offsets.get(id) ?? 0) / 1000
    },
    set offsetS(seconds) {
      set(seconds)
    },
    advance(seconds) {
      set(this.offsetS + seconds)
    },
    restore() {
      set(0)
    },
  }
}
