import { Cluster, type Redis } from 'ioredis'
import type { Log } from '../log.ts'
import { createRedisClient, createRedisSubscriber } from './redis-client.ts'
import { storeUnavailable } from './redis-fault.ts'
import { createRedisGate } from './redis-gate.ts'
import { createRedisSubscriptions } from './redis-subscriptions.ts'
import { parseRedisUrl, type RedisTarget } from './redis-url.ts'
import { createRedisWatch } from './redis-watch.ts'
import type { Store } from './store.ts'

/** For a verb in all, waiting for a connection included. */
const VERB_TIMEOUT_MS = 2_000
/** Asked of Redis at a time: a few hundred microseconds of its only thread. */
const SCAN_COUNT = 500

type Client = Redis | Cluster
type Ask = <T>(work: () => Promise<T>) => Promise<T>

/**
 * Keeps everything in Redis 6.2 or later, for several replicas. Starts without it, and finds back to it by itself; in
 * the meantime every verb fails. No command is sent a second time when its answer was lost.
 *
 * @param url see `parseRedisUrl`
 * @param log told when Redis does not tell of changes
 * @throws {Error} when the URL is wrong
 */
export function createRedisStore(url: string, log?: Pick<Log, 'warn'>): Store {
  const target = parseRedisUrl(url)
  const client = createRedisClient(target)
  const gate = createRedisGate(() => client.status === 'ready')
  client.on('error', gate.note)
  client.on('ready', gate.open)
  client.on('close', gate.lose)
  if (client instanceof Cluster) client.on('node error', gate.note)

  const subscriptions = createRedisSubscriptions((attempt) => createRedisSubscriber(target, client, 'events', attempt))
  const ask: Ask = async (work) => {
    try {
      return await withinTime(passAndDo(gate.pass(), work))
    } catch (error) {
      throw storeUnavailable(error)
    }
  }
  const name = (key: string) => target.prefix + key
  // Channels know no databases: without the number, those of one would be heard in another.
  const channelName = (channel: string) => `${target.prefix}${target.db}:${channel}`

  const changes = client instanceof Cluster ? undefined : createWatches(target, client, log)

  return {
    exclusive: false,
    ...(changes !== undefined && { watch: changes.watch }),
    ...buildValues(client, ask, name),
    addMember: (key, member, ttlS) => ask(async () => void (await client.otenAddMember(name(key), member, ttlS))),
    removeMember: (key, member) => ask(async () => void (await client.otenRemoveMember(name(key), member))),
    members: (key) => ask(() => client.otenMembers(name(key))),
    scan: (prefix) => scan(client, ask, target.prefix, prefix),
    publish: (channel, message) => ask(async () => void (await client.otenPublish(channelName(channel), message))),
    subscribe: (channel, onMessage, onGap) => subscriptions.subscribe(channelName(channel), onMessage, onGap),
    time: () => ask(() => client.otenTime(name('time'))),
    // A read, since a server answers PING also when it refuses to read: cluster down, no permission.
    ping: () => ask(async () => void (await client.get(name('ping')))),
    async close() {
      gate.close()
      subscriptions.close()
      changes?.close()
      client.disconnect()
    },
  }
}

/** Not for a cluster: its nodes come and go, and keys move between them; each would have to be watched for itself. */
function createWatches(target: RedisTarget, client: Redis, log: Pick<Log, 'warn'> | undefined) {
  const connect = (): Redis => createRedisSubscriber(target, client, 'changes', 0)
  const watches: { close(): void }[] = []
  const watch: NonNullable<Store['watch']> = (prefix, listener) => {
    const begun = createRedisWatch({ client, connect, ownPrefix: target.prefix, log }, prefix, listener)
    watches.push(begun)
    return begun
  }
  return {
    watch,
    close: () => {
      for (const begun of watches) begun.close()
    },
  }
}

function buildValues(client: Client, ask: Ask, name: (key: string) => string) {
  return {
    get: (key) => ask(async () => decode(await client.getBuffer(name(key)))),
    set: (key, value, ttlS) => ask(async () => void (await client.set(name(key), encode(value), 'EX', ttlS))),
    add: (key, value, ttlS) => ask(async () => (await client.set(name(key), encode(value), 'EX', ttlS, 'NX')) !== null),
    replace: (key, value, ttlS) =>
      ask(async () => (await client.set(name(key), encode(value), 'EX', ttlS, 'XX')) !== null),
    take: (key) => ask(async () => decode(await client.getdelBuffer(name(key)))),
    delete: (key) => ask(async () => (await client.del(name(key))) > 0),
    expire: (key, ttlS) => ask(async () => (await client.expire(name(key), ttlS)) > 0),
    swap: (key, expected, value, ttlS) =>
      ask(async () => (await client.otenSwap(name(key), encode(expected), encode(value), ttlS)) > 0),
    deleteIf: (key, expected) => ask(async () => (await client.otenDeleteIf(name(key), encode(expected))) > 0),
    increment: (key, ttlS) => ask(() => client.otenIncrement(name(key), ttlS)),
  } satisfies Partial<Store>
}

const encode = (value: string): Buffer => Buffer.from(value, 'latin1')
const decode = (octets: Buffer | null): string | undefined => octets?.toString('latin1')

/** Walks through each server in turn. What a cluster has where is asked anew: a node left out would go unnoticed. */
async function* scan(client: Client, ask: Ask, ownPrefix: string, prefix: string): AsyncGenerator<string> {
  const pattern = `${ownPrefix}${prefix.replace(/[\\*?[\]]/g, '\\$&')}*`
  if (client instanceof Cluster) await ask(() => refreshNodes(client))
  for (const node of client instanceof Cluster ? client.nodes('master') : [client]) {
    let cursor = '0'
    do {
      const [next, keys] = await ask(() => node.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT))
      for (const key of keys) yield key.slice(ownPrefix.length)
      cursor = next
    } while (cursor !== '0')
  }
}

const refreshNodes = (cluster: Cluster): Promise<void> =>
  new Promise((resolve, reject) => {
    cluster.refreshSlotsCache((error) => (error ? reject(error) : resolve()))
  })

async function passAndDo<T>(passing: Promise<void> | undefined, work: () => Promise<T>): Promise<T> {
  if (passing !== undefined) await passing
  return work()
}

function withinTime<T>(answer: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const timer = setTimeout(() => reject(new Error('no answer in time')), VERB_TIMEOUT_MS)
  answer.then(resolve, reject).finally(() => clearTimeout(timer))
  return promise
}
