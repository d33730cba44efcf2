import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { leaveServerCore, takeAllCores } from './cores.ts'
import { fillFile } from './fill/file.ts'
import { fillRedis } from './fill/redis.ts'
import type { FillPlan } from './fill/sessions.ts'
import type { ServiceSubject } from './servers/subject.ts'
import type { Stage } from './stage.ts'
import { shorten } from './statistics.ts'

/** How many sessions the load asks for, over and over: those who are here right now, of all who have a session. */
const ASKED = 2000

/** Of more sessions there may be more octets than V8 lets a process have by default. */
const HEAP_SESSIONS_MAX = 100_000

/** A store with sessions in it, for any number of services in turn. */
export interface Place {
  /** As the names of the cases say it. */
  readonly name: string
  readonly subject: ServiceSubject
  /** Undefined where the service has to make them: it says them when it listens. */
  readonly credentials: readonly string[] | undefined
  readonly nodeOptions: readonly string[]
  /** Of the file. */
  readonly path?: string
  remove(): Promise<void>
}

const buildPlan = (env: FillPlan['env'], sessions: number): FillPlan => ({
  env,
  sessions,
  asked: Math.min(ASKED, sessions),
  tokenLifeS: 3600,
})

/** In the process, which fills itself. */
export async function inMemory(stage: Stage, sessions: number): Promise<Place> {
  const env = { ...(await stage.serviceEnv()), SESSION_STORE: 'memory:' }
  const { asked } = buildPlan(env, sessions)
  return {
    name: `memory:, ${shorten(sessions)} sessions`,
    subject: { kind: 'service', env, fill: { sessions, asked } },
    credentials: undefined,
    nodeOptions: sessions > HEAP_SESSIONS_MAX ? ['--max-old-space-size=12288'] : [],
    remove: async () => {},
  }
}

/** In a SQLite file. */
export async function inFile(stage: Stage, sessions: number): Promise<Place> {
  const path = join(stage.folder, `${sessions}-sessions.db`)
  const env = { ...(await stage.serviceEnv()), SESSION_STORE: `file:${path}` }
  const credentials = await onAllCores(() => fillFile(path, buildPlan(env, sessions)))
  return {
    name: `file:, ${shorten(sessions)} sessions`,
    subject: { kind: 'service', env },
    credentials,
    nodeOptions: [],
    path,
    async remove() {
      for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
    },
  }
}

/** In a Redis, which is empty again afterwards. */
export async function inRedis(stage: Stage, sessions: number): Promise<Place> {
  const redis = await stage.redis()
  const env = { ...(await stage.serviceEnv()), SESSION_STORE: redis.url }
  const credentials = await onAllCores(() => fillRedis(redis.url, buildPlan(env, sessions)))
  return {
    name: `Redis, ${shorten(sessions)} sessions`,
    subject: { kind: 'service', env },
    credentials,
    nodeOptions: [],
    remove: () => redis.restart(),
  }
}

async function onAllCores<T>(work: () => Promise<T>): Promise<T> {
  takeAllCores()
  try {
    return await work()
  } finally {
    leaveServerCore()
  }
}
