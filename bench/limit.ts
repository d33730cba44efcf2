import type { Comparison } from './results.ts'

/** How much of a ratio may be lost to the machine and its other work. */
const TOLERATED = 0.15

/** A ratio by CPU, and how far below it another measurement may be. */
export interface Limit {
  readonly committed: number
  readonly least: number
}

/**
 * By CPU for one request, not by throughput: what else the machine does takes time from both servers, but adds little to
 * what a request costs either of them.
 *
 * @throws {Error} when there is nothing to hold a measurement against
 */
export function readLimit(committed: readonly Pick<Comparison, 'case' | 'cpu_ratio'>[], name: string): Limit {
  const found = committed.find((result) => result.case === name)
  if (found === undefined) throw new Error(`bench/results.json has no case "${name}": run npm run bench`)
  return { committed: found.cpu_ratio, least: found.cpu_ratio * (1 - TOLERATED) }
}

/** NaN, from a measurement in which nothing was answered, is slower, too. */
export const isSlower = (ratio: number, { least }: Limit): boolean => !(ratio >= least)
