import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'

/** Contract §5. */
const PROMISED_MS = 2000

/**
 * A machine that is busy with other work holds up a page now and then. A page that hears nothing asks by itself, but
 * only after 30 s: it cannot be in time in that way.
 */
const OUTER_MS = 10_000

/**
 * That pages came to show an event in time: the median in the time that is promised, and none much later.
 *
 * @param at when the service answered the request that caused it, epoch milliseconds
 * @param seen when each page showed it
 */
export function assertInTime(t: TestContext, at: number, seen: readonly number[]): void {
  const delays = seen.map((time) => time - at).sort((a, b) => a - b)
  const median = delays[Math.floor(delays.length / 2)] ?? Number.NaN
  const worst = delays.at(-1) ?? Number.NaN
  t.diagnostic(`shown after ${median} ms (median of ${delays.length}), ${worst} ms at most`)
  assert.ok(median <= PROMISED_MS, `median ${median} ms`)
  assert.ok(worst <= OUTER_MS, `${worst} ms`)
}
