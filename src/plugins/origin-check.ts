import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'
import type { Cookies } from './cookies.ts'
import { readPresented } from './presented.ts'
import { findHandover } from './upgrades.ts'

/**
 * From where a route may be called; every route states one.
 *
 * - `anywhere`: holds no session and changes none (keys, documents), or is protected by a secret in the request
 * - `top-level`: a navigation from anywhere, a fetch from an allowed origin, never a frame or sub-resource
 * - `fetch`: read by script; whether that script may see the answer is for CORS
 * - `change`: changes something for whoever the cookie belongs to
 * - `proxied`: as `change` for every method, since the API behind may change things on GET; a WebSocket of a browser
 *   needs an `Origin`
 * - `handoff`: an app's HTTP client, which sends no `Origin`, or a hybrid app's listed origin
 */
export type CallableFrom = 'anywhere' | 'top-level' | 'fetch' | 'change' | 'proxied' | 'handoff'

interface Deps {
  readonly config: Pick<Config, 'publicUrl' | 'allowedOrigins' | 'session'>
  readonly cookies: Cookies
}

/** In the log, for whoever has to find out why. */
const FOREIGN = 'foreign Origin: neither PUBLIC_URL nor in ALLOWED_ORIGINS'
const OTHER_SITE = 'listed Origin on another site than PUBLIC_URL: SESSION_SAME_SITE keeps the cookie from it'

/** Refuses calls from where a route may not be called, before any work is done for them (contract §8, CS-02, CS-03). */
export const originCheck = fp(async (app: FastifyInstance, deps: Deps) => {
  app.addHook('onRequest', (request, _reply, done) => {
    const from = request.routeOptions.config.from
    const fault = from === undefined ? undefined : findFault(from, request, deps)
    done(fault === undefined ? undefined : new BffError('forbidden_origin', fault))
  })
})

function findFault(from: CallableFrom, request: FastifyRequest, deps: Deps): string | undefined {
  switch (from) {
    case 'anywhere':
      return undefined
    case 'top-level':
      return findTopLevelFault(request, deps)
    case 'fetch':
      return findFetchFault(request)
    case 'change':
      return findChangeFault(request, deps)
    case 'proxied':
      return findWebSocketFault(request, deps) ?? findChangeFault(request, deps)
    case 'handoff':
      return findHandoffFault(request, deps)
  }
}

/** A sign-in that a foreign page could start unseen would be login CSRF; one that the user sees start is not (ST-10). */
function findTopLevelFault({ headers }: FastifyRequest, deps: Deps): string | undefined {
  const { origin, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest, 'sec-fetch-site': site } = headers
  if (mode === 'navigate') return dest === undefined || dest === 'document' ? undefined : 'navigation of a frame'
  if (dest !== undefined && dest !== 'empty') return 'loaded as a sub-resource'
  if (origin !== undefined) return isAllowed(origin, deps) ? undefined : FOREIGN
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'fetch from another origin'
  return undefined
}

/** Loaded as a script, image or frame, the answer could leak through side channels of the embedding page (SE-04). */
function findFetchFault({ headers }: FastifyRequest): string | undefined {
  const dest = headers['sec-fetch-dest']
  return dest === undefined || dest === 'empty' ? undefined : 'not loaded by fetch'
}

/** `SameSite` is not enough: sibling subdomains and other ports are same-site (CS-08). */
function findChangeFault(request: FastifyRequest, deps: Deps): string | undefined {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (origin !== undefined) {
    if (!isAllowed(origin, deps)) return FOREIGN
    return site === 'cross-site' && !mayBeCrossSite(request, deps) ? OTHER_SITE : undefined
  }
  if (site === 'same-origin') return undefined
  if (site === 'cross-site' || site === 'same-site') return `${site} request without Origin`
  // Typed or bookmarked: no page is behind it. Browsers send Origin with every method that changes something.
  if (site === 'none' && (request.method === 'GET' || request.method === 'HEAD')) return undefined
  // No browser of today sends neither header: fine for an app's HTTP client, suspicious with a browser's cookie.
  const { kind } = readPresented(request, deps.cookies)
  return kind === 'browser-cookie' || kind === 'malformed'
    ? 'browser session without Origin or Sec-Fetch-Site'
    : undefined
}

/** CORS does not hold back a WebSocket, so its `Origin` is all there is (RFC 6455 §10.2); every browser sends one. */
function findWebSocketFault(request: FastifyRequest, { cookies }: Deps): string | undefined {
  if (findHandover(request) === undefined || request.headers.origin !== undefined) return undefined
  return readPresented(request, cookies).kind === 'browser-cookie' ? 'WebSocket of a browser without Origin' : undefined
}

/** A listed origin of another site works where the operator chose so, or where the token cannot be sent by accident. */
const mayBeCrossSite = (request: FastifyRequest, { config, cookies }: Deps): boolean =>
  config.session.sameSite === 'none' || readPresented(request, cookies).kind === 'app-token'

const findHandoffFault = ({ headers: { origin } }: FastifyRequest, { config }: Deps): string | undefined =>
  origin === undefined || config.allowedOrigins.includes(origin) ? undefined : FOREIGN

/** Exact text: no suffix, no pattern, no `null` (CS-04). */
const isAllowed = (origin: string, { config }: Deps): boolean =>
  origin === config.publicUrl || config.allowedOrigins.includes(origin)
