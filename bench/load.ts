import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'

const HEADER_END = Buffer.from('\r\n\r\n')
const LENGTH = /content-length: (\d+)/i

export interface LoadOptions {
  readonly port: number
  /** Whole requests, ready to send; each connection walks through them from a place of its own. */
  readonly requests: readonly Buffer[]
  readonly connections: number
  readonly durationMs: number
}

export interface LoadResult {
  readonly answered: number
  /** Answers that were not 2xx. */
  readonly failed: number
  readonly perSecond: number
}

/**
 * Closed-loop load over raw keep-alive sockets. It does next to nothing per answer: a client that builds requests and
 * parses answers costs as much as the server that is measured, and on two machine cores would be what is measured.
 */
export async function runLoad({ port, requests, connections, durationMs }: LoadOptions): Promise<LoadResult> {
  let answered = 0
  let failed = 0
  let running = true
  const sockets: Socket[] = []

  const start = (index: number): Promise<void> =>
    new Promise((resolve, reject) => {
      let next = Math.floor((index / connections) * requests.length)
      let pending = Buffer.alloc(0)
      const socket = connect(port, '127.0.0.1')
      sockets.push(socket)
      socket.setNoDelay(true)
      const send = (): void => {
        const request = requests[next % requests.length]
        next += 1
        if (request !== undefined) socket.write(request)
      }
      socket.on('connect', send)
      socket.on('error', reject)
      socket.on('close', () => resolve())
      socket.on('data', (chunk) => {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
        const status = readAnswer(pending)
        if (status === undefined) return
        pending = Buffer.alloc(0)
        answered += 1
        if (!status.startsWith('2')) failed += 1
        if (running) send()
        else socket.end()
      })
    })

  const began = performance.now()
  const all = Promise.all(Array.from({ length: connections }, (_, index) => start(index)))
  await new Promise((resolve) => setTimeout(resolve, durationMs))
  const took = performance.now() - began
  const counted = answered
  running = false
  await all
  return { answered: counted, failed, perSecond: (counted / took) * 1000 }
}

/** The status of a whole answer; undefined while some of it is missing. */
function readAnswer(octets: Buffer): string | undefined {
  const end = octets.indexOf(HEADER_END)
  if (end === -1) return undefined
  const head = octets.toString('latin1', 0, end)
  const length = Number(LENGTH.exec(head)?.[1] ?? 0)
  return octets.length >= end + HEADER_END.length + length ? head.slice(9, 12) : undefined
}
