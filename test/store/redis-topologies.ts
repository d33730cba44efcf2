import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import {
  askRedis,
  findFreePort,
  kill,
  type Owner,
  type RedisServer,
  startProcess,
  startRedis,
} from '../support/redis.ts'

const START_MAX_MS = 20_000

/** Several servers that belong together, and the URL of the whole. */
export interface Topology {
  readonly url: string
  readonly servers: readonly RedisServer[]
}

/** A certificate for `localhost`, which then is the name of every server. */
export interface Tls {
  /** For `startRedis`. */
  readonly config: readonly string[]
}

const hostOf = (tls: Tls | undefined): string => (tls === undefined ? '127.0.0.1' : 'localhost')
const schemeOf = (tls: Tls | undefined): string => (tls === undefined ? 'redis' : 'rediss')
const cliOf = (tls: Tls | undefined): readonly string[] => (tls === undefined ? [] : ['--tls', '--insecure'])

/** Three primaries that share the keys, without replicas. */
export async function startCluster(owner: Owner, tls?: Tls): Promise<Topology> {
  const names = ['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname']
  const secure = tls === undefined ? [] : [...tls.config, '--tls-cluster', 'yes', ...names]
  const servers: RedisServer[] = []
  for (let n = 0; n < 3; n++) {
    const bus = ['--cluster-node-timeout', '1000', '--cluster-port', `${await findFreePort()}`]
    servers.push(await startRedis(owner, [...secure, '--cluster-enabled', 'yes', ...bus]))
  }
  const cli = cliOf(tls)
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`)
  const create = ['--cluster', 'create', ...addresses, '--cluster-yes', '--cluster-replicas', '0']
  await promisify(execFile)('redis-cli', [...cli, ...create])
  for (const { port } of servers) await until(port, [...cli, 'CLUSTER', 'INFO'], /cluster_state:ok/)
  const hosts = servers.map(({ port }) => `${hostOf(tls)}:${port}`)
  return { url: `${schemeOf(tls)}://${hosts.join(',')}?cluster=true`, servers }
}

/** A primary, its replica, and a Sentinel that decides alone. */
export async function startSentinel(owner: Owner, tls?: Tls): Promise<Topology> {
  const host = hostOf(tls)
  const secure = tls === undefined ? [] : [...tls.config, '--tls-replication', 'yes']
  const config = tls === undefined ? [] : [...secure, '--replica-announce-ip', host]
  const primary = await startRedis(owner, config)
  const replica = await startRedis(owner, [...config, '--replicaof', `${host} ${primary.port}`])
  const cli = cliOf(tls)
  await until(replica.port, [...cli, 'INFO', 'replication'], /master_link_status:up/)
  const port = await findFreePort()
  const directory = mkdtempSync(join(tmpdir(), 'sentinel-test-'))
  const path = join(directory, 'sentinel.conf')
  const lines = [
    tls === undefined ? `port ${port}` : `port 0\ntls-port ${port}`,
    'bind 127.0.0.1',
    `dir ${directory}`,
    ...(tls === undefined ? [] : ['sentinel resolve-hostnames yes', 'sentinel announce-hostnames yes']),
    `sentinel monitor sessions.main ${host} ${primary.port} 1`,
    'sentinel down-after-milliseconds sessions.main 1000',
    'sentinel failover-timeout sessions.main 3000',
  ]
  writeFileSync(path, `${lines.join('\n')}\n`)
  const sentinel = await startProcess([path, '--sentinel', ...secure])
  owner.after(async () => {
    await kill(sentinel)
    rmSync(directory, { recursive: true, force: true })
  })
  await until(port, [...cli, 'INFO', 'sentinel'], /slaves=1/)
  return { url: `${schemeOf(tls)}://${host}:${port}?sentinel=sessions.main`, servers: [primary, replica] }
}

async function until(port: number, command: readonly string[], expected: RegExp): Promise<void> {
  for (const giveUpAt = performance.now() + START_MAX_MS; performance.now() < giveUpAt; await sleep(100)) {
    if (expected.test(await askRedis(port, ...command).catch(String))) return
  }
  throw new Error(`${command.join(' ')} never said ${expected}`)
}
