import { readFileSync, writeFileSync } from 'node:fs'
import type { KeyCost } from './kept-keys.ts'
import type { ActionCost } from './measure-actions.ts'
import type { ServiceCosts } from './measure-cpu.ts'
import type { RedisCpu } from './measure-redis.ts'

/** All that was measured; `measure.ts` writes it. */
export interface Costs extends ServiceCosts {
  readonly machine: { readonly node: string; readonly redis: string; readonly cores: number; readonly cpu: string }
  readonly actions: Readonly<Record<string, ActionCost>>
  readonly kinds: Readonly<Record<string, KeyCost>>
  /** Of one session in Redis, all its keys and their place in its tables; without the note of its last use. */
  readonly sessionOctets: number
  /** Of a user's list, by how many sessions are in it. */
  readonly listOctets: Readonly<Record<string, number>>
  readonly redisCpuUs: RedisCpu
}

const FILE = new URL('costs.json', import.meta.url)
const BENCH = new URL('../results.json', import.meta.url)

/** Cases of `npm run bench` that measure the same as an action here does. */
const BENCH_CASES: Readonly<Record<string, RegExp>> = {
  'session check, again': /^session hit, redis:.*1 k/,
  verify: /^verify, redis:/,
  'proxied call': /^proxy, of /,
  'sign-in of a page: start': /^start.*EdDSA/i,
  'sign-in of a page: callback': /^callback/i,
}

export const writeCosts = (costs: Costs): void => writeFileSync(FILE, `${JSON.stringify(costs, null, 2)}\n`)

export const readMeasured = (): Costs => JSON.parse(readFileSync(FILE, 'utf8')) as Costs // Our own file.

/** As they were measured; the processor time is that of `npm run bench` where it has it. */
export function readCosts(): Costs {
  const costs = readMeasured()
  const { results } = JSON.parse(readFileSync(BENCH, 'utf8')) as { readonly results: readonly BenchCase[] }
  const known = Object.entries(BENCH_CASES).flatMap(([action, pattern]) => {
    const found = results.find((one) => pattern.test(one.case))
    return found?.cpu_us === undefined ? [] : [[action, found.cpu_us] as const]
  })
  return { ...costs, cpuUs: { ...costs.cpuUs, ...Object.fromEntries(known) } }
}

interface BenchCase {
  readonly case: string
  readonly cpu_us?: number
}
