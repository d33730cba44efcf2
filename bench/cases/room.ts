import { statSync } from 'node:fs'
import { askRedis } from '../../test/support/redis.ts'
import { measureContent } from '../fill/sessions.ts'
import type { Place } from '../places.ts'
import type { Room } from '../results.ts'
import type { Stage } from '../stage.ts'

/** What a session takes in a file: the file, shared out among all. */
export function measureFileRoom({ path = '', subject }: Place, sessions: number): Room {
  return buildRoom('file:', sessions, statSync(path).size / sessions, subject.env)
}

/** How many keys are asked for their size; of each session there are as many as of any other. */
const SAMPLED = 30_000

/** What a session takes in Redis: each of its keys as `MEMORY USAGE` has it, on average over many. */
export async function measureRedisRoom(stage: Stage, { subject }: Place, sessions: number): Promise<Room> {
  const { port } = await stage.redis()
  const script = `
    local cursor, sum, seen = '0', 0, 0
    repeat
      local page = redis.call('SCAN', cursor, 'COUNT', 500)
      cursor = page[1]
      for _, key in ipairs(page[2]) do
        sum = sum + redis.call('MEMORY', 'USAGE', key, 'SAMPLES', 0)
        seen = seen + 1
      end
    until cursor == '0' or seen >= ${SAMPLED}
    return tostring(sum / seen)`
  const [octetsOfKey, keys] = [await askRedis(port, 'EVAL', script, '0'), await askRedis(port, 'DBSIZE')]
  return buildRoom('Redis', sessions, (Number(octetsOfKey) * Number(keys)) / sessions, subject.env)
}

function buildRoom(store: string, sessions: number, octets: number, env: Place['subject']['env']): Room {
  const content = measureContent(env)
  return { store, sessions, octets: Math.round(octets), content, beyond: Math.round(octets - content) }
}
