import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import type { Context, Next } from './context.ts'
import type { Endpoint } from './endpoints.ts'
import { type Fault, type Faults, takeFault } from './faults.ts'
import type { JsonObject } from './signing-keys.ts'

const ANSWER_IS_ALTERED = ['html', 'truncated', 'huge', 'missing', 'alter', 'wrong-token-type', 'delay']
/** More than what a careful client reads of any answer of an IdP. */
const HUGE_OCTETS = 3 * 1024 * 1024

/** What each preset of the discovery document takes away or says instead. */
const DISCOVERY_PRESETS: Readonly<Record<string, JsonObject>> = {
  'wrong-issuer': { issuer: 'https://impostor.example' },
  'no-s256': { code_challenge_methods_supported: ['plain'] },
  'no-endpoints': { authorization_endpoint: undefined, token_endpoint: undefined, jwks_uri: undefined },
  'no-end-session': { end_session_endpoint: undefined },
  'no-revocation': { revocation_endpoint: undefined },
  'no-request-parameter': { request_parameter_supported: false },
  'other-request-object-algs': { request_object_signing_alg_values_supported: ['RS256', 'ES256'] },
}

/** Carries out the fault that is switched on for this endpoint, or passes the request on. */
export async function answerWithFault(
  faults: Faults,
  endpoint: Endpoint,
  grantType: string | undefined,
  ctx: Context,
  next: Next,
): Promise<void> {
  const fault = takeFault(faults, endpoint, grantType)
  if (fault === undefined) return next()
  if (fault.after ?? (ANSWER_IS_ALTERED.includes(fault.kind) || fault.kind in DISCOVERY_PRESETS)) await next()
  if (fault.kind === 'hang' || fault.kind === 'reset') return withoutAnswer(fault, ctx)
  if (fault.kind === 'delay') return void (await wait(fault.delayMs ?? 1000))
  answer(fault, ctx)
}

async function withoutAnswer(fault: Fault, ctx: Context): Promise<void> {
  ctx.respond = false
  const { socket } = ctx.req
  if (fault.kind === 'reset') socket.resetAndDestroy()
  if (!socket.destroyed) await once(socket, 'close')
}

function answer(fault: Fault, ctx: Context): void {
  const { kind } = fault
  if (kind === 'status') {
    ctx.status = fault.status ?? 503
    ctx.body = { error: ctx.status === 429 ? 'rate_limited' : 'temporarily_unavailable' }
    if (fault.retryAfter !== undefined) ctx.set('retry-after', String(fault.retryAfter))
  } else if (kind === 'redirect') {
    ctx.status = 302
    ctx.redirect(fault.location ?? new URL('/elsewhere', ctx.href).href)
  } else if (kind === 'html') {
    ctx.status = 200
    ctx.type = 'html'
    ctx.body = '<!doctype html><title>Oten</title><p>We are doing some maintenance.</p>'
  } else if (kind === 'truncated') {
    const whole = JSON.stringify(ctx.body)
    ctx.type = 'json'
    ctx.body = whole.slice(0, whole.length / 2)
  } else if (kind === 'huge') {
    ctx.body = { ...bodyOf(ctx), padding: 'x'.repeat(HUGE_OCTETS) }
  } else if (kind === 'invalid_grant' || kind === 'invalid_client') {
    ctx.status = kind === 'invalid_grant' ? 400 : 401
    ctx.body = { error: kind, error_description: 'refused by the simulator, because it was told to' }
  } else {
    ctx.body = { ...bodyOf(ctx), ...alterationsOf(fault) }
  }
}

function alterationsOf(fault: Fault): JsonObject {
  if (fault.kind === 'missing') return Object.fromEntries((fault.members ?? []).map((name) => [name, undefined]))
  if (fault.kind === 'wrong-token-type') return { token_type: 'mac' }
  return DISCOVERY_PRESETS[fault.kind] ?? fault.set ?? {}
}

/** The provider's JSON answers are plain objects until Koa sends them. */
export function bodyOf(ctx: Context): JsonObject {
  return typeof ctx.body === 'object' && ctx.body !== null ? (ctx.body as JsonObject) : {}
}

/** @returns the address to which the browser is sent, with what the switched-on faults make of it */
export function alterCallback(faults: Faults, location: string): string {
  const url = new URL(location)
  const fault = takeFault(faults, 'callback')
  if (fault !== undefined) alterParameters(fault, url.searchParams)
  return (faults.alterCallback?.(url) ?? url).href
}

function alterParameters(fault: Fault, parameters: URLSearchParams): void {
  if (fault.kind === 'no-iss') parameters.delete('iss')
  if (fault.kind === 'wrong-iss') parameters.set('iss', 'https://impostor.example')
  if (fault.kind === 'no-state') parameters.delete('state')
  if (fault.kind === 'wrong-state') parameters.set('state', 'not-the-state-that-was-sent')
  const additions = fault.kind === 'extra-parameters' ? { session_state: 'x', vendor: 'y' } : {}
  if (fault.kind === 'error') {
    parameters.delete('code')
    Object.assign(additions, { error: 'server_error', error_description: 'told to fail' })
  }
  for (const [name, value] of Object.entries({ ...additions, ...fault.set })) parameters.set(name, String(value))
}
