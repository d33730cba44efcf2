import { describeFault } from './redis-fault.ts'

/** A connection that comes back within this time was never away, to callers; afterwards they are refused at once. */
const GRACE_MS = 1_000

/** Lets through when there is a connection; told by its owner how that stands. */
export interface RedisGate {
  /**
   * @returns undefined when there is a connection
   * @throws {Error} when there is none, and none comes within what is left of the grace
   */
  pass(): Promise<void> | undefined
  open(): void
  lose(): void
  /** Remembers why there is no connection. */
  note(fault: unknown): void
  /** For good. */
  close(): void
}

/**
 * Keeps callers from piling up before a Redis that is gone: all wait together, once, until the grace is over. It begins
 * now, and whenever the connection is lost.
 *
 * @param isReady what the client itself says, one turn of the event loop before it tells
 */
export function createRedisGate(isReady: () => boolean): RedisGate {
  let fault: unknown
  let state: 'open' | 'lost' | 'closed' = 'lost'
  let grace = startGrace()

  const lose = () => {
    if (state !== 'open') return
    state = 'lost'
    grace = startGrace()
  }
  const wait = async () => {
    lose()
    await grace.over
    if (state === 'closed') throw new Error('the store is closed')
    if (isReady()) return
    throw new Error(`no connection to Redis${fault === undefined ? '' : `: ${describeFault(fault)}`}`)
  }
  return {
    pass: () => (state !== 'closed' && isReady() ? undefined : wait()),
    open() {
      if (state === 'closed') return
      state = 'open'
      fault = undefined
      grace.end()
    },
    lose,
    note(reason) {
      // What the client says of a connection that it has given up itself would hide the reason.
      const isLate = reason instanceof Error && /^(Connection is closed|Stream isn't writeable)/.test(reason.message)
      if (fault === undefined || !isLate) fault = reason
    },
    close() {
      state = 'closed'
      grace.end()
    },
  }
}

function startGrace(): { readonly over: Promise<void>; readonly end: () => void } {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, GRACE_MS)
  const end = () => {
    clearTimeout(timer)
    resolve()
  }
  return { over, end }
}
