import type { IncomingHttpHeaders } from 'node:http'
import { continuesTrace } from './trace-context.ts'

/** Of this connection only, never passed on (RFC 9110 §7.6.1). `Expect` is answered here, by Node. */
const HOP_BY_HOP = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * What a client must not say to the API: its cookies, which are ours; a token of its own; who it is; by what way it
 * came. Compared after folding case and `_` to `-`, since many servers read `X_Auth_Subject` as `X-Auth-Subject`.
 */
const OURS = new Set(['cookie', 'authorization', 'forwarded', 'x-request-id', 'x-real-ip', 'traceparent', 'tracestate'])
const OURS_PREFIXES = ['x-auth-', 'x-forwarded-', 'sec-fetch-']

const fold = (name: string): string => name.toLowerCase().replaceAll('_', '-')

const isOurs = (name: string): boolean => {
  const folded = fold(name)
  return OURS.has(folded) || OURS_PREFIXES.some((prefix) => folded.startsWith(prefix))
}

/** What this service says to the API in the client's stead. */
export interface OwnHeaders {
  readonly accessToken: string
  readonly requestId: string
  readonly traceparent: string
}

/** The headers of a request to the API: the client's without what is ours to say, then ours (PX-03). */
export function buildUpstreamHeaders(headers: IncomingHttpHeaders, ours: OwnHeaders): IncomingHttpHeaders {
  const ofConnection = new Set(splitNames(headers.connection))
  const passed = Object.entries(headers).filter(
    ([name]) => !HOP_BY_HOP.has(name) && !ofConnection.has(name) && !isOurs(name),
  )
  // After the client's: nothing that it sent, a `Connection` header included, can remove or replace these.
  return {
    ...Object.fromEntries(passed),
    ...(continuesTrace(headers.traceparent) && pick(headers, 'tracestate')),
    authorization: `Bearer ${ours.accessToken}`,
    'x-request-id': ours.requestId,
    traceparent: ours.traceparent,
  }
}

/** The same for a WebSocket handshake (RFC 6455 §4.1): it is about this connection, so it says so itself. */
export function buildHandshakeHeaders(headers: IncomingHttpHeaders, ours: OwnHeaders): IncomingHttpHeaders {
  return { ...buildUpstreamHeaders(headers, ours), connection: 'Upgrade', upgrade: 'websocket' }
}

const pick = (headers: IncomingHttpHeaders, name: string): IncomingHttpHeaders =>
  headers[name] === undefined ? {} : { [name]: headers[name] }

/**
 * The headers of the API's answer: no cookie and no CORS decision of its own on our origin (PX-05).
 *
 * @param vary what our own part of the answer depends on
 */
export function buildClientHeaders(headers: IncomingHttpHeaders, vary?: string): IncomingHttpHeaders {
  const ofConnection = new Set(splitNames(headers.connection))
  const passed = Object.entries(headers).filter(
    ([name]) =>
      !HOP_BY_HOP.has(name) && !ofConnection.has(name) && name !== 'set-cookie' && !name.startsWith('access-control-'),
  )
  const varies = [vary, headers.vary].filter((names) => names !== undefined).join(', ')
  return {
    ...Object.fromEntries(passed),
    'cache-control': keepPrivate(headers['cache-control']),
    ...(varies !== '' && { vary: varies }),
  }
}

const splitNames = (list = ''): string[] => list.split(',').map((name) => name.trim().toLowerCase())

/**
 * The API answered one user. It saw `Authorization`, which alone keeps shared caches off; a cache in front of us sees a
 * cookie, which does not (RFC 9111 §3.5). So unless the API says `public`, its answer is that user's own.
 */
function keepPrivate(cacheControl: string | undefined): string {
  if (cacheControl === undefined || cacheControl.trim() === '') return 'no-store'
  const directives = splitNames(cacheControl).map((directive) => directive.split('=', 1)[0])
  const isDecided = ['no-store', 'private', 'public', 's-maxage'].some((name) => directives.includes(name))
  return isDecided ? cacheControl : `${cacheControl}, private`
}
