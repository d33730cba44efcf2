import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { buildService, PUBLIC_URL, type ServiceOptions } from '../plugins/build-service.ts'

export type Handler = (incoming: IncomingMessage, answer: ServerResponse) => void

/** An API on a port of its own. */
export async function listen(t: TestContext, handler: Handler) {
  const server = createServer(handler).listen(0, '127.0.0.1')
  const sockets = new Set<Socket>() // Also those that speak another protocol by now, which the server forgets.
  server.on('connection', (socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)))
  })
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  t.after(close)
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

/** The whole service on a real port with one API at `/api/x`, and what a signed-in page sends. */
export async function buildProxy(t: TestContext, handler: Handler, options: ServiceOptions = {}) {
  const upstream = await listen(t, handler)
  const env = { API_ROUTES: `/api/x=${upstream.url}/v1`, ...options.env }
  const service = await buildService(t, { ...options, env })
  await service.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = service.app.server.address() as AddressInfo
  const credential = await service.plant()
  const mine = { cookie: `${service.cookieName}=${credential}`, origin: PUBLIC_URL }
  return { service, upstream, port, credential, mine, url: `http://127.0.0.1:${port}` }
}
