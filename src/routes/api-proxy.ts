import replyFrom from '@fastify/reply-from'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'
import { buildClientHeaders, buildUpstreamHeaders } from '../proxy/headers.ts'
import { findProxyTarget } from '../proxy/target.ts'
import type { SessionEvents } from '../session/events.ts'
import type { Session } from '../session/record.ts'
import type { Refresher } from '../session/refresh.ts'
import type { Sessions } from '../session/sessions.ts'
import { watchEnd } from '../session/watch-end.ts'
import { errorResponses } from './error-body.ts'

/** How long an API may take to begin its answer (contract §7). How long the answer then lasts is its own affair. */
const HEADERS_TIMEOUT_MS = 30_000

const METHODS = ['HEAD', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

export interface ApiProxyDeps {
  readonly config: Pick<Config, 'apiRoutes'>
  readonly sessions: Sessions
  readonly refresher: Pick<Refresher, 'ensureFresh'>
  readonly events: Pick<SessionEvents, 'listen'>
  /** Epoch seconds. */
  readonly now: () => number
  /** Shorter in tests. */
  readonly headersTimeoutMs?: number
}

/** Everything under `/api/`: passed on with the session's access token, streaming both ways. */
export const apiProxy: FastifyPluginAsyncTypebox<ApiProxyDeps> = async (app, deps) => {
  await app.register(replyFrom, {
    disableRequestLogging: true,
    retryMethods: [], // A request that may have reached the API is not sent twice behind the caller's back.
    undici: {
      connections: 256,
      pipelining: 1,
      headersTimeout: deps.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
      bodyTimeout: 0,
    },
  })
  // Bodies are the API's: not parsed, not limited, not held in memory.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))

  for (const method of METHODS) {
    app.route({
      method,
      url: '/api/*',
      config: { access: 'session', from: 'proxied' },
      schema: describe(method),
      handler: async (request, reply) => {
        const target = findProxyTarget(request.url, deps.config.apiRoutes)
        if (target.kind === 'refused') throw new BffError('invalid_request', 'a path with two readings')
        if (target.kind === 'unknown') throw new BffError('not_found', 'no API_ROUTES prefix fits')
        const session = await useSession(request, deps)
        if (reply.raw.destroyed) return reply.hijack() // The caller left while the tokens were renewed.
        return pass(request, reply, { url: target.url, session }, deps)
      },
    })
  }
}

const describe = (method: string) => ({
  operationId: `${method.toLowerCase()}Api`,
  summary: 'Pass a request on to an API of API_ROUTES, with the access token',
  tags: ['use'],
  response: errorResponses(
    'invalid_request',
    'unauthenticated',
    'forbidden_origin',
    'not_found',
    'upstream_unavailable',
    'idp_unavailable',
    'upstream_timeout',
  ),
})

/** The caller's session, its tokens renewed first where they are due; using an API is using the session. */
async function useSession({ session }: FastifyRequest, { sessions, refresher }: ApiProxyDeps): Promise<Session> {
  if (session === null) throw new BffError('unauthenticated', 'no session')
  const used = await sessions.touch(session)
  if (used === undefined) throw new BffError('unauthenticated', 'the session has just ended')
  return refresher.ensureFresh(used)
}

interface Call {
  readonly url: string
  readonly session: Session
}

function pass(request: FastifyRequest, reply: FastifyReply, { url, session }: Call, deps: ApiProxyDeps): FastifyReply {
  const { accessToken } = session.record.tokens
  let isCut = false
  let isAnswered = false // From then on the reply has the API's headers.
  // A stream or a long poll would go on for whoever signed out: the answer is broken off, or is 401 if it did not begin.
  const stopWatching = watchEnd(session, deps, () => {
    isCut = true
    if (isAnswered) reply.raw.destroy()
    else reply.send(new BffError('unauthenticated', 'the session ended while the API was called'))
  })
  reply.raw.once('close', stopWatching)

  return reply.from(url, {
    rewriteRequestHeaders: (_request, headers) => buildUpstreamHeaders(headers, { accessToken, requestId: request.id }),
    rewriteHeaders: (headers) => {
      isAnswered = true
      return buildClientHeaders(headers, reply.getHeader('vary')?.toString())
    },
    onResponse: (_request, answered, { stream }) => {
      if (isCut) stream.destroy()
      else answered.send(stream)
    },
    onError: (failed, { error }) => {
      const code = 'statusCode' in error && error.statusCode === 504 ? 'upstream_timeout' : 'upstream_unavailable'
      failed.send(new BffError(code, 'the API did not answer', { cause: error }))
    },
  })
}
