import { setTimeout as sleep } from 'node:timers/promises'
import { bare, type Contender, type StartContender } from './contender.ts'
import { runClosed } from './load/closed.ts'
import type { Options } from './options.ts'
import type { Comparison, Slice } from './results.ts'
import { least, median, round } from './statistics.ts'

export const CONNECTIONS = 64

/** One case: a server, and what it is held against. */
export interface Case {
  readonly name: string
  readonly subject: StartContender
  readonly other: StartContender
}

/** What most cases are held against: started and warmed once. */
let warmBare: Promise<Contender> | undefined

/** What else is measured of a case before its servers stop: they are warm, as nothing else here is. */
export type WhileWarm = (warm: {
  readonly result: Comparison
  readonly subject: Contender
  readonly other: Contender
}) => Promise<void>

/** At the end of a run: until then this process does not end. */
export async function stopBare(): Promise<void> {
  await (await warmBare)?.stop()
  warmBare = undefined
}

/**
 * Other, case, other, case …: each slice is held against the one beside it, so a drifting machine drifts in both. Both are
 * warm before the first one.
 */
export async function compare(
  one: Case,
  { rounds, seconds, warmUpS }: Pick<Options, 'rounds' | 'seconds' | 'warmUpS'>,
  whileWarm?: WhileWarm,
): Promise<Comparison> {
  const isBare = one.other === bare
  if (isBare) warmBare ??= bare().then((started) => warmUp(started, warmUpS))
  const other = await (isBare && warmBare !== undefined
    ? warmBare
    : one.other().then((started) => warmUp(started, warmUpS)))
  const slices: Comparison['slices'][number][] = []
  const subject = await one.subject()
  try {
    await warmUp(subject, warmUpS)
    for (let index = 0; index < rounds; index++) {
      slices.push({ other: await measure(other, seconds), subject: await measure(subject, seconds) })
    }
    const { rssMb } = await subject.usage()
    const result = summarize(one.name, slices, rssMb)
    await whileWarm?.({ result, subject, other })
    return result
  } finally {
    await subject.stop()
    if (!isBare) await other.stop()
  }
}

/**
 * What a process answers first it answers slowly: that is not counted. V8 compiles what runs often beside the load, on the
 * one core that the server has; after half a second a request still costs twice as much as after four. Of CPU, since by the
 * clock a busy machine would get less of it.
 */
async function warmUp(contender: Contender, seconds: number): Promise<Contender> {
  const giveUpAt = performance.now() + 3 * seconds * 1000
  const { cpuUs: before } = await contender.usage()
  while ((await contender.usage()).cpuUs - before < seconds * 1e6 && performance.now() < giveUpAt) {
    await runClosed({ ...contender, connections: CONNECTIONS, durationMs: 200 })
  }
  return contender
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
    cpu_ratio: round(
      least(slices.map(({ other }) => other.cpu_us)) / least(slices.map(({ subject }) => subject.cpu_us)),
      3,
    ),
    per_second: median(slices.map(({ subject }) => subject.per_second)),
    cpu_us: round(median(slices.map(({ subject }) => subject.cpu_us)), 1),
    rss_mb: Math.round(rssMb),
    failed: slices.reduce((sum, { subject, other }) => sum + subject.failed + other.failed, 0),
    slices,
  }
}
