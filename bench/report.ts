import type { Comparison, Growth, Latency, Results, Room, StartUp, Storm, Sweep } from './results.ts'
import { shorten } from './statistics.ts'
import type { Verdict } from './targets.ts'

const NAME_WIDTH = 56

const say = (name: string, ...figures: readonly string[]): void =>
  console.log(`${name.padEnd(NAME_WIDTH)} ${figures.join('   ')}`)

const failures = (failed: number): string => (failed === 0 ? '' : `${failed} FAILED`)

/** One line for each measurement, said as soon as it is there. By the parts of `results.json`. */
export const REPORTS = {
  results: ({ case: name, ratio, cpu_ratio, per_second, cpu_us, rss_mb, failed }: Comparison) =>
    say(
      name,
      ratio.toFixed(2),
      `by CPU ${cpu_ratio.toFixed(2)}`,
      `${per_second}/s`,
      `${cpu_us} µs`,
      `${rss_mb} MB`,
      failures(failed),
    ),
  latency: ({ case: name, per_second, p50, p99, p999, failed }: Latency) =>
    say(name, `${per_second}/s`, `p50 ${p50} ms`, `p99 ${p99} ms`, `p99.9 ${p999} ms`, failures(failed)),
  storm: ({ sessions, calls, token_requests, reused, failed, took_ms }: Storm) =>
    say(
      `refresh storm, ${sessions} sessions × ${calls} calls, 2 replicas`,
      `${token_requests} token requests`,
      `${reused} tokens shown twice`,
      `${failed} calls failed`,
      `${took_ms} ms`,
    ),
  start_up: ({ case: name, ms, runs_ms }: StartUp) => say(name, `${ms} ms`, `median of ${runs_ms.length}`),
  memory: ({ idle_mb, loaded_mb, after_mb, growth_mb, load_s, per_second }: Growth) =>
    say(
      `resident memory, ${load_s} s of ${per_second}/s`,
      `idle ${idle_mb} MB`,
      `loaded ${loaded_mb} MB`,
      `afterwards ${after_mb} MB`,
      `growth ${growth_mb} MB`,
    ),
  room: ({ store, sessions, octets, content, beyond }: Room) =>
    say(
      `room of a session, ${store}, ${shorten(sessions)} sessions`,
      `${octets} octets`,
      `${content} of them tokens and claims`,
      `${beyond} beyond`,
    ),
  sweep: ({ sessions, expired, swept, took_ms, p99_ms, longest_ms }: Sweep) =>
    say(
      `sweep, file:, ${shorten(sessions)} sessions`,
      `${swept} of ${expired} expired entries in ${took_ms} ms`,
      `event loop p99 ${p99_ms} ms`,
      `longest ${longest_ms} ms`,
    ),
} as const satisfies { [Part in MeasuredPart]: (item: Results[Part][number]) => void }

/** The parts of `results.json` that are lists of measurements. */
export type MeasuredPart = {
  [Name in keyof Results]: Results[Name] extends readonly unknown[] ? Name : never
}[keyof Results]

/** The table of targets, at the end of a run. */
export function reportVerdicts(verdicts: readonly Verdict[]): void {
  console.log('')
  for (const { name, limit, value, isMet } of verdicts) {
    const figure = value === undefined ? 'not measured' : `${value}`
    console.log(`${isMet ? 'met    ' : 'NOT MET'} ${name.padEnd(62)} ${limit.padEnd(10)} ${figure}`)
  }
}
