import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import cookie from '@fastify/cookie'
import type {} from '@fastify/swagger' // Lets route schemas say `operationId`, `summary`, `tags`, `hide`.
import Fastify, { type FastifyHttpOptions, type FastifyInstance, LogController } from 'fastify'
import { endSessions } from './admin/end-sessions.ts'
import { health } from './admin/health.ts'
import { metrics as metricsRoute } from './admin/metrics.ts'
import { verify } from './admin/verify.ts'
import type { Config } from './config.ts'
import { BffError } from './errors.ts'
import type { Idp } from './idp/idp.ts'
import type { Log } from './log.ts'
import { createHandoffs } from './login/handoff.ts'
import { createSignOuts } from './login/sign-out.ts'
import { createTransactions } from './login/transaction.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { accessLog } from './plugins/access-log.ts'
import { type BodyDeadlineOptions, bodyDeadline } from './plugins/body-deadline.ts'
import { type Cookies, createCookies } from './plugins/cookies.ts'
import { crossOrigin } from './plugins/cross-origin.ts'
import { errors, sendError } from './plugins/errors.ts'
import { originCheck } from './plugins/origin-check.ts'
import { parseQuery } from './plugins/query.ts'
import { rateLimit } from './plugins/rate-limit.ts'
import { createRequestLog } from './plugins/request-log.ts'
import { securityHeaders, setSecurityHeaders } from './plugins/security-headers.ts'
import { session } from './plugins/session.ts'
import { trace } from './plugins/trace.ts'
import { isHandshake, routeHandshakes } from './plugins/upgrades.ts'
import { apiProxy } from './routes/api-proxy.ts'
import { appLanding } from './routes/app-landing.ts'
import { authBackchannelLogout } from './routes/auth-backchannel-logout.ts'
import { authCallback } from './routes/auth-callback.ts'
import { authClient } from './routes/auth-client.ts'
import { authEvents } from './routes/auth-events.ts'
import { authHandoff } from './routes/auth-handoff.ts'
import { authJwks } from './routes/auth-jwks.ts'
import { authLoggedOut } from './routes/auth-logged-out.ts'
import { authLogout } from './routes/auth-logout.ts'
import { authLogoutContinue } from './routes/auth-logout-continue.ts'
import { authOpenapi } from './routes/auth-openapi.ts'
import { authRefresh } from './routes/auth-refresh.ts'
import { authSession } from './routes/auth-session.ts'
import { authSessions } from './routes/auth-sessions.ts'
import { authStart } from './routes/auth-start.ts'
import { countSessions } from './session/count-sessions.ts'
import { createSessionEvents, type SessionEvents } from './session/events.ts'
import { createRefresher, type Refresher } from './session/refresh.ts'
import { createSeal, type Seal } from './session/seal.ts'
import { createSessions, type Sessions } from './session/sessions.ts'
import { createSignOutMarks, type SignOutMarks } from './session/sign-out-marks.ts'
import type { Store } from './store/store.ts'
import { timeStore } from './store/timed-store.ts'
import type { Tracing } from './tracing.ts'

/** How long after the stop has begun a refresh may still be waited for; the process ends soon after. */
const DRAIN_MS = 9_000

/** The edges of the service: what tests replace, and what the process opens and closes. */
export interface Deps extends BodyDeadlineOptions {
  readonly config: Config
  readonly store: Store
  readonly idp: Idp
  readonly log: Log
  /** Epoch seconds. */
  readonly now: () => number
  /** Its own when absent. */
  readonly metrics?: Metrics
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing | undefined
}

/** The bare server with its limits. The process and the tests both start here, so both have them. */
function createServer({ log, config }: Pick<Deps, 'log' | 'config'>): FastifyInstance {
  const bootId = Math.random().toString(36).slice(2, 8)
  let requests = 0
  const options: FastifyHttpOptions<Server> = {
    loggerInstance: log,
    childLoggerFactory: (logger, bindings) => createRequestLog(logger, bindings),
    // No lines of Fastify's own per request: they hold the URL, and the callback's URL holds the code.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    requestIdHeader: false, // A caller must not choose what the log says.
    genReqId: () => `${bootId}-${(++requests).toString(36)}`,
    bodyLimit: 64 * 1024,
    http: { shouldUpgradeCallback: isHandshake, requireHostHeader: false },
    requestTimeout: 0, // Uploads through the proxy take what they take; headers are limited by Node's own 60 s.
    exposeHeadRoutes: false, // HEAD would run GET's handler: a link preview must not start a sign-in.
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
    // An id of any length is an id that is not there: 404, not a fault of the router. Node bounds the URL.
    routerOptions: { querystringParser: parseQuery, maxParamLength: 16_384 },
    // Refuse what a schema does not allow, where Fastify would by default strip or convert it.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
    frameworkErrors: (error, request, reply) => {
      setSecurityHeaders(reply, config.secure)
      void sendError(new BffError('invalid_request', 'refused by the router', { cause: error }), request, reply)
    },
  }
  return Fastify(options) as unknown as FastifyInstance // pino's Logger type in place of Fastify's narrower one.
}

/** What both listeners work on: one set, or one would end sessions that the other still remembers. */
interface Shared {
  readonly seal: Seal
  readonly events: SessionEvents
  readonly sessions: Sessions
  readonly refresher: Refresher
  readonly marks: SignOutMarks
  readonly cookies: Cookies
  readonly metrics: Metrics
}

function createShared({ config, store, idp, log, now, metrics }: Deps & { readonly metrics: Metrics }): Shared {
  const seal = createSeal(() => config.secrets.current().sessionKeys)
  const events = createSessionEvents(store)
  const sessions = countSessions(createSessions({ store, seal, events, config, now }), metrics)
  const refresher = createRefresher({ sessions, store, idp, config, now, log })
  return {
    seal,
    events,
    sessions,
    refresher,
    marks: createSignOutMarks(store),
    cookies: createCookies(config),
    metrics,
  }
}

/**
 * Both listeners of the service, not yet listening.
 *
 * @param prepare runs before any route is known; the tool that writes `openapi.yaml` listens from there
 */
export async function createService(
  given: Deps,
  prepare?: (app: FastifyInstance) => Promise<void>,
): Promise<{ readonly app: FastifyInstance; readonly admin: FastifyInstance }> {
  const { metrics = createMetrics() } = given
  const deps = { ...given, store: timeStore(given.store, metrics), metrics }
  const shared = createShared(deps)
  const [app, admin] = await Promise.all([createApp(deps, shared, prepare), createAdminApp(deps, shared)])
  app.addHook('onClose', async () => shared.events.close())
  drainOnClose(app, shared.refresher)
  return { app, admin }
}

/** Nobody may wait for a refresh any more, but the IdP has perhaps spent a token for it: it is written before the end. */
function drainOnClose(app: FastifyInstance, refresher: Refresher): void {
  let drainUntil = Number.POSITIVE_INFINITY
  app.addHook('preClose', async () => {
    drainUntil = performance.now() + DRAIN_MS
  })
  app.addHook('onClose', async () => {
    const leftMs = Math.max(0, drainUntil - performance.now())
    await Promise.race([refresher.drain(), sleep(leftMs, undefined, { ref: false })])
  })
}

/** The service, in the order in which a request meets it. */
async function createApp(
  deps: Deps,
  shared: Shared,
  prepare?: (app: FastifyInstance) => Promise<void>,
): Promise<FastifyInstance> {
  const { config, store, idp, now } = deps
  const { seal, sessions, events, refresher, marks, cookies, metrics } = shared
  const transactions = createTransactions({ store, seal, now })
  const handoffs = createHandoffs({ store, seal, now })
  const signOuts = createSignOuts({ store, seal })

  const app = createServer(deps)
  app.removeContentTypeParser('text/plain') // JSON alone, or a form could be sent from any page without a preflight (CS-07).
  await prepare?.(app)
  await app.register(errors, { metrics: shared.metrics })
  await app.register(trace, { tracing: deps.tracing })
  await app.register(accessLog)
  await app.register(securityHeaders, { secure: config.secure })
  await app.register(bodyDeadline, { bodyTimeoutMs: deps.bodyTimeoutMs })
  await app.register(cookie, { hook: false })
  await app.register(crossOrigin, { config }) // Before `session`: its `OPTIONS *` states no access.
  await app.register(originCheck, { config, cookies })
  await app.register(rateLimit, { config })
  await app.register(session, { sessions, cookies }) // From here on, a route that states no access stops the start.

  const signIn = { config, idp, transactions, now }
  await app.register(authStart, { ...signIn, cookies, metrics })
  await app.register(authCallback, { ...signIn, cookies, handoffs, sessions, marks, metrics })
  await app.register(authHandoff, { handoffs, sessions, marks, idp, cookies, now, metrics })
  await app.register(authSession, { sessions, now })
  await app.register(authRefresh, { refresher, sessions, now })
  await app.register(authSessions, { sessions })
  await app.register(authEvents, { sessions, events, now, metrics })
  await app.register(authLogout, { config, sessions, marks, signOuts, idp, cookies })
  await app.register(authLogoutContinue, { config, idp, signOuts })
  await app.register(authLoggedOut, { signOuts })
  await app.register(authBackchannelLogout, { config, idp, sessions, marks, store, now, metrics })
  await app.register(authJwks, { secrets: config.secrets })
  await app.register(authOpenapi)
  await app.register(authClient)
  await app.register(appLanding, { config, handoffs })
  routeHandshakes(app)
  await app.register(apiProxy, { config, sessions, refresher, events, now })
  return app
}

/** The inner listener: for the platform, not for browsers. */
async function createAdminApp(
  { log, config, store, idp, bodyTimeoutMs }: Deps,
  { sessions, refresher, marks, cookies, metrics }: Shared,
): Promise<FastifyInstance> {
  const app = createServer({ log, config })
  app.server.on('checkExpectation', (request, response) => app.routing(request, response)) // As on the main one.
  await app.register(errors, { metrics })
  await app.register(bodyDeadline, { bodyTimeoutMs })
  await app.register(health, { store, idp })
  await app.register(metricsRoute, { metrics })
  await app.register(verify, { cookies, sessions, refresher })
  await app.register(endSessions, { config, sessions, marks })
  return app
}
