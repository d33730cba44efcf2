import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Owner } from './redis.ts'

/** An API behind the proxy that notes which token came when. */
export interface Api {
  readonly url: string
  /** `Authorization` of each call, in order. */
  readonly seen: readonly string[]
  /** Calls that go on now, of `/stream` and `/hang`. */
  open(): number
}

/** `/stream` says `tick` until somebody leaves; `/hang` never answers; everything else answers at once. */
export async function startApi(owner: Owner): Promise<Api> {
  const seen: string[] = []
  let open = 0
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    seen.push(String(request.headers.authorization))
    const isStream = request.url?.endsWith('/stream')
    if (!isStream && !request.url?.endsWith('/hang')) {
      request.resume()
      return void response.end('{}')
    }
    open += 1
    const ticks = isStream ? setInterval(() => response.write('data: tick\n\n'), 50) : undefined
    if (isStream) response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    response.once('close', () => {
      open -= 1
      clearInterval(ticks)
    })
  }
  const server = createServer({ keepAliveTimeout: 60_000 }, answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.after(async () => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, open: () => open }
}
