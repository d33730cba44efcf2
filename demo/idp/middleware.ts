import type { EventEmitter } from 'node:events'
import type Provider from 'oidc-provider'
import { answerAuthorize } from './authorize.ts'
import type { ClientRegistry } from './clients.ts'
import type { Context, Next } from './context.ts'
import { ENDPOINTS, findEndpoint, SIGN_IN_PATH } from './endpoints.ts'
import { alterCallback, answerWithFault, bodyOf } from './fault-answers.ts'
import type { Faults } from './faults.ts'
import { peekGrantType } from './grant-type.ts'
import { answerLogout } from './logout.ts'
import type { ReplayGuard } from './request-object-rules.ts'
import type { SessionEnder } from './sessions.ts'
import { answerSignIn } from './sign-in-page.ts'
import type { JsonObject, SigningKeys } from './signing-keys.ts'
import { noteRefusal, type Stats } from './stats.ts'

export interface MiddlewareDeps {
  readonly provider: Provider
  readonly issuer: string
  readonly clients: ClientRegistry
  readonly replayGuard: ReplayGuard
  readonly keys: SigningKeys
  readonly sessions: SessionEnder
  readonly faults: Faults
  readonly stats: Stats
  readonly log: (line: string) => void
  /** Members of the discovery document; `undefined` takes one away. */
  readonly advertise: JsonObject
  readonly authorizationResponseIss: boolean
}

const AVATAR =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" fill="#3457d5"/>' +
  '<circle cx="32" cy="25" r="11" fill="#fff"/><path d="M10 60a22 20 0 0 1 44 0z" fill="#fff"/></svg>'

/** Puts the simulator's own rules around the provider, in the order in which a request meets them. */
export function addMiddleware(deps: MiddlewareDeps): void {
  const { provider, faults } = deps
  provider.use(async (ctx, next) => {
    const endpoint = findEndpoint(ctx.path)
    if (endpoint === undefined) return next()
    const grantType = endpoint === 'token' ? await peekGrantType(ctx.req) : undefined
    count(deps.stats, endpoint, grantType)
    return answerWithFault(faults, endpoint, grantType, ctx, next)
  })
  provider.use((ctx, next) => alterAnswer(deps, ctx, next))
  provider.use(async (ctx, next) => {
    const isGet = ctx.method === 'GET'
    if (ctx.path === ENDPOINTS.authorize && isGet) return answerAuthorize(deps, ctx, next)
    if (ctx.path.startsWith(`${SIGN_IN_PATH}/`)) return answerSignIn(deps, ctx)
    if (ctx.path === ENDPOINTS.endSession && isGet) return answerLogout(deps, ctx, next)
    if (ctx.path === '/.well-known/oauth-authorization-server') return // A second document would escape the faults.
    if (ctx.path === '/avatar.svg') {
      ctx.type = 'image/svg+xml'
      ctx.body = AVATAR
      return
    }
    return next()
  })
  listen(deps)
}

function count(stats: Stats, endpoint: keyof typeof ENDPOINTS, grantType: string | undefined): void {
  if (endpoint === 'authorize') stats.authorizeRequests += 1
  if (endpoint === 'revocation') stats.revocations += 1
  if (endpoint === 'endSession') stats.endSessions += 1
  if (endpoint === 'discovery') stats.discoveryRequests += 1
  if (endpoint === 'jwks') stats.jwksRequests += 1
  if (endpoint !== 'token') return
  const grant = grantType ?? 'none'
  stats.tokenRequests[grant] = (stats.tokenRequests[grant] ?? 0) + 1
}

/** What differs from the provider's own answers, with and without a fault that is switched on. */
async function alterAnswer(deps: MiddlewareDeps, ctx: Context, next: Next): Promise<void> {
  const { faults, keys } = deps
  await next()
  if (ctx.path === ENDPOINTS.discovery && ctx.status === 200) {
    const iss = deps.authorizationResponseIss ? {} : { authorization_response_iss_parameter_supported: undefined }
    const document = { ...bodyOf(ctx), ...iss, ...deps.advertise }
    ctx.body = faults.alterDiscovery?.(document) ?? document
  } else if (ctx.path === ENDPOINTS.jwks && ctx.status === 200) {
    const jwks = keys.publicJwks()
    ctx.body = faults.alterJwks?.({ ...jwks }) ?? jwks
  } else if (ctx.path === ENDPOINTS.token && ctx.status === 200) {
    ctx.body = faults.alterTokenResponse?.(bodyOf(ctx)) ?? ctx.body
  } else if (ctx.state.answered === true && ctx.response.get('location') !== '') {
    const location = new URL(ctx.response.get('location'))
    if (!deps.authorizationResponseIss) location.searchParams.delete('iss')
    ctx.set('location', alterCallback(faults, location.href))
  }
}

function listen({ provider, stats, log }: MiddlewareDeps): void {
  const emitter: EventEmitter = provider // Its own types list the provider's events and leave out Koa's.
  provider.on('authorization.success', (ctx) => {
    stats.authorizations += 1
    ctx.state.answered = ctx.oidc.responseMode === 'query'
  })
  provider.on('authorization.error', (ctx, error) => {
    const clientId = String(ctx.oidc.params?.client_id)
    ctx.state.answered = error.allow_redirect && typeof ctx.oidc.params?.redirect_uri === 'string'
    if (!/^(invalid|unsupported|unauthorized)_/.test(error.error)) return
    noteRefusal(stats, log, { clientId, error: error.error, reason: error.error_description ?? '' })
  })
  provider.on('grant.error', (_ctx, error) => {
    log(`token request refused: ${error.error}: ${error.error_detail ?? error.error_description ?? ''}`)
  })
  emitter.on('error', (error: Error) => log(`error: ${error.message}`)) // Koa would print it otherwise.
  provider.on('server_error', (_ctx, error) => log(`server error: ${error.stack ?? error.message}`))
}
