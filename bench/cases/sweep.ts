import { leaveServerCore, takeAllCores } from '../cores.ts'
import { expireOldest } from '../fill/file.ts'
import { runOpen } from '../load/open.ts'
import { buildRequest, cycle } from '../load/requests.ts'
import type { Place } from '../places.ts'
import type { Sweep } from '../results.ts'
import { startServer } from '../servers/spawn.ts'
import { SESSION } from './session.ts'

/** As if that many sessions had ended at the same time. */
const EXPIRED_SHARE = 0.02
const WATCHED_MS = 6000
const PER_SECOND = 500
const CONNECTIONS = 16

/** The store reclaims expired sessions out of many, while requests come. How long is the event loop held up? */
export async function measureSweep(place: Place, sessions: number): Promise<Sweep> {
  const { path = '', subject, credentials = [] } = place
  takeAllCores()
  const expired = await expireOldest(path, Math.floor(sessions * EXPIRED_SHARE))
  leaveServerCore()
  const server = await startServer({ ...subject, watchSweep: path }, { isMeasured: true })
  const requests = credentials.map((value) => buildRequest({ ...SESSION, cookie: `oten_session=${value}` }))
  const load = {
    port: server.port,
    next: cycle(requests),
    expected: { status: 200 },
    connections: CONNECTIONS,
    perSecond: PER_SECOND,
  }
  await runOpen({ ...load, durationMs: 500 }) // The first sweep begins a second after the start.
  await server.usage()
  const began = performance.now()
  await runOpen({ ...load, durationMs: WATCHED_MS })
  const { counts } = await server.usage()
  const tookMs = performance.now() - began
  await server.stop()
  return {
    sessions,
    expired,
    swept: counts.swept ?? Number.NaN,
    took_ms: Math.round(tookMs),
    p99_ms: Math.round((counts.p99Ms ?? Number.NaN) * 10) / 10,
    longest_ms: Math.round((counts.longestMs ?? Number.NaN) * 10) / 10,
  }
}
