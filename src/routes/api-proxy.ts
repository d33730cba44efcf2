import replyFrom from '@fastify/reply-from'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'
import { buildClientHeaders, buildUpstreamHeaders } from '../proxy/headers.ts'
import { findProxyTarget } from '../proxy/target.ts'
import type { Refresher } from '../session/refresh.ts'
import type { Sessions } from '../session/sessions.ts'
import { errorResponses } from './error-body.ts'

/** How long an API may take to begin its answer (contract §7). How long the answer then lasts is its own affair. */
const HEADERS_TIMEOUT_MS = 30_000

const METHODS = ['HEAD', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

export interface ApiProxyDeps {
  readonly config: Pick<Config, 'apiRoutes'>
  readonly sessions: Sessions
  readonly refresher: Refresher
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
        const accessToken = await useSession(request, deps)
        return pass(request, reply, target.url, accessToken)
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

/** The access token of the caller's session, renewed first where it is due; using an API is using the session. */
async function useSession({ session }: FastifyRequest, { sessions, refresher }: ApiProxyDeps): Promise<string> {
  if (session === null) throw new BffError('unauthenticated', 'no session')
  const { record } = await refresher.ensureFresh(await sessions.touch(session))
  return record.tokens.accessToken
}

function pass(request: FastifyRequest, reply: FastifyReply, url: string, accessToken: string): FastifyReply {
  return reply.from(url, {
    rewriteRequestHeaders: (_request, headers) => buildUpstreamHeaders(headers, { accessToken, requestId: request.id }),
    rewriteHeaders: (headers) => buildClientHeaders(headers, reply.getHeader('vary')?.toString()),
    onError: (failed, { error }) => {
      const code = 'statusCode' in error && error.statusCode === 504 ? 'upstream_timeout' : 'upstream_unavailable'
      failed.send(new BffError(code, 'the API did not answer', { cause: error }))
    },
  })
}
