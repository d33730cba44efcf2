import type { Redis } from 'ioredis'
import { createChannels } from './channels.ts'
import { backoffMs } from './redis-client.ts'
import { storeUnavailable } from './redis-fault.ts'
import { createRedisGate, type RedisGate } from './redis-gate.ts'
import type { Store } from './store.ts'

/** Nothing arriving is normal here: only an answer tells that the other side is still there. */
const HEARTBEAT_MS = 2_000

/** The listening half of the store, on a connection of its own. */
export interface RedisSubscriptions {
  readonly subscribe: Store['subscribe']
  close(): void
}

/**
 * Opens the connection when the first listener comes, and another when it breaks. Redis knows which channels are heard
 * in this process; who hears them is known here only.
 *
 * @param connect a new connection that does not reconnect by itself; `attempt` counts from 0
 */
export function createRedisSubscriptions(connect: (attempt: number) => Redis): RedisSubscriptions {
  const channels = createChannels()
  let connection: Redis | undefined
  let gate: RedisGate | undefined
  let attempts = 0
  let failures = 0
  let missed = false
  let closed = false
  let retry: NodeJS.Timeout | undefined

  const start = (): RedisGate => {
    const opening = connect(attempts++)
    connection = opening
    // Made with the first connection: its grace is for that one to come up, however long the process has lived.
    const ours = gate ?? createRedisGate(() => connection?.status === 'ready')
    gate = ours
    const heartbeat = setInterval(() => void opening.ping().catch(() => {}), HEARTBEAT_MS).unref()
    opening.on('error', ours.note)
    opening.on('message', channels.tell)
    opening.on('ready', () => {
      failures = 0
      ours.open()
      resume(opening).catch(() => opening.disconnect())
    })
    opening.on('end', () => {
      clearInterval(heartbeat)
      ours.lose()
      missed = true
      if (!closed) retry = setTimeout(start, backoffMs(failures++))
    })
    return ours
  }
  const resume = async (opened: Redis) => {
    const heard = channels.names()
    if (heard.length > 0) await opened.subscribe(...heard)
    if (missed) channels.tellGap()
    missed = false
  }
  const leave = (channel: string) => {
    if (channels.isHeard(channel) || connection?.status !== 'ready') return
    connection.unsubscribe(channel).catch(() => {}) // At worst something arrives that nobody hears.
  }

  return {
    async subscribe(channel, onMessage, onGap) {
      const passage = gate ?? (closed ? undefined : start())
      const remove = channels.add(channel, { onMessage, onGap })
      const end = () => {
        remove()
        leave(channel)
      }
      try {
        if (passage === undefined) throw new Error('the store is closed')
        await passage.pass()
        // Also when another listens already: its own request may not have been answered yet.
        await connection?.subscribe(channel)
        return end
      } catch (error) {
        end()
        throw storeUnavailable(error)
      }
    },
    close() {
      closed = true
      clearTimeout(retry)
      channels.clear()
      gate?.close()
      connection?.disconnect()
    },
  }
}
