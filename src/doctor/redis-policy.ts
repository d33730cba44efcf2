import { once } from 'node:events'
import { Cluster } from 'ioredis'
import { createRedisClient } from '../store/redis-client.ts'
import { parseRedisUrl } from '../store/redis-url.ts'
import { about, type Check } from './check.ts'

const TIMEOUT_MS = 3_000

const { ok, warn } = about('Redis memory')

const REMEDY = 'set maxmemory-policy noeviction in Redis: a session that is evicted is a user who is signed out'

/** Whether Redis may forget sessions when its memory is full. */
export async function checkRedisPolicy(url: string): Promise<Check> {
  const policy = await readPolicy(url).catch(() => undefined)
  if (policy === undefined)
    return warn('maxmemory-policy cannot be read with this user', `see to it by hand: ${REMEDY}`)
  return policy === 'noeviction' ? ok('maxmemory-policy is noeviction') : warn(`maxmemory-policy is ${policy}`, REMEDY)
}

/** `INFO`, since `CONFIG` is closed at many providers. */
async function readPolicy(url: string): Promise<string | undefined> {
  const client = createRedisClient(parseRedisUrl(url))
  client.on('error', () => {}) // The rejection below is what counts.
  try {
    if (client.status !== 'ready') await once(client, 'ready', { signal: AbortSignal.timeout(TIMEOUT_MS) })
    const server = client instanceof Cluster ? client.nodes('master')[0] : client
    return /^maxmemory_policy:([\w-]+)/m.exec((await server?.info('memory')) ?? '')?.[1]
  } finally {
    client.disconnect()
  }
}
