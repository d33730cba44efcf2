import { CONNECTIONS } from '../compare.ts'
import { signedIn } from '../contender.ts'
import { type OpenResult, runOpen } from '../load/open.ts'
import type { Options } from '../options.ts'
import type { Place } from '../places.ts'
import type { Latency } from '../results.ts'
import { median, round } from '../statistics.ts'
import { SESSION } from './session.ts'

/** Of what the closed loop got answered: a service that is run near its limit waits in line, however fast it is. */
const SHARE_OF_CAPACITY = 0.5

/** How long a session hit takes while requests come at a constant rate. */
export async function measureLatency(place: Place, capacity: number, { rounds, seconds }: Options): Promise<Latency> {
  const contender = await signedIn(place, SESSION)()
  const perSecond = Math.round(capacity * SHARE_OF_CAPACITY)
  const run = (durationMs: number): Promise<OpenResult> =>
    runOpen({ ...contender, connections: CONNECTIONS, perSecond, durationMs })
  const results: OpenResult[] = []
  try {
    await run(seconds * 1000) // Warm-up, not counted.
    for (let index = 0; index < rounds; index++) results.push(await run(seconds * 2000))
  } finally {
    await contender.stop()
  }
  const middle = (pick: (result: OpenResult) => number): number => round(median(results.map(pick)), 3)
  return {
    case: `session hit, ${place.name}, at half of its capacity`,
    per_second: perSecond,
    p50: middle(({ p50 }) => p50),
    p99: middle(({ p99 }) => p99),
    p999: middle(({ p999 }) => p999),
    max: middle(({ max }) => max),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
    rounds: results,
  }
}
