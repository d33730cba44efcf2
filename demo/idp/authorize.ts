import type { ClientRegistry } from './clients.ts'
import type { Context, Next } from './context.ts'
import { sendError } from './page.ts'
import { Refusal, type ReplayGuard, verifyRequestObject } from './request-object-rules.ts'
import { noteRefusal, type Stats } from './stats.ts'

interface AuthorizeDeps {
  readonly issuer: string
  readonly clients: ClientRegistry
  readonly replayGuard: ReplayGuard
  readonly stats: Stats
  readonly log: (line: string) => void
}

/**
 * The only way into the provider's authorization endpoint: checks the query and the request object as Oten does, then
 * puts the verified parameters in the place of the query.
 */
export async function answerAuthorize(deps: AuthorizeDeps, ctx: Context, next: Next): Promise<void> {
  try {
    const parameters = await readAuthorization(deps, ctx)
    ctx.state.scope = parameters.scope
    ctx.state.maxAge = parameters.max_age
    ctx.querystring = new URLSearchParams(parameters).toString()
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    const { client_id: clientId } = ctx.query
    noteRefusal(deps.stats, deps.log, { clientId: String(clientId), error: cause.error, reason: cause.message })
    refuse(deps.issuer, ctx, cause)
    return
  }
  await next()
}

async function readAuthorization(deps: AuthorizeDeps, ctx: Context): Promise<Record<string, string>> {
  const { client_id: clientId, request: requestObject, ...others } = ctx.query
  if (typeof clientId !== 'string') throw new Refusal('invalid_request', 'client_id is missing or given twice')
  const client = deps.clients.find(clientId)
  if (client === undefined) throw new Refusal('invalid_client', 'the client is not known', 401)
  if (requestObject === undefined) {
    throw new Refusal('invalid_request', 'JAR (request parameter) is required for confidential clients')
  }
  if (typeof requestObject !== 'string') throw new Refusal('invalid_request', 'request is given twice')
  const names = Object.keys(others)
  if (names.length > 0) {
    throw new Refusal('invalid_request', `only client_id and request may be in the query, not ${names.join(', ')}`)
  }
  const { issuer, replayGuard } = deps
  const now = Math.floor(Date.now() / 1000)
  return verifyRequestObject({ requestObject, ...client, issuer, replayGuard, now })
}

function refuse(issuer: string, ctx: Context, refusal: Refusal): void {
  const { returnTo } = refusal
  if (returnTo === undefined) {
    sendError(ctx, refusal.status, refusal.error, refusal.message)
    return
  }
  const url = new URL(returnTo.redirectUri)
  url.searchParams.set('error', refusal.error)
  // RFC 6749 §4.1.2.1 allows printable ASCII without quotes and backslashes.
  url.searchParams.set('error_description', refusal.message.replace(/[^ -~]|["\\]/g, "'").slice(0, 300))
  if (returnTo.state !== undefined) url.searchParams.set('state', returnTo.state)
  url.searchParams.set('iss', issuer)
  ctx.state.answered = true
  ctx.status = 303
  ctx.set('cache-control', 'no-store')
  ctx.redirect(url.href)
}
