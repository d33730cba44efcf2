import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { REDIS_SCRIPTS } from './redis-scripts.ts'
import type { RedisTarget } from './redis-url.ts'

/** Past this a command fails, and a connection on which nothing was heard for as long is given up. */
const COMMAND_TIMEOUT_MS = 1_500
const SILENCE_MAX_MS = 2_000
const CONNECT_TIMEOUT_MS = 2_000
/** How long a server may take to close a connection that we have ended. */
const DISCONNECT_MS = 200
/** For a Sentinel, or a node of a cluster, to say where the primaries are. */
const TOPOLOGY_TIMEOUT_MS = 1_000
/** A cluster's nodes can change without a command that would tell. */
const SLOTS_REFRESH_MS = 10_000

/** Without what concerns the third version of the protocol. */
type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>

/** @returns milliseconds until the next attempt: up to 1 s, and some more so that replicas do not come all at once */
export const backoffMs = (attempt: number): number => Math.min(1_000, 25 * 2 ** attempt) + Math.random() * 200

/**
 * What holds for every connection. Nothing is queued and nothing is sent twice: what was under way when a connection
 * broke may have been done, and `take` or `increment` must not happen again.
 */
const connectionOptions = ({ tls, username, password }: RedisTarget): ConnectionOptions => ({
  protocol: 2, // The third has to be negotiated, and has nothing that would be of use here.
  username,
  password,
  ...(tls && { tls: { rejectUnauthorized: true, minVersion: 'TLSv1.2' } }),
  connectionName: 'oten-bff',
  disableClientInfo: true,
  connectTimeout: CONNECT_TIMEOUT_MS,
  disconnectTimeout: DISCONNECT_MS,
  commandTimeout: COMMAND_TIMEOUT_MS,
  socketTimeout: SILENCE_MAX_MS,
  enableAutoPipelining: false,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  enableReadyCheck: true, // A server that is still loading its data is not ready.
  maxLoadingRetryTime: 500,
  retryStrategy: backoffMs,
  // After a failover the old primary may still answer, as a replica: the way to the new one is a new connection.
  reconnectOnError: (error) => error.message.includes('READONLY'),
})

const serverOptions = (target: RedisTarget): ConnectionOptions => {
  const { sentinel, hosts, tls } = target
  const connection = connectionOptions(target)
  if (sentinel === undefined) return { ...connection, ...hosts[0] }
  return {
    ...connection,
    sentinels: [...hosts],
    name: sentinel.name,
    sentinelUsername: sentinel.username,
    sentinelPassword: sentinel.password,
    sentinelCommandTimeout: TOPOLOGY_TIMEOUT_MS,
    sentinelRetryStrategy: backoffMs,
    updateSentinels: true,
    // Not needed: Sentinels close the connections of an old primary, and one that they cannot reach stays silent.
    failoverDetector: false,
    ...(tls && { sentinelTLS: connection.tls, enableTLSForSentinelMode: true }),
  }
}

/** Starts to connect, and does so for ever. The caller listens for `error`. */
export function createRedisClient(target: RedisTarget): Redis | Cluster {
  if (target.mode === 'cluster') return createClusterClient(target)
  const client = new Redis({ ...serverOptions(target), db: target.db, scripts: REDIS_SCRIPTS })
  client.on('error', (error: Error & { readonly command?: { readonly name?: unknown } }) => {
    // The client would go on without, on database 0: among someone else's keys.
    if (error.command?.name === 'select') client.disconnect(true)
  })
  return client
}

function createClusterClient(target: RedisTarget): Cluster {
  const cluster = new Cluster([...target.hosts], {
    redisOptions: connectionOptions(target),
    scripts: REDIS_SCRIPTS,
    clusterRetryStrategy: backoffMs,
    // Names stay names: a certificate is for a name more often than for an address.
    dnsLookup: (host, callback) => callback(null, host),
    slotsRefreshTimeout: TOPOLOGY_TIMEOUT_MS,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    enableAutoPipelining: false,
    enableReadyCheck: true,
    // Of a node, not of the cluster: while a node connects, its commands wait, for as long as a command may take.
    enableOfflineQueue: true,
    // 0: a command whose connection broke may have been done, and is not sent again. Refused ones (MOVED, ASK,
    // TRYAGAIN, CLUSTERDOWN) are, within the time a command may take.
    retryDelayOnFailover: 0,
    scaleReads: 'master', // A replica may not know yet that a session has ended.
  })
  cluster.on('+node', (node: Redis) => {
    const { asking } = node
    // The client sends it and forgets about it: a node that dies just then would end the process.
    node.asking = (...args: Parameters<Redis['asking']>) => {
      const asked = asking.apply(node, args)
      asked.catch(() => {})
      return asked
    }
  })
  return cluster
}

/**
 * One connection for messages, without a second try: who needs another asks again. In a cluster every node passes on
 * every message, so each time another one is asked.
 *
 * @param purpose what it is for; Redis lists it by this name
 * @param attempt counts the calls, from 0
 */
export function createRedisSubscriber(
  target: RedisTarget,
  client: Redis | Cluster,
  purpose: 'events' | 'changes',
  attempt: number,
): Redis {
  const nodes = client instanceof Cluster ? client.nodes().map(({ options }) => options) : []
  const candidates = nodes.length > 0 ? nodes : target.hosts
  const { host = 'localhost', port = 6379 } = candidates[attempt % candidates.length] ?? {}
  return new Redis({
    ...serverOptions(target),
    ...(target.mode === 'cluster' && { host, port }),
    connectionName: `oten-bff-${purpose}`,
    retryStrategy: null,
    sentinelRetryStrategy: () => null,
  })
}
