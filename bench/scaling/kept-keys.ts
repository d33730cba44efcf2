import { Redis } from 'ioredis'
import type { Owner } from '../../test/support/redis.ts'

/** What Redis keeps under one kind of name. */
export interface KeyCost {
  /** `MEMORY USAGE`, of the first one that was seen. */
  readonly octets: number
  /** Seconds that it had left then, rounded up. */
  readonly ttlS: number
}

/** Looks at what is kept after each action, past the service. */
export interface KeyWatch {
  look(): Promise<void>
  readonly kinds: ReadonlyMap<string, KeyCost>
}

/** `oten-bff:session:{…}:used`: what stands for a hash is left out. */
export const kindOf = (key: string): string => key.replace(/[A-Za-z0-9_-]{43}|(?<=\{)[A-Za-z0-9_-]{22}(?=\})/g, '…')

export function watchKeys(owner: Owner, port: number): KeyWatch {
  const redis = new Redis({ port, host: '127.0.0.1' })
  owner.after(async () => redis.disconnect())
  const kinds = new Map<string, KeyCost>()
  return {
    kinds,
    async look() {
      for (const key of await redis.keys('*')) {
        const kind = kindOf(key)
        if (kinds.has(kind)) continue
        const [octets, ttlMs] = await Promise.all([redis.memory('USAGE', key, 'SAMPLES', 0), redis.pttl(key)])
        if (octets !== null) kinds.set(kind, { octets, ttlS: Math.ceil(ttlMs / 1000) })
      }
    },
  }
}

/** `MEMORY USAGE` of a user's list, by how many sessions are in it. */
export async function measureLists(port: number, sizes: readonly number[]): Promise<Record<string, number>> {
  const redis = new Redis({ port, host: '127.0.0.1' })
  const costs: Record<string, number> = {}
  for (const size of sizes) {
    const key = `list-of-${size}`
    const pipeline = redis.pipeline()
    for (let n = 0; n < size; n++) pipeline.zadd(key, Date.now() + n, String(n).padStart(22, '0'))
    await pipeline.exec()
    costs[size] = (await redis.memory('USAGE', key, 'SAMPLES', 0)) ?? 0
    await redis.del(key)
  }
  redis.disconnect()
  return costs
}

/** What one more session adds to `used_memory`, tables of names included, on a Redis that holds nothing else. */
export async function measureGrowth(port: number, count: number, plant: (n: number) => Promise<unknown>) {
  const redis = new Redis({ port, host: '127.0.0.1' })
  const used = async (): Promise<number> => Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1])
  await plant(0) // What the first one brings along is not of the sessions.
  const before = await used()
  for (let from = 1; from <= count; from += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, n) => plant(from + n)))
  }
  const after = await used()
  redis.disconnect()
  return Math.round((after - before) / count)
}
