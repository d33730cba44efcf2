import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** What Node hands over with a handshake: the connection, and what of the next protocol has arrived already. */
export interface Handover {
  readonly socket: Duplex
  readonly head: Buffer
}

const handovers = new WeakMap<IncomingMessage, Handover>()

/** The connection of a WebSocket handshake; undefined for every other request. */
export const findHandover = ({ raw }: Pick<FastifyRequest, 'raw'>): Handover | undefined => handovers.get(raw)

/**
 * Only handshakes for an API are handovers. All else that asks for another protocol (h2c, say) is answered as the HTTP
 * request that it is.
 */
export const isHandshake = ({ method, url = '', headers }: IncomingMessage): boolean =>
  method === 'GET' && url.startsWith('/api/') && headers.upgrade?.toLowerCase() === 'websocket'

/**
 * Lets WebSocket handshakes take the way of every request: the same hooks, the same routes, the same refusals, which are
 * written to the connection as ordinary answers before it is closed.
 */
export function routeHandshakes(app: FastifyInstance): void {
  app.server.on('upgrade', (request, socket, head) => {
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket as Parameters<typeof response.assignSocket>[0]) // Node gives the socket it came on.
    socket.on('error', () => socket.destroy()) // A caller that breaks off must not end the process.
    response.once('finish', () => socket.end())
    handovers.set(request, { socket, head })
    app.routing(request, response)
  })
}
