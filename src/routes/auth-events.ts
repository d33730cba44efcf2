import type { ServerResponse } from 'node:http'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { BffError } from '../errors.ts'
import type { EndReason, SessionEvent, SessionEvents } from '../session/events.ts'
import { endsAt, type Session } from '../session/record.ts'
import type { Sessions } from '../session/sessions.ts'
import { buildSessionView } from '../session/view.ts'
import { errorResponses } from './error-body.ts'

/** A proxy on the way closes what says nothing for a minute. */
const HEARTBEAT_MS = 20_000

/** How long before its end a session is said to be ending, seconds. */
const EXPIRING_S = 60

/** Longest sleep between looks at the session; other tabs slide its idle limit meanwhile. */
const LOOK_MS_MAX = 30_000

/** Streams of one session on one replica: some tabs, not a way to use up our connections. */
const STREAMS_MAX = 20

const schema = {
  operationId: 'streamEvents',
  summary: 'What happens to this session, as it happens',
  description:
    'Server-sent events: `session` (the view), `expiring` (the view, 60 s before the end), `ended` (a reason).',
  tags: ['session'],
  produces: ['text/event-stream'],
  response: {
    200: Type.String({ description: 'text/event-stream' }),
    ...errorResponses('unauthenticated', 'forbidden_origin', 'rate_limited'),
  },
}

interface Deps {
  readonly sessions: Sessions
  readonly events: SessionEvents
  /** Epoch seconds. */
  readonly now: () => number
}

/** GET /auth/events: a stream per tab. Watching is not using: it does not slide the idle limit. */
export const authEvents: FastifyPluginAsyncTypebox<Deps> = async (app, deps) => {
  const streams = new Map<string, Set<Stream>>()
  // Before the server waits for its connections to end: these would never end by themselves.
  app.addHook('preClose', async () => {
    for (const own of streams.values()) for (const stream of own) stream.close()
  })

  app.get('/auth/events', { config: { access: 'session', from: 'fetch' }, schema }, async (request, reply) => {
    const { session } = request
    if (session === null) throw new BffError('unauthenticated', 'no session')
    const own = streams.get(session.key) ?? new Set()
    if (own.size >= STREAMS_MAX) throw new BffError('rate_limited', 'too many event streams of one session')
    const stream = createStream(session, deps, () => {
      own.delete(stream)
      if (own.size === 0) streams.delete(session.key)
    })
    streams.set(session.key, own.add(stream))
    try {
      await stream.listen()
    } catch (error) {
      stream.close()
      throw error
    }
    reply.hijack()
    writeHead(reply.raw, reply.getHeaders())
    stream.open(reply.raw, request)
  })
}

interface Stream {
  listen(): Promise<void>
  open(response: ServerResponse, request: FastifyRequest): void
  close(): void
}

function createStream(initial: Session, { sessions, events, now }: Deps, onClose: () => void): Stream {
  let session = initial
  let response: ServerResponse | undefined
  let stopListening = (): void => {}
  let timer: NodeJS.Timeout | undefined
  let heartbeat: NodeJS.Timeout | undefined
  let toldExpiring = false
  let closed = false

  const send = (event: string, data: unknown): void => {
    response?.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  const close = (): void => {
    if (closed) return
    closed = true
    clearTimeout(timer)
    clearInterval(heartbeat)
    stopListening()
    response?.end()
    onClose()
  }

  const end = (reason: EndReason): void => {
    send('ended', { reason })
    close()
  }

  /** Looks at the session as it is now, tells what is new, and comes back when something is due. */
  const look = async (tellView: boolean): Promise<void> => {
    if (closed) return
    clearTimeout(timer)
    const found = await sessions.reload(session).catch(() => session) // A store that is away ends nobody's stream.
    if (closed) return
    if (found === undefined) return end(now() >= endsAt(session) ? 'expired' : 'revoked')
    session = found
    const leftS = endsAt(session) - now()
    if (leftS <= 0) return end('expired')
    if (tellView) send('session', buildSessionView(session, now()))
    if (leftS > EXPIRING_S) toldExpiring = false
    else if (!toldExpiring) {
      toldExpiring = true
      send('expiring', buildSessionView(session, now()))
    }
    const dueMs = (leftS > EXPIRING_S ? leftS - EXPIRING_S : leftS) * 1000
    timer = setTimeout(() => void look(false), Math.min(LOOK_MS_MAX, Math.max(50, dueMs)))
  }

  const hear = (event: SessionEvent): void => {
    if (event.type === 'ended') end(event.reason)
    else void look(event.type === 'refreshed')
  }

  return {
    async listen() {
      stopListening = await events.listen(initial.key, hear)
      if (closed) stopListening()
    },

    open(raw, request) {
      response = raw
      // Gone or broken: without this a listener and a timer would stay for every tab that was ever open.
      request.raw.once('close', close)
      raw.once('error', close)
      if (closed) return void raw.end() // It ended while we began.
      heartbeat = setInterval(() => raw.write(':\n\n'), HEARTBEAT_MS)
      void look(true)
    },

    close,
  }
}

/** What hooks have put on the reply so far (security, CORS) goes with the stream; buffering proxies are told not to. */
function writeHead(
  raw: ServerResponse,
  headers: Readonly<Record<string, number | string | string[] | undefined>>,
): void {
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) raw.setHeader(name, value)
  raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' })
  raw.flushHeaders()
}
