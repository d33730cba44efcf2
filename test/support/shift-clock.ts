/**
 * Preloaded into a process whose clock should be wrong: `TEST_CLOCK_OFFSET_S` seconds ahead, or behind when negative.
 * Moves what `Date` says; timers go on as they do on a machine whose clock is wrong.
 */
const offsetMs = Number(process.env.TEST_CLOCK_OFFSET_S) * 1000
if (!Number.isFinite(offsetMs)) throw new Error('TEST_CLOCK_OFFSET_S must be a number')

const RealDate = Date

class ShiftedDate extends RealDate {
  constructor(...parts: [] | [number | string | Date] | [number, number]) {
    if (parts.length === 0) super(RealDate.now() + offsetMs)
    else super(...(parts as [number]))
  }

  static override now(): number {
    return RealDate.now() + offsetMs
  }
}

globalThis.Date = ShiftedDate as DateConstructor
