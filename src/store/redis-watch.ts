import { type Redis, ReplyError } from 'ioredis'
import type { Log } from '../log.ts'
import { backoffMs } from './redis-client.ts'
import { describeFault } from './redis-fault.ts'
import { startTracking } from './redis-tracking.ts'
import type { ChangeListener, ChangeWatch } from './store.ts'

/** Below the second that is promised, by what an answer needs to leave. */
const CURRENT_MS = 900
/** Several in that time: one that is late stops nothing. */
const BEAT_MS = 200
/** A failover brings some by itself. */
const FAILURES_UNTOLD = 5

/** What a watch needs. */
export interface RedisWatchOptions {
  /** The one that reads and writes. */
  readonly client: Redis
  /** A new connection to the same server, which does not reconnect by itself. */
  readonly connect: () => Redis
  /** Of the store: what all keys begin with, and callers do not see. */
  readonly ownPrefix: string
  readonly log?: Pick<Log, 'warn'> | undefined
}

export interface RedisWatch extends ChangeWatch {
  close(): void
}

interface Listening {
  readonly connection: Redis
  /** When the last question was asked that was answered on it, by `performance.now()`. */
  provenAt: number
}

/**
 * Hears of changes on a connection of its own, and gets another when it breaks, or when the one that reads and writes
 * does: both have to be to the same server.
 *
 * What a connection brings is in order: an answer on it proves that every change has been told that was acknowledged
 * before the question. So how long ago the last answered question was asked is what bounds the delay, and not a timer,
 * which would be late with everything else. On a connection that was silent for longer nothing has to be forgotten: the
 * changes come before the answer that makes it current again.
 *
 * A server that refuses is not asked again until there is a new connection to it, and that is logged once.
 */
export function createRedisWatch(options: RedisWatchOptions, prefix: string, listener: ChangeListener): RedisWatch {
  const { client, connect, ownPrefix, log } = options
  let listening: Listening | undefined
  let retry: NodeJS.Timeout | undefined
  let tries = 0
  let failures = 0
  let isRefused = false
  let isLogged = false
  let isClosed = false

  const start = (): void => {
    const connection = connect()
    const ours: Listening = { connection, provenAt: Number.NEGATIVE_INFINITY }
    listening = ours
    let beats: NodeJS.Timeout | undefined
    const beat = async (): Promise<void> => {
      const askedAt = performance.now()
      await connection.ping()
      ours.provenAt = askedAt
    }
    const begin = async (): Promise<void> => {
      const tracking = { connection, client, prefix: ownPrefix + prefix }
      const onKey = (key: string): void => listener.onChange(key.slice(ownPrefix.length))
      ours.provenAt = await startTracking(tracking, { onKey, onAll: listener.onGap })
      if (listening !== ours) return
      tries = 0
      failures = 0
      beats = setInterval(() => void beat().catch(() => {}), BEAT_MS).unref() // What stays silent ends by itself.
    }
    const end = (): void => {
      clearInterval(beats)
      if (listening === ours) renew()
    }
    connection.on('error', () => {}) // The connection that reads and writes meets the same, and tells.
    connection.on('end', end)
    connection.on('ready', () => {
      begin().catch((fault: unknown) => {
        if (listening === ours) note(fault)
        end()
      })
    })
  }

  /** Nobody tells from here on, so nothing that was read before is to be relied on any more. */
  const renew = (): void => {
    listening?.connection.disconnect()
    listening = undefined
    listener.onGap()
    clearTimeout(retry)
    if (!isClosed && !isRefused) retry = setTimeout(start, backoffMs(tries++)).unref()
  }
  const note = (fault: unknown): void => {
    if (client.status !== 'ready') return
    isRefused = fault instanceof ReplyError
    failures += 1
    if (isLogged || (!isRefused && failures < FAILURES_UNTOLD)) return
    isLogged = true
    const reason = describeFault(fault)
    log?.warn({ event: 'changes_untold', reason }, 'Redis does not tell of changes: what is read is not remembered')
  }
  client.on('close', () => {
    isRefused = false // Perhaps the next server allows it.
    renew()
  })

  start()
  return {
    isCurrent: () => listening !== undefined && performance.now() - listening.provenAt < CURRENT_MS,
    close() {
      isClosed = true
      renew()
    },
  }
}
