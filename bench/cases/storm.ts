import { leaveServerCore, takeAllCores } from '../cores.ts'
import { fillRedis } from '../fill/redis.ts'
import { runBurst } from '../load/burst.ts'
import { buildRequest } from '../load/requests.ts'
import type { Storm } from '../results.ts'
import { type Server, startServer } from '../servers/spawn.ts'
import type { Stage } from '../stage.ts'

const SESSIONS = 1000
const CALLS = 20
const REPLICAS = 2
const CONNECTIONS = 250

/** Everybody's access token has run out, and everybody's page calls at once, on two replicas: one refresh for each. */
export async function measureStorm(stage: Stage): Promise<Storm> {
  takeAllCores() // Nothing is compared here.
  const store = `${(await stage.redis()).url}/1` // A database of its own: what is in the other one stays.
  const idp = await stage.idp()
  const env = {
    ...(await stage.serviceEnv()),
    SESSION_STORE: store,
    API_ROUTES: `/api/x=http://127.0.0.1:${(await stage.upstream()).port}`,
  }
  const credentials = await fillRedis(store, { env, sessions: SESSIONS, asked: SESSIONS, tokenLifeS: -1 })
  const replicas: Server[] = []
  for (let index = 0; index < REPLICAS; index++) replicas.push(await startServer({ kind: 'service', env }))
  const before = (await idp.usage()).counts
  const requests = credentials.flatMap((value) =>
    Array.from({ length: CALLS }, () => buildRequest({ path: '/api/x/1', cookie: `oten_session=${value}` })),
  )
  const { failed, tookMs } = await runBurst({
    ports: replicas.map(({ port }) => port),
    requests,
    expected: { status: 200, contains: '"orders"' },
    connections: CONNECTIONS,
  })
  const after = (await idp.usage()).counts
  for (const replica of replicas) await replica.stop()
  leaveServerCore()
  return {
    sessions: SESSIONS,
    calls: CALLS,
    token_requests: (after.refreshes ?? 0) - (before.refreshes ?? 0),
    reused: (after.reused ?? 0) - (before.reused ?? 0),
    failed,
    took_ms: Math.round(tookMs),
  }
}
