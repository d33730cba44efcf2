import replyFrom from '@fastify/reply-from'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Agent } from 'undici'
import { API_METHODS, type ApiMethod, type Config } from '../config.ts'
import { BffError } from '../errors.ts'
import { findHandover } from '../plugins/upgrades.ts'
import { findProxyTarget } from '../proxy/target.ts'
import type { Session } from '../session/record.ts'
import type { Refresher } from '../session/refresh.ts'
import type { Sessions } from '../session/sessions.ts'
import { type ApiCallDeps, passCall } from './api-call.ts'
import { createTunnels } from './api-websocket.ts'
import { errorResponses } from './error-body.ts'

/** How long an API may take to begin its answer (contract §7). How long the answer then lasts is its own affair. */
const HEADERS_TIMEOUT_MS = 30_000

/** Calls of one API under way, streams included; a connection each. More would wait in line behind what may never end. */
const CALLS_MAX = 4096

export interface ApiProxyDeps extends ApiCallDeps {
  readonly config: Pick<Config, 'apiRoutes'>
  readonly sessions: Pick<Sessions, 'reload' | 'touch'>
  readonly refresher: Pick<Refresher, 'ensureFresh' | 'refresh'>
  /** Shorter in tests. */
  readonly headersTimeoutMs?: number
}

/** Everything under `/api/`: passed on with the session's access token, streaming both ways. */
export const apiProxy: FastifyPluginAsyncTypebox<ApiProxyDeps> = async (app, deps) => {
  const headersTimeout = deps.headersTimeoutMs ?? HEADERS_TIMEOUT_MS
  await app.register(replyFrom, {
    disableRequestLogging: true,
    retryMethods: [], // A request that may have reached the API is not sent twice behind the caller's back.
    undici: new Agent({ connections: CALLS_MAX, pipelining: 1, headersTimeout, bodyTimeout: 0 }),
  })
  // Bodies are the API's: not parsed, not limited, not held in memory.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  const tunnels = createTunnels(deps)
  app.addHook('preClose', async () => tunnels.close())
  const enter = createDoor()

  for (const method of API_METHODS) {
    app.route({
      method,
      url: '/api/*',
      config: { access: 'session', from: 'proxied' },
      schema: describe(method),
      handler: async (request, reply) => {
        const url = requireTarget(request, reply, method, deps)
        const session = await useSession(request, deps)
        if (reply.raw.destroyed) return reply.hijack() // The caller left while the tokens were renewed.
        const handover = findHandover(request)
        if (handover !== undefined) return tunnels.open(request, reply, { url, session, handover })
        reply.raw.once('close', enter(url))
        return passCall(request, reply, { url, session }, deps)
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
    'method_not_allowed',
    'upstream_unavailable',
    'idp_unavailable',
    'upstream_timeout',
  ),
})

/** By configuration alone where it goes, and whether at all (PX-01). @returns the URL without its query */
function requireTarget(request: FastifyRequest, reply: FastifyReply, method: ApiMethod, deps: ApiProxyDeps): string {
  const target = findProxyTarget(request.url, deps.config.apiRoutes)
  if (target.kind === 'refused') throw new BffError('invalid_request', 'a path with two readings')
  if (target.kind === 'unknown') throw new BffError('not_found', 'no API_ROUTES prefix fits')
  if (target.methods.includes(method)) return target.url
  reply.header('allow', target.methods.join(', '))
  throw new BffError('method_not_allowed', 'API_ROUTES has no such method for this prefix')
}

/** The caller's session, its tokens renewed first where they are due; using an API is using the session. */
async function useSession({ session }: FastifyRequest, { sessions, refresher }: ApiProxyDeps): Promise<Session> {
  if (session === null) throw new BffError('unauthenticated', 'no session')
  const used = await sessions.touch(session)
  if (used === undefined) throw new BffError('unauthenticated', 'the session has just ended')
  return refresher.ensureFresh(used)
}

/** Counts the calls of each API. @returns lets one in, and returns how it leaves */
function createDoor(): (url: string) => () => void {
  const inside = new Map<string, number>()
  return (url) => {
    const { origin } = new URL(url)
    const count = inside.get(origin) ?? 0
    if (count >= CALLS_MAX) throw new BffError('upstream_unavailable', 'too many calls of this API are under way')
    inside.set(origin, count + 1)
    return () => void inside.set(origin, (inside.get(origin) ?? 1) - 1)
  }
}
