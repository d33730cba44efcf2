import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Duplex } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { BffError } from '../errors.ts'
import type { Handover } from '../plugins/upgrades.ts'
import { buildHandshakeHeaders, type Via } from '../proxy/headers.ts'
import { buildTraceparent } from '../proxy/trace-context.ts'
import type { Session } from '../session/record.ts'
import { type WatchEndDeps, watchEnd } from '../session/watch-end.ts'

/** How long an API may take to answer a handshake. */
const HANDSHAKE_TIMEOUT_MS = 30_000

/** A connection on which nothing is said is kept, and noticed when it is dead. */
const KEEP_ALIVE_MS = 30_000

interface Call {
  readonly via: Via
  readonly url: string
  readonly session: Session
  readonly handover: Handover
}

/** WebSocket connections through this service, and their end with it. */
export interface Tunnels {
  /** Shakes hands with the API and then passes on what both sides say, until either leaves or the session ends. */
  open(request: FastifyRequest, reply: FastifyReply, call: Call): Promise<void>
  close(): void
}

export function createTunnels(deps: WatchEndDeps): Tunnels {
  const open = new Set<Duplex>()

  return {
    async open(request, reply, { url, session, via, handover }) {
      const answer = await shakeHands(request, url, session, via)
      if ('refused' in answer) return void reply.code(answer.refused).send()
      const { socket, head } = handover
      const { socket: upstream, head: upstreamHead, headers } = answer
      reply.hijack()
      const stopWatching = watchEnd(session, deps, () => socket.destroy())
      const end = (): void => {
        if (!open.has(socket)) return
        stopWatching()
        request.log.info({ event: 'websocket_closed', session: session.record.id }, 'WebSocket closed')
        open.delete(socket)
        for (const side of [socket, upstream]) side.destroy()
      }
      open.add(socket)
      for (const side of [socket, upstream]) side.once('close', end).on('error', end)
      if (socket.destroyed) end() // The caller left meanwhile.
      reply.raw.detachSocket(request.raw.socket)
      for (const side of [socket, upstream]) if ('setKeepAlive' in side) keepAlive(side as IncomingMessage['socket'])
      socket.write(buildSwitch(headers))
      upstream.write(head)
      socket.write(upstreamHead)
      socket.pipe(upstream).pipe(socket)
    },

    close() {
      for (const socket of open) socket.destroy()
    },
  }
}

function keepAlive(socket: IncomingMessage['socket']): void {
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  socket.setNoDelay(true)
  socket.setTimeout(0)
}

type HandshakeAnswer =
  | { readonly socket: Duplex; readonly head: Buffer; readonly headers: IncomingHttpHeaders }
  | { readonly refused: number }

/** @throws {BffError} upstream_unavailable, upstream_timeout */
function shakeHands(request: FastifyRequest, address: string, session: Session, via: Via): Promise<HandshakeAnswer> {
  const query = request.url.indexOf('?')
  const url = new URL(query === -1 ? address : address + request.url.slice(query))
  const headers = buildHandshakeHeaders(request.headers, {
    accessToken: session.record.tokens.accessToken,
    requestId: request.id,
    traceparent: request.traceparent ?? buildTraceparent(request.headers.traceparent),
    via,
  })
  const { promise, resolve, reject } = Promise.withResolvers<HandshakeAnswer>()
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  const outgoing = send(url, { headers: { ...headers, host: url.host }, agent: false, timeout: HANDSHAKE_TIMEOUT_MS })
  outgoing.on('upgrade', ({ headers: answered }, socket, head) => resolve({ socket, head, headers: answered }))
  outgoing.on('response', ({ statusCode = 502 }) => {
    outgoing.destroy()
    // Its own refusal, without its words; what is no refusal of a handshake makes no sense here.
    if (statusCode >= 400) resolve({ refused: statusCode })
    else reject(new BffError('upstream_unavailable', `the API answered a handshake with ${statusCode}`))
  })
  outgoing.on('timeout', () => {
    outgoing.destroy()
    reject(new BffError('upstream_timeout', 'the API did not answer a handshake'))
  })
  outgoing.on('error', (cause) => reject(new BffError('upstream_unavailable', 'the API did not answer', { cause })))
  outgoing.end()
  return promise
}

/** What the client's handshake needs to hear (RFC 6455 §4.2.2), and nothing else of what the API said. */
function buildSwitch(headers: IncomingHttpHeaders): string {
  const names = ['sec-websocket-accept', 'sec-websocket-protocol', 'sec-websocket-extensions']
  const lines = names.flatMap((name) => (headers[name] === undefined ? [] : [`${name}: ${headers[name]}`]))
  return ['HTTP/1.1 101 Switching Protocols', 'connection: Upgrade', 'upgrade: websocket', ...lines, '', ''].join(
    '\r\n',
  )
}
