import replyFrom from '@fastify/reply-from'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'
import { buildClientHeaders, buildUpstreamHeaders } from '../proxy/headers.ts'
import { findProxyTarget } from '../proxy/target.ts'
import type { Sessions } from '../session/sessions.ts'

/** How long an API may take to begin its answer (contract §7). How long the answer then lasts is its own affair. */
const HEADERS_TIMEOUT_MS = 30_000

interface Deps {
  readonly config: Pick<Config, 'apiRoutes'>
  readonly sessions: Sessions
  /** Epoch seconds. */
  readonly now: () => number
}

/** Everything under `/api/`: passed on with the session's access token, streaming both ways. */
export const apiProxy: FastifyPluginAsyncTypebox<Deps> = async (app, { config, sessions, now }) => {
  await app.register(replyFrom, {
    disableRequestLogging: true,
    retryMethods: [], // A request that may have reached the API is not sent twice behind the caller's back.
    undici: { connections: 256, pipelining: 1, headersTimeout: HEADERS_TIMEOUT_MS, bodyTimeout: 0 },
  })
  // Bodies are the API's: not parsed, not limited, not held in memory.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))

  app.route({
    method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: '/api/*',
    config: { access: 'session', from: 'proxied' },
    schema: { operationId: 'callApi', summary: 'Pass a request on to an API, with the access token', tags: ['use'] },
    handler: async (request, reply) => {
      const target = findProxyTarget(request.url, config.apiRoutes)
      if (target.kind === 'refused') throw new BffError('invalid_request', 'a path with two readings')
      if (target.kind === 'unknown') throw new BffError('not_found', 'no API_ROUTES prefix fits')
      const accessToken = await useSession(request, sessions, now())
      return pass(request, reply, target.url, accessToken)
    },
  })
}

/** @throws {BffError} unauthenticated when the token is over: an API must not get one that is dead */
async function useSession({ session }: FastifyRequest, sessions: Sessions, now: number): Promise<string> {
  if (session === null) throw new BffError('unauthenticated', 'no session')
  const { tokens } = (await sessions.touch(session)).record
  if (tokens.accessTokenExpiresAt <= now) throw new BffError('unauthenticated', 'the access token has expired')
  return tokens.accessToken
}

function pass(request: FastifyRequest, reply: FastifyReply, url: string, accessToken: string): FastifyReply {
  return reply.from(url, {
    rewriteRequestHeaders: (_request, headers) => buildUpstreamHeaders(headers, { accessToken, requestId: request.id }),
    rewriteHeaders: (headers) => buildClientHeaders(headers),
    onError: (failed, { error }) => {
      const code = 'statusCode' in error && error.statusCode === 504 ? 'upstream_timeout' : 'upstream_unavailable'
      failed.send(new BffError(code, 'the API did not answer', { cause: error }))
    },
  })
}
