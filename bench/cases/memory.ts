import { setTimeout as sleep } from 'node:timers/promises'
import { CONNECTIONS } from '../compare.ts'
import { runOpen } from '../load/open.ts'
import { buildRequest, cycle } from '../load/requests.ts'
import type { Place } from '../places.ts'
import type { Growth } from '../results.ts'
import { startMain } from '../servers/main-process.ts'
import type { Stage } from '../stage.ts'
import { SESSION } from './session.ts'

/** For V8 to give back what it kept at hand for the load. */
const REST_MS = 3000

/** Resident memory of the bundle, which is what the image has: when idle, under load, and after it. */
export async function measureGrowth(stage: Stage, place: Place, perSecond: number, loadS: number): Promise<Growth> {
  const main = await startMain(place.subject.env, await stage.bundle())
  await sleep(1000)
  const idleMb = main.rssMb()
  const requests = (place.credentials ?? []).map((value) =>
    buildRequest({ ...SESSION, cookie: `oten_session=${value}` }),
  )
  await runOpen({
    port: main.port,
    next: cycle(requests),
    expected: SESSION.expected,
    connections: CONNECTIONS,
    perSecond,
    durationMs: loadS * 1000,
  })
  const loadedMb = main.rssMb()
  await sleep(REST_MS)
  const afterMb = main.rssMb()
  await main.stop()
  return {
    idle_mb: Math.round(idleMb),
    loaded_mb: Math.round(loadedMb),
    after_mb: Math.round(afterMb),
    growth_mb: Math.round(afterMb - idleMb),
    load_s: loadS,
    per_second: perSecond,
  }
}
