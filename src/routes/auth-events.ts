import type { ServerResponse } from 'node:http'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { BffError } from '../errors.ts'
import type { Metrics } from '../metrics.ts'
import { errorResponses } from './error-body.ts'
import { createEventStream, type EventStream, type EventStreamDeps } from './event-stream.ts'

/** Streams of one session on one replica: some tabs, not a way to use up our connections. */
const STREAMS_MAX = 20

const schema = {
  operationId: 'streamEvents',
  summary: 'What happens to this session, as it happens',
  description:
    'Server-sent events: `session` (the view), `expiring` (the view, 60 s before the end), `ended` (a reason).',
  tags: ['session'],
  response: {
    200: { description: 'Until the session ends', content: { 'text/event-stream': { schema: Type.String() } } },
    ...errorResponses('unauthenticated', 'forbidden_origin', 'rate_limited'),
  },
}

export interface AuthEventsDeps extends EventStreamDeps {
  readonly metrics: Pick<Metrics, 'eventStreams'>
}

/** GET /auth/events: a stream per tab. Watching is not using: it does not slide the idle limit. */
export const authEvents: FastifyPluginAsyncTypebox<AuthEventsDeps> = async (app, deps) => {
  const streams = new Map<string, Set<EventStream>>()
  // Before the server waits for its connections to end: these would never end by themselves.
  app.addHook('preClose', async () => {
    for (const own of streams.values()) for (const stream of own) stream.close()
  })

  app.get('/auth/events', { config: { access: 'session', from: 'fetch' }, schema }, async (request, reply) => {
    const { session } = request
    if (session === null) throw new BffError('unauthenticated', 'no session')
    const own = streams.get(session.key) ?? new Set()
    if (own.size >= STREAMS_MAX) throw new BffError('rate_limited', 'too many event streams of one session')
    const stream = createEventStream(session, deps, () => {
      if (own.delete(stream)) deps.metrics.eventStreams.dec()
      if (own.size === 0) streams.delete(session.key)
    })
    streams.set(session.key, own.add(stream))
    deps.metrics.eventStreams.inc()
    try {
      await stream.listen()
    } catch (error) {
      stream.close()
      throw error
    }
    reply.hijack()
    writeHead(reply.raw, reply.getHeaders())
    stream.open(reply.raw)
  })
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
