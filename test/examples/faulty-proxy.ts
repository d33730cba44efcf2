import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { buffer, text } from 'node:stream/consumers'
import type { Owner } from '../support/redis.ts'

/** A request as it came, and an answer as it goes. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Told {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: string
}

/** What goes wrong on the way: answers by itself, or with a change of the service's answer. */
export type Fault = (asked: Asked, pass: (asked: Asked) => Promise<Told>) => Promise<Told>

/** Stands before the service, and does one thing wrong. */
export async function startFaultyProxy(owner: Owner, port: number, target: string, fault: Fault): Promise<void> {
  const answer = async (received: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url: path = '/', headersDistinct } = received
    const headers = Object.fromEntries(
      Object.entries(headersDistinct).map(([name, values = []]) => [
        name,
        values.join(name === 'cookie' ? '; ' : ', '),
      ]),
    )
    const asked = { method, path, headers, body: await text(received) }
    const told = await fault(asked, (passed) => ask(target, passed))
    response.writeHead(told.status, { ...told.headers })
    response.end(told.body)
  }
  const server = createServer((received, response) => {
    answer(received, response).catch(() => response.destroy())
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  owner.after(async () => {
    server.closeAllConnections()
    server.close()
  })
}

async function ask(target: string, { method, path, headers, body }: Asked): Promise<Told> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request(new URL(path, target), { method, headers, agent: false }, resolve).on('error', reject).end(body)
  const answer = await promise
  const { 'content-length': _length, 'transfer-encoding': _coding, ...kept } = answer.headers
  return { status: answer.statusCode ?? 0, headers: kept as Told['headers'], body: (await buffer(answer)).toString() }
}
