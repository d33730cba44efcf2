import { type Connection, type Expected, openConnection } from './connection.ts'

export interface Burst {
  /** Servers that share the requests, each taking every other one. */
  readonly ports: readonly number[]
  /** Each sent once, in this order. */
  readonly requests: readonly Buffer[]
  readonly expected: Expected
  /** To each server. */
  readonly connections: number
}

export interface BurstResult {
  readonly answered: number
  readonly failed: number
  readonly tookMs: number
}

/** Everything at once: sends each request a single time, as many at a time as there are connections. */
export async function runBurst({ ports, requests, expected, connections }: Burst): Promise<BurstResult> {
  const began = performance.now()
  const parts = ports.map((port, place) => {
    const own = requests.filter((_, index) => index % ports.length === place)
    return sendAll(port, own, expected, Math.min(connections, own.length))
  })
  const failures = await Promise.all(parts)
  const failed = failures.reduce((sum, count) => sum + count, 0)
  return { answered: requests.length, failed, tookMs: performance.now() - began }
}

async function sendAll(
  port: number,
  requests: readonly Buffer[],
  expected: Expected,
  connections: number,
): Promise<number> {
  const waiting = requests.values()
  let failed = 0
  const drain = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const sendNext = (connection: Connection): void => {
        const { value: request } = waiting.next()
        if (request === undefined) {
          connection.close()
          resolve()
        } else {
          connection.send(request)
        }
      }
      const opening = openConnection(
        port,
        expected,
        (isGood) => {
          if (!isGood) failed += 1
          opening.then(sendNext, reject)
        },
        reject,
      )
      opening.then(sendNext, reject)
    })
  await Promise.all(Array.from({ length: connections }, drain))
  return failed
}
