import { CONNECTIONS } from '../compare.ts'
import type { Contender } from '../contender.ts'
import { type OpenResult, runOpen } from '../load/open.ts'
import type { Options } from '../options.ts'
import type { Latency } from '../results.ts'
import { median, round } from '../statistics.ts'

/** Of what the closed loop got answered: a service that is run near its limit waits in line, however fast it is. */
export const SHARE_OF_CAPACITY = 0.5

/**
 * How long an answer takes while requests come at a constant rate.
 *
 * @param name as it stands in `results.json`
 * @param contender warm, or the rounds would show how V8 compiles
 */
export async function measureLatency(
  name: string,
  contender: Contender,
  perSecond: number,
  { rounds, seconds }: Pick<Options, 'rounds' | 'seconds'>,
): Promise<Latency> {
  const results: OpenResult[] = []
  for (let index = 0; index < rounds; index++) {
    results.push(await runOpen({ ...contender, connections: CONNECTIONS, perSecond, durationMs: seconds * 2000 }))
  }
  const middle = (pick: (result: OpenResult) => number): number => round(median(results.map(pick)), 3)
  return {
    case: name,
    per_second: perSecond,
    p50: middle(({ p50 }) => p50),
    p99: middle(({ p99 }) => p99),
    p999: middle(({ p999 }) => p999),
    max: middle(({ max }) => max),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
    rounds: results,
  }
}
