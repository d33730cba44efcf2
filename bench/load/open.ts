import { percentile } from '../statistics.ts'
import { type Connection, type Expected, openConnection } from './connection.ts'
import type { NextRequest } from './requests.ts'

export interface OpenLoad {
  readonly port: number
  readonly next: NextRequest
  readonly expected: Expected
  readonly connections: number
  /** Requests per second, whether or not the server keeps up. */
  readonly perSecond: number
  readonly durationMs: number
  /** How long the last answers may take before the load gives up on them. */
  readonly graceMs?: number
}

/** Milliseconds from when a request was due to its whole answer. */
export interface OpenResult {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  readonly answered: number
  readonly failed: number
}

/**
 * Open-loop load at a constant rate. Each request has an instant at which it is due, and its latency counts from there,
 * also when every connection was busy then: a server that stalls is charged for all who had to wait, not for one.
 */
export async function runOpen(load: OpenLoad): Promise<OpenResult> {
  const { port, next, expected, connections, perSecond, durationMs, graceMs = 10_000 } = load
  const count = Math.floor((perSecond * durationMs) / 1000)
  const latencies = new Float64Array(count)
  const idle: number[] = []
  const dueOf = new Float64Array(connections)
  let answered = 0
  let failed = 0
  let fault: Error | undefined
  const lose = (error: Error): void => {
    fault ??= error
  }
  const open = (_: unknown, index: number): Promise<Connection> => {
    const onAnswer = (isGood: boolean): void => {
      latencies[answered++] = performance.now() - (dueOf[index] ?? 0)
      if (!isGood) failed += 1
      idle.push(index)
    }
    idle.push(index)
    return openConnection(port, expected, onAnswer, lose)
  }
  const all = await Promise.all(Array.from({ length: connections }, open))
  const began = performance.now()
  let sent = 0

  const sendDue = (): void => {
    const due = Math.min(count, Math.floor(((performance.now() - began) * perSecond) / 1000) + 1)
    while (sent < due) {
      const index = idle.pop()
      if (index === undefined) return // All are busy: whoever is free first takes it, and its latency grows meanwhile.
      dueOf[index] = began + (sent / perSecond) * 1000
      all[index]?.send(next())
      sent += 1
    }
  }

  await new Promise<void>((resolve) => {
    // Turn after turn of the event loop rather than by timers, whose steps of a millisecond would be in every latency.
    const turn = (): void => {
      sendDue()
      const isLate = performance.now() - began > durationMs + graceMs
      if (answered === count || fault !== undefined || isLate) resolve()
      else setImmediate(turn)
    }
    turn()
  })
  for (const connection of all) connection.close()
  if (fault !== undefined) throw fault
  const sorted = latencies.subarray(0, answered).sort()
  const [p50, p99, p999, max] = [0.5, 0.99, 0.999, 1].map((share) => percentile(sorted, share)) as [
    number,
    number,
    number,
    number,
  ]
  return { p50, p99, p999, max, answered, failed: failed + count - answered }
}
