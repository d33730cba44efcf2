import { join } from 'node:path'
import { leaveServerCore, takeAllCores } from '../cores.ts'
import type { Place } from '../places.ts'
import type { StartUp } from '../results.ts'
import { MAIN, startMain } from '../servers/main-process.ts'
import type { Stage } from '../stage.ts'
import { median } from '../statistics.ts'

const RUNS = 5

/** From the start of the process to its first answer: in each form in which the service can be run. */
export async function measureStartUp(stage: Stage): Promise<StartUp[]> {
  const env = { ...(await stage.serviceEnv()), SESSION_STORE: `file:${join(stage.folder, 'start-up.db')}` }
  const cached = { ...env, NODE_COMPILE_CACHE: join(stage.folder, 'compiled') }
  await startOnce(cached, MAIN) // A process writes the cache when it ends.
  return [
    await measureStarts('start-up, the bundle of the image', env, await stage.bundle()),
    await measureStarts('start-up, the .ts files as they are', env, MAIN),
    await measureStarts('start-up, the .ts files with a warm NODE_COMPILE_CACHE', cached, MAIN),
  ]
}

/** The same with many sessions in the file. */
export const measureStartUpOver = async (stage: Stage, place: Place): Promise<StartUp> =>
  measureStarts(`start-up, ${place.name}`, place.subject.env, await stage.bundle())

async function measureStarts(name: string, env: Readonly<Record<string, string>>, main: string): Promise<StartUp> {
  takeAllCores() // A process that starts uses more than one.
  const runs: number[] = []
  for (let run = 0; run < RUNS; run++) runs.push(Math.round(await startOnce(env, main)))
  leaveServerCore()
  return { case: name, ms: median(runs), runs_ms: runs }
}

async function startOnce(env: Readonly<Record<string, string>>, main: string): Promise<number> {
  const { startedMs, stop } = await startMain(env, main)
  await stop()
  return startedMs
}
