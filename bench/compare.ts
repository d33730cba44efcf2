import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender, StartContender } from './contender.ts'
import { runClosed } from './load/closed.ts'
import type { Options } from './options.ts'
import type { Comparison, Slice } from './results.ts'
import { median, round } from './statistics.ts'

export const CONNECTIONS = 64

/** One case: a server, and what it is held against. */
export interface Case {
  readonly name: string
  readonly subject: StartContender
  readonly other: StartContender
  /** False where a start takes too long for one a round. */
  readonly startsAnew?: boolean
}

/**
 * Other, case, other, case …: each slice is held against the one beside it, so a drifting machine drifts in both. The case
 * is started anew for each round, since the speed of one process is not that of the next.
 */
export async function compare(
  one: Case,
  { rounds, seconds }: Pick<Options, 'rounds' | 'seconds'>,
): Promise<Comparison> {
  const { startsAnew = true } = one
  const other = await one.other()
  const slices: Comparison['slices'][number][] = []
  let subject: Contender | undefined
  let rssMb = 0
  try {
    await warmUp(other)
    for (let index = 0; index < rounds; index++) {
      if (subject === undefined) {
        subject = await one.subject()
        await warmUp(subject)
      }
      slices.push({ other: await measure(other, seconds), subject: await measure(subject, seconds) })
      rssMb = Math.max(rssMb, (await subject.usage()).rssMb)
      if (startsAnew) {
        await subject.stop()
        subject = undefined
      }
    }
  } finally {
    await subject?.stop()
    await other.stop()
  }
  return summarize(one.name, slices, rssMb)
}

/** Of CPU, for V8 to have compiled what runs often; by the clock a busy machine would get less of it. */
const WARM_UP_US = 500_000
const WARM_UP_MS_MAX = 10_000

/** What a process answers first it answers slowly: that is not counted. */
async function warmUp(contender: Contender): Promise<void> {
  const giveUpAt = performance.now() + WARM_UP_MS_MAX
  const { cpuUs: before } = await contender.usage()
  while ((await contender.usage()).cpuUs - before < WARM_UP_US && performance.now() < giveUpAt) {
    await runClosed({ ...contender, connections: CONNECTIONS, durationMs: 100 })
  }
}

async function measure(contender: Contender, seconds: number): Promise<Slice> {
  const before = await contender.usage()
  const { perSecond, answered, failed } = await runClosed({
    ...contender,
    connections: CONNECTIONS,
    durationMs: seconds * 1000,
  })
  const after = await contender.usage()
  await sleep(20) // For the server to see its connections end, so that this is not in the next slice.
  return { per_second: Math.round(perSecond), cpu_us: round((after.cpuUs - before.cpuUs) / answered, 2), failed }
}

function summarize(name: string, slices: Comparison['slices'], rssMb: number): Comparison {
  return {
    case: name,
    ratio: round(median(slices.map(({ subject, other }) => subject.per_second / other.per_second)), 3),
    cpu_ratio: round(median(slices.map(({ subject, other }) => other.cpu_us / subject.cpu_us)), 3),
    per_second: median(slices.map(({ subject }) => subject.per_second)),
    cpu_us: round(median(slices.map(({ subject }) => subject.cpu_us)), 1),
    rss_mb: Math.round(rssMb),
    failed: slices.reduce((sum, { subject, other }) => sum + subject.failed + other.failed, 0),
    slices,
  }
}
