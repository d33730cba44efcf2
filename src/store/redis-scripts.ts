import type { Result } from 'ioredis'

declare module 'ioredis' {
  interface RedisCommander<Context> {
    otenSwap(key: string, expected: Buffer, value: Buffer, ttlS: number): Result<number, Context>
    otenDeleteIf(key: string, expected: Buffer): Result<number, Context>
    otenIncrement(key: string, ttlS: number): Result<number, Context>
    otenAddMember(key: string, member: string, ttlS: number): Result<unknown, Context>
    otenRemoveMember(key: string, member: string): Result<unknown, Context>
    otenMembers(key: string): Result<string[], Context>
    otenPublish(channel: string, message: string): Result<unknown, Context>
    otenTime(key: string): Result<number, Context>
    otenProbe(key: string): Result<number, Context>
  }
}

/** By the clock of Redis: those of the replicas differ. A set is sorted by when its members end, in milliseconds. */
const FORGET_ENDED = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)`

const LIVE_AS_LONG_AS_THE_LAST = `
  local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  if last[2] then redis.call('PEXPIREAT', KEYS[1], last[2]) end`

/** The verbs for which Redis has no command: each runs as one step. */
const SOURCES = {
  otenSwap: `
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
    return 1`,
  otenDeleteIf: `
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
    return redis.call('DEL', KEYS[1])`,
  otenIncrement: `
    local count = redis.call('INCR', KEYS[1])
    redis.call('EXPIRE', KEYS[1], ARGV[1])
    return count`,
  otenAddMember: `${FORGET_ENDED}
  redis.call('ZADD', KEYS[1], now + ARGV[2] * 1000, ARGV[1])${LIVE_AS_LONG_AS_THE_LAST}`,
  otenRemoveMember: `${FORGET_ENDED}
  redis.call('ZREM', KEYS[1], ARGV[1])${LIVE_AS_LONG_AS_THE_LAST}`,
  otenMembers: `${FORGET_ENDED}
  return redis.call('ZRANGE', KEYS[1], 0, -1)`,
  // In a cluster, PUBLISH itself goes to any node, so that of two messages the later could arrive first.
  otenPublish: `return redis.call('PUBLISH', KEYS[1], ARGV[1])`,
  // In a cluster, TIME itself goes to any node, and their clocks differ: the key chooses one for all.
  otenTime: `
    local time = redis.call('TIME')
    return time[1] * 1000000 + time[2]`,
  // A change that leaves nothing behind.
  otenProbe: `
    redis.call('SET', KEYS[1], '', 'PX', 1000)
    return redis.call('DEL', KEYS[1])`,
}

/** For the client's `scripts` option. One key each: that is what finds the node of a cluster. */
export const REDIS_SCRIPTS: Readonly<Record<string, { readonly lua: string; readonly numberOfKeys: number }>> =
  Object.fromEntries(Object.entries(SOURCES).map(([name, lua]) => [name, { lua, numberOfKeys: 1 }]))
