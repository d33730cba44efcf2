import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { BffError } from '../errors.ts'
import { summarizeError } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { isNavigation } from './navigation.ts'
import { sendPage } from './page.ts'

/** Fastify's own refusals by their code; the rest follows from the status. */
const FASTIFY_CODES: Readonly<Record<string, 'unsupported_media_type' | 'payload_too_large'>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
}

/**
 * Every failure becomes the one error shape (contract §8), or the one error page where a person navigated to a page of
 * ours. What the caller sees comes from the table in `errors.ts` alone; what happened goes to the log under the same id.
 */
export const errors = fp(async (app: FastifyInstance, { metrics }: { readonly metrics: Pick<Metrics, 'errors'> }) => {
  const methodsByUrl = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsByUrl.get(url) ?? new Set()
    methodsByUrl.set(url, methods)
    for (const name of [method].flat()) methods.add(name)
  })

  app.addHook('onError', (_request, _reply, error, done) => {
    metrics.errors.inc({ code: toBffError(error).wireCode })
    done()
  })
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(toBffError(error), request, reply))

  const refuseUnrouted = (request: FastifyRequest, reply: FastifyReply): BffError => {
    const allowed = findAllowed(methodsByUrl, request)
    if (allowed === undefined) return new BffError('not_found', 'no such route')
    reply.header('allow', allowed.join(', ')) // RFC 9110 §15.5.6.
    return new BffError('method_not_allowed', 'no such method here')
  }
  // Before the body: no octet of one is worth reading here, and what is wrong with it would hide what is wrong with the call.
  app.addHook('preParsing', (request, reply, _payload, done) => {
    done(request.is404 ? refuseUnrouted(request, reply) : null)
  })
  app.setNotFoundHandler((request, reply) => sendError(refuseUnrouted(request, reply), request, reply))
})

/** Also for refusals that happen before a route is known, such as a path that cannot be decoded. */
export function sendError(error: BffError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  logRefusal(error, request)
  reply.code(error.statusCode)
  if (error.retryAfterS !== undefined) reply.header('retry-after', error.retryAfterS)
  // Bearer opens no password prompt in a browser (ER-04).
  if (error.statusCode === 401) reply.header('www-authenticate', 'Bearer')
  if (wantsPage(request)) return sendErrorPage(error, request, reply)
  return reply
    .header('cache-control', 'no-store') // Also for the API's paths: a 404 may be cached unless told otherwise.
    .header('x-content-type-options', 'nosniff')
    .header('cross-origin-resource-policy', 'same-origin')
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send({ error: error.wireCode, error_description: error.description, error_id: request.id })
}

/** A refusal is the caller's affair and gets a line; a failure is ours, and its stack with it. */
function logRefusal(error: BffError, { log }: FastifyRequest): void {
  const { code, message: reason, cause } = error
  if (error.statusCode >= 500) log.error({ event: 'failed', code, err: error }, 'request failed')
  else {
    const detail = cause === undefined ? {} : { cause: summarizeError(cause) }
    log.info({ event: 'refused', code, reason, ...detail }, 'request refused')
  }
}

/** `response=json` asks for JSON in any case, so also for the failure (contract §4). */
function wantsPage(request: FastifyRequest): boolean {
  if (request.routeOptions.config?.page !== true) return false
  const { response } = request.query as { readonly response?: unknown } // Any query is an object of names.
  return response !== 'json' && isNavigation(request)
}

function sendErrorPage(error: BffError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendPage(reply, {
    title: error.statusCode >= 500 ? 'Sign-in is not available right now' : 'This did not work',
    text: error.description,
    errorId: request.id,
    link: { href: '/auth/start', label: 'Start again' },
  })
}

function toBffError(error: FastifyError): BffError {
  if (error instanceof BffError) return error
  const status = error.statusCode ?? 500
  const code = FASTIFY_CODES[error.code] ?? (status >= 400 && status < 500 ? 'invalid_request' : 'server_error')
  return new BffError(code, 'refused by the framework', { cause: error })
}

/** The methods of the route that this path belongs to, if there is one under another method. */
function findAllowed(methodsByUrl: ReadonlyMap<string, Set<string>>, { url }: FastifyRequest): string[] | undefined {
  const [path = ''] = url.split('?')
  for (const [pattern, methods] of methodsByUrl) if (fits(pattern, path)) return [...methods].sort()
  return undefined
}

/** `/a/:id` takes one segment, `/a/*` any number; `*` alone is the preflights' own and fits nothing. */
function fits(pattern: string, path: string): boolean {
  const own = pattern.split('/')
  const segments = path.split('/')
  const isOpen = own.length > 1 && own.at(-1) === '*'
  if (isOpen ? segments.length < own.length : segments.length !== own.length) return false
  return (isOpen ? own.slice(0, -1) : own).every((part, at) => part.startsWith(':') || part === segments[at])
}
