import { hash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { REDIS_SCRIPTS } from '../../src/store/redis-scripts.ts'
import type { Owner } from '../../test/support/redis.ts'
import { createRespReader } from './resp.ts'

/** So long nothing may pass before the wire counts as quiet; what is still to be answered is waited for in any case. */
const QUIET_MS = 40

/** What went over the wire to Redis and back. */
export interface Traffic {
  /** How many of each kind: a command by its name, a script by the name that the store gives it. */
  readonly operations: Readonly<Record<string, number>>
  readonly sentOctets: number
  readonly receivedOctets: number
  /** What Redis said unasked: messages of channels, and names of keys that have changed. */
  readonly told: number
  readonly toldOctets: number
}

/** The only way to a real Redis: everything passes unchanged, and is counted. */
export interface Wire {
  readonly url: string
  /** Counts from now on. */
  reset(): void
  /** What was counted, once everything is answered and quiet. */
  read(): Promise<Traffic>
}

/** Of the connection, not of what a user does. */
const UPKEEP = new Set(['PING', 'HELLO', 'AUTH', 'SELECT', 'INFO', 'CLIENT', 'COMMAND', 'CLUSTER', 'SCRIPT'])

const SCRIPT_NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries(REDIS_SCRIPTS).flatMap(([name, { lua }]) => [
    [hash('sha1', lua, 'hex'), name],
    [lua, name],
  ]),
)

/** A script by its own name: `EVALSHA` says nothing. */
function nameOf([command = '', first = '']: readonly string[]): string {
  const name = command.toUpperCase()
  if (name !== 'EVALSHA' && name !== 'EVAL') return name
  return SCRIPT_NAMES.get(first) ?? name
}

interface Counters {
  operations: Record<string, number>
  sentOctets: number
  receivedOctets: number
  told: number
  toldOctets: number
  /** Sent and not yet answered, upkeep included. */
  open: number
  /** Everything that ever passed, so that quiet can be told. */
  passed: number
}

const createCounters = (): Counters => ({
  operations: {},
  sentOctets: 0,
  receivedOctets: 0,
  told: 0,
  toldOctets: 0,
  open: 0,
  passed: 0,
})

/** Opens it before the Redis on this port; it closes with its owner. */
export async function openWire(owner: Owner, redisPort: number): Promise<Wire> {
  const counters = createCounters()
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const redis = connect(redisPort, '127.0.0.1')
    for (const socket of [client, redis]) {
      sockets.add(socket.setNoDelay(true).once('close', () => sockets.delete(socket)))
      socket.on('error', () => {}) // The other side sees it as a close.
    }
    join(client, redis, counters)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.after(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reset() {
      Object.assign(counters, { ...createCounters(), open: counters.open, passed: counters.passed })
    },
    async read() {
      for (let before = -1; counters.open > 0 || before !== counters.passed; ) {
        before = counters.passed
        await sleep(QUIET_MS)
      }
      const { operations, sentOctets, receivedOctets, told, toldOctets } = counters
      return { operations: { ...operations }, sentOctets, receivedOctets, told, toldOctets }
    },
  }
}

/** Names of changed keys come several at a time, as it happens; a message of a channel comes alone. */
function countTold([kind, channel, ...rest]: readonly string[]): number {
  if (kind === 'invalidate') return rest.length + 1
  return channel === '__redis__:invalidate' ? rest.length : 1
}

/** One connection: answers come in the order of what was asked, and what was not asked for says so itself. */
function join(client: Socket, redis: Socket, counters: Counters): void {
  const asked: boolean[] = [] // Whether it counts.
  const readRequest = createRespReader(({ strings, octets }) => {
    const name = nameOf(strings)
    const counts = !UPKEEP.has(name)
    asked.push(counts)
    counters.open += 1
    if (!counts) return
    counters.passed += 1
    counters.operations[name] = (counters.operations[name] ?? 0) + 1
    counters.sentOctets += octets
  })
  const readAnswer = createRespReader(({ strings, octets }) => {
    if (strings[0] === 'message' || strings[0] === 'invalidate') {
      counters.passed += 1
      counters.told += countTold(strings)
      counters.toldOctets += octets
      return
    }
    counters.open -= 1
    if (asked.shift() !== true) return
    counters.passed += 1
    counters.receivedOctets += octets
  })
  client.on('data', (chunk) => {
    readRequest(chunk)
    redis.write(chunk)
  })
  redis.on('data', (chunk) => {
    readAnswer(chunk)
    client.write(chunk)
  })
  client.on('close', () => {
    counters.open -= asked.length // Nobody waits for those any more.
    asked.length = 0
    redis.destroy()
  })
  redis.on('close', () => client.destroy())
}
