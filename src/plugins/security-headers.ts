import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { BffError } from '../errors.ts'
import { answerMalformed } from './malformed.ts'

/** Longest request target that is looked at (CB-13). */
const URL_OCTETS_MAX = 8192

/**
 * What every answer under `/auth/` carries, whatever its status (contract §8), and the limits that every request meets
 * first.
 */
export const securityHeaders = fp(async (app: FastifyInstance, { secure }: { readonly secure: boolean }) => {
  answerMalformed(app, buildSecurityHeaders(secure))
  app.addHook('onRequest', (request, reply, done) => {
    if (isOurs(request)) setSecurityHeaders(reply, secure)
    else if (secure) reply.header('strict-transport-security', HSTS)
    // RFC 9112 §3.2. Here, since Node's own answer has none of these headers.
    if (request.raw.httpVersion === '1.1' && request.headers.host === undefined) {
      reply.header('connection', 'close')
      return done(new BffError('invalid_request', 'no Host'))
    }
    done(findUrlFault(request) ?? findHostFault(request))
  })
})

/** A year, and for every host below ours (HC-02). */
const HSTS = 'max-age=31536000; includeSubDomains'

export function buildSecurityHeaders(secure: boolean): Readonly<Record<string, string>> {
  return {
    // A shared cache may store what a cookie authenticated, and a back button would show a past session (RFC 9111 §3.5).
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // The callback's URL holds the code: no page or resource after it may learn that from `Referer` (RFC 9700 §4.2.4).
    'referrer-policy': 'no-referrer',
    // A foreign page that embeds an answer gets its octets into its own process otherwise (Spectre; HC-06).
    'cross-origin-resource-policy': 'same-origin',
    // Also where the request fails before its origin is looked at (CS-05).
    vary: 'Origin',
    ...(secure && { 'strict-transport-security': HSTS }),
  }
}

export function setSecurityHeaders(reply: FastifyReply, secure: boolean): void {
  reply.headers(buildSecurityHeaders(secure))
}

/** RFC 9112 §3.2: of two hosts, a proxy in front may have gone by the other one. */
function findHostFault({ raw: { rawHeaders } }: FastifyRequest): BffError | undefined {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.length === 4 && rawHeaders[at]?.toLowerCase() === 'host') hosts += 1
  }
  return hosts > 1 ? new BffError('invalid_request', 'more than one Host') : undefined
}

const isOurs = ({ url }: FastifyRequest): boolean => !url.startsWith('/api/')

function findUrlFault({ url }: FastifyRequest): BffError | undefined {
  if (url.length > URL_OCTETS_MAX) return new BffError('invalid_request', 'the request target is too long')
  if (!url.includes('%') || url.startsWith('/api/')) return undefined
  try {
    decodeURIComponent(url)
    return undefined
  } catch (cause) {
    return new BffError('invalid_request', 'the request target has a broken percent-encoding', { cause })
  }
}
