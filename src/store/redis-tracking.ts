import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { describeFault } from './redis-fault.ts'

/** Where Redis tells of changes to those that speak the second version of its protocol. */
const CHANNEL = '__redis__:invalidate'

/** How long the change that we make ourselves may take to be told. */
const PROBE_MS = 1_000

/** What is told over one connection. */
export interface TrackingListener {
  /** By the whole name of the key. */
  readonly onKey: (key: string) => void
  /** All keys at once: the database was emptied. */
  readonly onAll: () => void
}

/** Two connections of which the one tells of what the other changes. */
export interface Tracking {
  /** Of its own, and not in use yet: it ends with the tracking, and the tracking with it. */
  readonly connection: Redis
  /** The one that reads and writes. */
  readonly client: Redis
  /** What the keys begin with. */
  readonly prefix: string
}

/**
 * Has the server tell of every key under the prefix that is written, removed or runs out (`CLIENT TRACKING`). It does so
 * for the prefix, and not for what was read (`BCAST`): so it keeps no table of keys, and there is nothing to be said before
 * a read, which a new connection could forget. The connection redirects to itself, since it cannot be one for messages
 * before it has asked; were there two, either could end without the other.
 *
 * @returns when the change was made that was the first to be told, by `performance.now()`
 * @throws {Error} when the server refuses, with its words; when it says yes and then tells nothing, as what stands in
 *   front of Redis may; or when it is another than the one that we write to, as during a failover
 */
export async function startTracking(tracking: Tracking, listener: TrackingListener): Promise<number> {
  const { connection, client, prefix } = tracking
  if ((await readRunId(connection)) !== (await readRunId(client))) throw new Error('it is another server')
  const id = await connection.client('ID')
  await connection.client('TRACKING', 'ON', 'REDIRECT', id, 'BCAST', 'PREFIX', prefix)
  const probe = `${prefix}probe-${randomUUID()}`
  const told = Promise.withResolvers<void>()
  connection.on('messageBuffer', (_channel, keys: unknown) => {
    // Whoever may publish may do so here, too: what is no list of keys only makes us forget.
    if (!Array.isArray(keys)) return listener.onAll()
    for (const key of keys.map(String)) {
      if (key === probe) told.resolve()
      else listener.onKey(key)
    }
  })
  await connection.subscribe(CHANNEL)
  const changedAt = performance.now()
  await client.otenProbe(probe).catch((fault: unknown) => {
    throw new Error(describeFault(fault)) // No refusal for good: a server that is full refuses writes, for now.
  })
  const tooLate = sleep(PROBE_MS, undefined, { ref: false }).then(() => Promise.reject(new Error('it tells nothing')))
  await Promise.race([told.promise, tooLate])
  return changedAt
}

/** Another for each process of Redis. */
async function readRunId(redis: Redis): Promise<string> {
  const [, runId] = /^run_id:(\w+)/m.exec(await redis.info('server')) ?? []
  if (runId === undefined) throw new Error('it does not say which server it is')
  return runId
}
