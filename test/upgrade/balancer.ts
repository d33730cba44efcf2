import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { Owner } from '../support/redis.ts'

export interface Balancer {
  /** Calls that could not be passed on. */
  readonly failures: string[]
  add(url: string): void
  /** New calls go elsewhere from now on; those under way stay, as with a platform's endpoints. */
  remove(url: string): void
}

/** Passes each call on to the next target, streaming both ways, and tries nothing twice. */
export async function startBalancer(owner: Owner, port: number): Promise<Balancer> {
  const targets: string[] = []
  const failures: string[] = []
  let turn = 0

  const fail = (incoming: IncomingMessage, answer: ServerResponse, reason: string): void => {
    if (!answer.headersSent) failures.push(`${incoming.method} ${incoming.url?.split('?')[0]}: ${reason}`)
    answer.destroy()
  }

  const server = createServer((incoming, answer) => {
    const target = targets[turn++ % targets.length]
    if (target === undefined) return fail(incoming, answer, 'no target')
    const { port: targetPort } = new URL(target)
    const { method, url, headers } = incoming
    // A connection each: a kept one may be closed by a replica that stops, just as the next call is put on it.
    const passed = request({ host: '127.0.0.1', port: targetPort, method, path: url, headers, agent: false })
    passed.on('error', (error) => fail(incoming, answer, error.message))
    passed.on('response', (received) => {
      answer.writeHead(received.statusCode ?? 502, received.headers)
      received.on('error', () => answer.destroy())
      received.pipe(answer)
      answer.flushHeaders()
    })
    answer.on('close', () => passed.destroy())
    incoming.pipe(passed)
  })
  await new Promise<void>((resolve) => server.listen(port, resolve))
  owner.after(async () => {
    server.closeAllConnections()
    server.close()
  })
  return {
    failures,
    add: (url) => void targets.push(url),
    remove: (url) => void targets.splice(targets.indexOf(url), 1),
  }
}
