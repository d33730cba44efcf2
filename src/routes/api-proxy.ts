import replyFrom from '@fastify/reply-from'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Agent } from 'undici'
import { API_METHODS, type ApiMethod, type ApiRoute, type Config } from '../config.ts'
import { BffError } from '../errors.ts'
import { findHandover } from '../plugins/upgrades.ts'
import { findProxyTarget } from '../proxy/target.ts'
import type { Session } from '../session/record.ts'
import type { Refresher } from '../session/refresh.ts'
import type { Sessions } from '../session/sessions.ts'
import { useSession } from '../session/use-session.ts'
import type { WatchEndDeps } from '../session/watch-end.ts'
import { createLastingWatch } from '../session/watch-lasting.ts'
import { type ApiCallDeps, passCall } from './api-call.ts'
import { createTunnels } from './api-websocket.ts'
import { errorResponses } from './error-body.ts'

/** How long an API may take to begin its answer (contract §7). How long the answer then lasts is its own affair. */
const HEADERS_TIMEOUT_MS = 30_000

/** Calls of one API under way, streams included; a connection each. More would wait in line behind what may never end. */
const CALLS_MAX = 4096

export interface ApiProxyDeps extends Omit<ApiCallDeps, 'lasting'>, WatchEndDeps {
  readonly config: Pick<Config, 'apiRoutes' | 'publicUrl'>
  readonly sessions: Pick<Sessions, 'reload' | 'touch' | 'isTouchDue'>
  readonly refresher: Pick<Refresher, 'ensureFresh' | 'isDue' | 'refresh'>
  /** Shorter in tests. */
  readonly headersTimeoutMs?: number
  /** Fewer in tests. */
  readonly callsMax?: number
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
  const enter = createDoor(deps.callsMax ?? CALLS_MAX)
  const calls = { ...deps, lasting: createLastingWatch(deps) }
  const { host, protocol } = new URL(deps.config.publicUrl)
  const origin = { host, proto: protocol.slice(0, -1) }

  const callApi = (method: ApiMethod, request: FastifyRequest, reply: FastifyReply): void => {
    const { url, route } = requireTarget(request, reply, method, deps)
    if (request.session === null) throw new BffError('unauthenticated', 'no session')
    const fail = (error: unknown): void => void reply.send(error)
    const go = (session: Session): void => {
      const handover = findHandover(request)
      // The caller left while the tokens were renewed.
      if (reply.raw.destroyed) return void reply.hijack()
      const onEnd = enter(route)
      const via = { address: request.ip, ...origin }
      if (handover === undefined) return void passCall(request, reply, { url, session, via, onEnd }, calls)
      handover.socket.once('close', onEnd) // Refused ones are closed as well.
      tunnels.open(request, reply, { url, session, via, handover }).catch(fail)
    }
    const used = useSession(deps, request.session) // Using an API is using the session.
    if (used instanceof Promise) used.then(go).catch(fail)
    else go(used)
  }

  for (const method of API_METHODS) {
    app.route({
      method,
      url: '/api/*',
      config: { access: 'session', from: 'proxied' },
      schema: describe(method),
      // Not `async`: for a reply that a promise brings, Fastify watches the connection once more.
      handler: (request, reply) => callApi(method, request, reply),
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

/** By configuration alone where it goes, and whether at all (PX-01). */
function requireTarget(request: FastifyRequest, reply: FastifyReply, method: ApiMethod, deps: ApiProxyDeps) {
  const target = findProxyTarget(request.url, deps.config.apiRoutes)
  if (target.kind === 'refused') throw new BffError('invalid_request', 'a path with two readings')
  if (target.kind === 'unknown') throw new BffError('not_found', 'no API_ROUTES prefix fits')
  const { methods } = target.route
  if (methods.includes(method)) return target
  reply.header('allow', methods.join(', '))
  throw new BffError('method_not_allowed', 'API_ROUTES has no such method for this prefix')
}

/** Counts the calls of each API. @returns lets one in, and returns how it leaves */
function createDoor(callsMax: number): (route: ApiRoute) => () => void {
  const inside = new Map<ApiRoute, number>()
  return (route) => {
    const count = inside.get(route) ?? 0
    if (count >= callsMax) throw new BffError('upstream_unavailable', 'too many calls of this API are under way')
    inside.set(route, count + 1)
    return () => void inside.set(route, (inside.get(route) ?? 1) - 1)
  }
}
