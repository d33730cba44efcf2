import { callback } from './cases/callback.ts'
import { measureLatency, SHARE_OF_CAPACITY } from './cases/latency.ts'
import { measureGrowth } from './cases/memory.ts'
import { proxyOfDirect, proxyOfReplyFrom } from './cases/proxy.ts'
import { measureFileRoom, measureRedisRoom } from './cases/room.ts'
import { sessionHit } from './cases/session.ts'
import { start } from './cases/start.ts'
import { measureStartUp, measureStartUpOver } from './cases/start-up.ts'
import { measureStorm } from './cases/storm.ts'
import { measureSweep } from './cases/sweep.ts'
import { verify, verifyBehindNginx } from './cases/verify.ts'
import { type Case, compare, type WhileWarm } from './compare.ts'
import type { Contender } from './contender.ts'
import type { Options } from './options.ts'
import { inFile, inMemory, inRedis, type Place } from './places.ts'
import type { Recorder } from './record.ts'
import type { Stage } from './stage.ts'

/** What the groups of cases work with. */
export interface Bench extends Recorder {
  readonly stage: Stage
  readonly options: Options
  /** Stores with a thousand sessions. */
  readonly few: { memory(): Promise<Place>; file(): Promise<Place>; redis(): Promise<Place> }
}

async function run({ options, record }: Bench, one: Case, whileWarm?: WhileWarm): Promise<void> {
  await compare(one, options, async (warm) => {
    record('results', warm.result)
    await whileWarm?.(warm)
  })
}

async function session(bench: Bench): Promise<void> {
  const memory = await bench.few.memory()
  for (const place of [memory, await bench.few.file(), await bench.few.redis()]) {
    await run(bench, sessionHit(place), async ({ result, subject, other }) => {
      const rate = Math.round(result.per_second * SHARE_OF_CAPACITY)
      const measure = (name: string, contender: Contender) => measureLatency(name, contender, rate, bench.options)
      bench.record('latency', await measure(`session hit, ${place.name}, at half of its capacity`, subject))
      // What of it is the machine, Node and the load itself. Once: a run has five minutes.
      if (place === memory) bench.record('latency', await measure('bare Fastify, at the same rate', other))
    })
  }
}

async function verifying(bench: Bench): Promise<void> {
  await run(bench, verify(await bench.few.file()))
  await run(bench, verify(await bench.few.redis()))
  await run(bench, verifyBehindNginx(bench.stage, await bench.few.file()))
}

async function proxying(bench: Bench): Promise<void> {
  await run(bench, await proxyOfReplyFrom(bench.stage, await bench.few.file()))
  await run(bench, await proxyOfDirect(bench.stage, await bench.few.file()))
}

async function signIn(bench: Bench): Promise<void> {
  await run(bench, await start(bench.stage, 'EdDSA'))
  await run(bench, await start(bench.stage, 'HS256'))
  await run(bench, await callback(bench.stage, bench.options))
}

async function storm({ stage, record }: Bench): Promise<void> {
  record('storm', await measureStorm(stage))
}

async function startUp({ stage, record }: Bench): Promise<void> {
  for (const result of await measureStartUp(stage)) record('start_up', result)
}

const GROWTH_PER_SECOND = 5000
const GROWTH_LOAD_S = 10

async function memory({ stage, few, record }: Bench): Promise<void> {
  record('memory', await measureGrowth(stage, await few.file(), GROWTH_PER_SECOND, GROWTH_LOAD_S))
}

/** One store after the other, since each takes gigabytes. */
async function many(bench: Bench): Promise<void> {
  const { stage, options, record } = bench
  const { sessions } = options
  await run(bench, sessionHit(await inMemory(stage, sessions)))

  const file = await inFile(stage, sessions)
  record('room', measureFileRoom(file, sessions))
  await run(bench, sessionHit(file))
  record('start_up', await measureStartUpOver(stage, file))
  record('sweep', await measureSweep(file, sessions))
  await file.remove()

  await (await stage.redis()).restart() // Whatever the other cases left there is not to be counted.
  const redis = await inRedis(stage, sessions)
  record('room', await measureRedisRoom(stage, redis, sessions))
  await run(bench, sessionHit(redis))
}

/** By the names that `--only` takes, in the order in which they run. */
export const GROUPS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  session,
  verify: verifying,
  proxy: proxying,
  'sign-in': signIn,
  storm,
  'start-up': startUp,
  memory,
  many,
}

const FEW = 1000

/** The stores with few sessions, each made when it is first needed. */
export function createFew(stage: Stage): Bench['few'] {
  const made = new Map<unknown, Promise<Place>>()
  const get = (make: typeof inFile) => (): Promise<Place> => {
    const place = made.get(make) ?? make(stage, FEW)
    made.set(make, place)
    return place
  }
  return { memory: get(inMemory), file: get(inFile), redis: get(inRedis) }
}
