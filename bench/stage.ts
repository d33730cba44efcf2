import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layBundle } from '../test/support/bundle.ts'
import { createSessionKey } from '../test/support/env.ts'
import { type RedisServer, startRedis } from '../test/support/redis.ts'
import { type Server, startServer } from './servers/spawn.ts'

/** What the cases share: a folder, and the servers around the measured one, each started when it is first needed. */
export interface Stage {
  readonly folder: string
  /** The environment of every service here; a case adds its store. */
  serviceEnv(): Promise<Readonly<Record<string, string>>>
  idp(): Promise<Server>
  upstream(): Promise<Server>
  redis(): Promise<RedisServer>
  /** The `main` of the bundle, which is what the image has. */
  bundle(): Promise<string>
  /** Runs when the stage closes; what was asked for last runs first. */
  after(work: () => Promise<void>): void
  close(): Promise<void>
}

/** Starts nothing yet. */
export function openStage(): Stage {
  const folder = mkdtempSync(join(tmpdir(), 'oten-bff-bench-'))
  const endings: (() => Promise<void>)[] = []
  // Also when it is interrupted: the folder may hold gigabytes. The servers end by themselves.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  const after = (work: () => Promise<void>): void => void endings.unshift(work)
  const start = async (kind: 'idp' | 'upstream'): Promise<Server> => {
    const server = await startServer({ kind })
    after(() => server.stop())
    return server
  }
  const idp = once(() => start('idp'))
  const sessionKey = createSessionKey()
  return {
    folder,
    after,
    idp,
    upstream: once(() => start('upstream')),
    redis: once(() => startRedis({ after })),
    bundle: once(async () => (await layBundle(join(folder, 'bundle')))('main')),
    serviceEnv: async () => ({
      PUBLIC_URL: 'http://localhost:8080',
      OTEN_ISSUER: `http://127.0.0.1:${(await idp()).port}`,
      ALLOW_INSECURE_ISSUER: 'true',
      JAR_ALG: 'HS256',
      SESSION_KEYS: sessionKey,
      RATE_LIMIT_PER_MINUTE: '0',
    }),
    async close() {
      for (const end of endings) await end()
    },
  }
}

/** The same answer for all who ask. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
