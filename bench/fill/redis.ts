import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { parseRedisUrl } from '../../src/store/redis-url.ts'
import { type FillPlan, fillSessions, type Write } from './sessions.ts'

/** Fills a Redis as fast as one connection takes it: commands without a wait, and without an answer. @returns the credentials */
export async function fillRedis(url: string, plan: FillPlan): Promise<string[]> {
  const { hosts, db, prefix } = parseRedisUrl(url)
  const [{ port } = { port: 0 }] = hosts
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  let keys = 0
  try {
    socket.write(encodeCommand('SELECT', `${db}`))
    await readAnswer(socket, '+OK')
    socket.write(encodeCommand('CLIENT', 'REPLY', 'OFF'))
    const credentials = await fillSessions(plan, async (batch) => {
      const writes = batch.flat()
      keys += writes.length
      if (!socket.write(writes.map((write) => encodeWrite(prefix, write)).join(''), 'latin1'))
        await once(socket, 'drain')
    })
    socket.write(encodeCommand('CLIENT', 'REPLY', 'ON'))
    await readAnswer(socket, '+OK')
    socket.write(encodeCommand('DBSIZE'))
    await readAnswer(socket, `:${keys}`) // No answer told of a refused command; this one would.
    return credentials
  } finally {
    socket.destroy()
  }
}

/** As the store's own commands leave it. */
function encodeWrite(prefix: string, { verb, key, value, ttlS }: Write): string {
  if (verb === 'set') return encodeCommand('SET', prefix + key, value, 'EX', `${ttlS}`)
  const endsAtMs = `${Date.now() + ttlS * 1000}`
  return encodeCommand('ZADD', prefix + key, endsAtMs, value) + encodeCommand('PEXPIREAT', prefix + key, endsAtMs)
}

/** A character is an octet, as for the store. */
const encodeCommand = (...words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`

async function readAnswer(socket: Socket, expected: string): Promise<void> {
  const [answer] = await once(socket, 'data')
  if (`${answer}`.trim() !== expected)
    throw new Error(`Redis answered ${`${answer}`.trim()} where ${expected} was to come`)
}
