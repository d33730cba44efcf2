import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Owner } from '../support/redis.ts'

/** A request as it reached the application. */
export interface Seen {
  readonly method: string
  readonly path: string
  /** Names as they were sent. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

/** The application behind the proxy: notes what reaches it. */
export interface EchoApp {
  /** `host:port`. */
  readonly address: string
  readonly seen: readonly Seen[]
  /** The last one. @throws {Error} when there was none */
  last(): Seen
}

/** Added to the key of a WebSocket handshake (RFC 6455 §1.3). */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** `/stream` says something and then nothing more; a WebSocket gets back what it sends; anything else is 200 `the app`. */
export async function startEchoApp(owner: Owner): Promise<EchoApp> {
  const seen: Seen[] = []
  const sockets = new Set<Duplex>()
  const server = createServer(async (request, response) => {
    seen.push(describe(request, await text(request)))
    if (!request.url?.startsWith('/stream')) return response.end('the app')
    return response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n')
  })
  server.on('upgrade', (request, socket) => {
    seen.push(describe(request, ''))
    sockets.add(socket)
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}${WEBSOCKET_GUID}`)
      .digest('base64')
    const lines = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`]
    socket.write(['HTTP/1.1 101 Switching Protocols', ...lines, '', ''].join('\r\n'))
    socket.on('error', () => socket.destroy())
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.after(async () => {
    for (const socket of sockets) socket.destroy()
    server.closeAllConnections()
    server.close()
  })
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    last: () => seen.at(-1) ?? fail(),
  }
}

/** Every value under this name, in whatever letters, or under one that some frameworks take for it. */
export const valuesOf = ({ headers }: Seen, name: string): string[] =>
  headers.filter(([own]) => own.toLowerCase().replaceAll('_', '-') === name).map(([, value]) => value)

function fail(): never {
  throw new Error('nothing reached the app')
}

function describe({ method = '', url = '', rawHeaders }: IncomingMessage, body: string): Seen {
  const headers = Array.from({ length: rawHeaders.length / 2 }, (_, n) => {
    return [rawHeaders[2 * n] ?? '', rawHeaders[2 * n + 1] ?? ''] as const
  })
  return { method, path: url, headers, body }
}
