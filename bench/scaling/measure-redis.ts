import { Redis } from 'ioredis'
import { createRedisStore } from '../../src/store/redis-store.ts'
import type { Store } from '../../src/store/store.ts'
import type { Owner } from '../../test/support/redis.ts'

/** How many calls are on their way at a time, as in a replica under load. */
const AT_ONCE = 64
const CALLS = 20_000
/** About what a sealed record, and a sealed time of the last use, weigh. */
const RECORD = 'r'.repeat(2_400)
const MARK = 'm'.repeat(64)
const TTL_S = 3_600
/** How many others are told. */
const LISTENERS = 8

/** What an operation costs Redis: microseconds of its main thread, by the name that the wire gives the operation. */
export type RedisCpu = Readonly<Record<string, number>>

/**
 * Asks through the store that the service asks through, and reads from Redis itself how much time it spent: that does not
 * grow when others use the machine, as the time on the clock does.
 */
export async function measureRedis(owner: Owner, port: number): Promise<RedisCpu> {
  const url = `redis://127.0.0.1:${port}`
  const redis = new Redis({ port, host: '127.0.0.1' })
  const store = createRedisStore(url)
  owner.after(async () => {
    redis.disconnect()
    await store.close()
  })
  const spentUs = async (): Promise<number> => {
    const info = await redis.info('cpu')
    const read = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1])
    return (read('used_cpu_user_main_thread') + read('used_cpu_sys_main_thread')) * 1e6
  }
  const measure = async (act: (n: number) => Promise<unknown>): Promise<number> => {
    const before = await spentUs()
    await runAtOnce(CALLS, act)
    return ((await spentUs()) - before) / CALLS
  }
  const costs: Record<string, number> = {}
  for (const [name, act] of VERBS) costs[name] = await measure((n) => act(store, n))
  await redis.flushall()
  return tidy({ ...costs, ...(await measureTold(owner, url, store, measure)) })
}

async function runAtOnce(count: number, act: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < count) await act(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

/** In an order in which each finds what it needs. The keys are none that anybody is told of. */
const VERBS: readonly (readonly [name: string, act: (store: Store, n: number) => Promise<unknown>])[] = [
  ['SET', (store, n) => store.set(`record:${n}`, RECORD, TTL_S)],
  ['GET', (store, n) => store.get(`record:${n}`)],
  ['EXPIRE', (store, n) => store.expire(`record:${n}`, TTL_S)],
  ['otenSwap', (store, n) => store.swap(`record:${n}`, RECORD, RECORD, TTL_S)],
  ['GETDEL', (store, n) => store.take(`record:${n}`)],
  ['otenIncrement', (store, n) => store.increment(`count:${n}`, TTL_S)],
  ['DEL', (store, n) => store.delete(`count:${n}`)],
  ['otenDeleteIf', (store, n) => store.deleteIf(`count:${n}`, MARK)],
  ['otenTime', (store) => store.time()],
  ['otenAddMember', (store, n) => store.addMember(`set:${n % 5_000}`, `member-${n}`, TTL_S)],
  ['otenMembers', (store, n) => store.members(`set:${n % 5_000}`)],
  ['otenRemoveMember', (store, n) => store.removeMember(`set:${n % 5_000}`, `member-${n}`)],
  ['otenPublish', (store) => store.publish('events', MARK)],
]

/** What each further replica costs: for a message of a channel, and for the name of a key that has changed. */
async function measureTold(
  owner: Owner,
  url: string,
  store: Store,
  measure: (act: (n: number) => Promise<unknown>) => Promise<number>,
): Promise<RedisCpu> {
  const publish = () => store.publish('told', MARK)
  const write = (n: number) => store.set(`session:{${n % 1_000}}`, MARK, TTL_S)
  const alone = { publish: await measure(publish), write: await measure(write) }
  const others = Array.from({ length: LISTENERS }, () => createRedisStore(url))
  owner.after(async () => void (await Promise.all(others.map((other) => other.close()))))
  for (const other of others) await other.subscribe('told', () => {})
  const published = await measure(publish)
  const watches = others.flatMap((other) => other.watch?.('session:{', { onChange: () => {}, onGap: () => {} }) ?? [])
  for (let tries = 0; tries < 100 && !watches.every((watch) => watch.isCurrent()); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const written = await measure(write)
  return {
    'a message, each replica': (published - alone.publish) / LISTENERS,
    'a changed key, each replica': Math.max(0, written - alone.write) / LISTENERS,
  }
}

const tidy = (costs: RedisCpu): RedisCpu =>
  Object.fromEntries(Object.entries(costs).map(([name, us]) => [name, Number(us.toFixed(2))]))
