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
const OURS = new Set([
  'cookie',
  'authorization',
  'forwarded',
  'proxy', // CGI hands it on as HTTP_PROXY, by which a client would choose the API's own way out.
  'x-request-id',
  'x-real-ip',
  'traceparent',
  'tracestate',
])
const OURS_PREFIXES = ['x-auth-', 'x-forwarded-', 'sec-fetch-']

const fold = (name: string): string => name.toLowerCase().replaceAll('_', '-')

const isOurs = (name: string): boolean => {
  const folded = fold(name)
  return OURS.has(folded) || OURS_PREFIXES.some((prefix) => folded.startsWith(prefix))
}

/** `Content_Length` or `Transfer_Encoding` would frame another request for an API that folds names. */
const isFramingInDisguise = (name: string): boolean =>
  name.includes('_') && (HOP_BY_HOP.has(fold(name)) || ['content-length', 'host'].includes(fold(name)))

/** Names are few, and judged on every call; a client that invents more of them gains nothing. */
const JUDGED_MAX = 1000
const judged = new Map<string, boolean>()

/** Whether a client's header of this name goes on to the API. */
function isPassedOn(name: string): boolean {
  const known = judged.get(name)
  if (known !== undefined) return known
  const passes = !HOP_BY_HOP.has(name) && !isOurs(name) && !isFramingInDisguise(name)
  if (judged.size < JUDGED_MAX) judged.set(name, passes)
  return passes
}

/** What this service says to the API in the client's stead. */
export interface OwnHeaders {
  readonly accessToken: string
  readonly requestId: string
  readonly traceparent: string
  /** By what way the request came, as this service knows it: the client's own words about that are dropped above. */
  readonly via: Via
}

export interface Via {
  /** The client, as far as TRUSTED_PROXIES let it be known. */
  readonly address: string
  /** Of PUBLIC_URL: what the browser sees. */
  readonly host: string
  readonly proto: string
}

/** The headers of a request to the API: the client's without what is ours to say, then ours (PX-03). */
export function buildUpstreamHeaders(headers: IncomingHttpHeaders, ours: OwnHeaders): IncomingHttpHeaders {
  const ofConnection = splitNames(headers.connection)
  const passed: IncomingHttpHeaders = {}
  for (const name in headers) {
    if (isPassedOn(name) && !ofConnection.includes(name)) passed[name] = headers[name]
  }
  if (continuesTrace(headers.traceparent) && headers.tracestate !== undefined) passed.tracestate = headers.tracestate
  // After the client's: nothing that it sent, a `Connection` header included, can remove or replace these.
  passed.authorization = `Bearer ${ours.accessToken}`
  passed['x-request-id'] = ours.requestId
  passed.traceparent = ours.traceparent
  passed['x-forwarded-for'] = ours.via.address
  passed['x-forwarded-host'] = ours.via.host
  passed['x-forwarded-proto'] = ours.via.proto
  return passed
}

/** The same for a WebSocket handshake (RFC 6455 §4.1): it is about this connection, so it says so itself. */
export function buildHandshakeHeaders(headers: IncomingHttpHeaders, ours: OwnHeaders): IncomingHttpHeaders {
  return { ...buildUpstreamHeaders(headers, ours), connection: 'Upgrade', upgrade: 'websocket' }
}

/**
 * The headers of the API's answer: no cookie and no CORS decision of its own on our origin (PX-05).
 *
 * @param vary what our own part of the answer depends on
 */
export function buildClientHeaders(headers: IncomingHttpHeaders, vary?: string): IncomingHttpHeaders {
  const ofConnection = splitNames(headers.connection)
  const passed: IncomingHttpHeaders = {}
  for (const name in headers) {
    const isDecidedHere = name === 'set-cookie' || name.startsWith('access-control-') || ORIGIN_WIDE.has(name)
    const isDropped = isDecidedHere || HOP_BY_HOP.has(name)
    if (!isDropped && !ofConnection.includes(name)) passed[name] = headers[name]
  }
  passed['cache-control'] = keepPrivate(headers['cache-control'])
  if (vary !== undefined || headers.vary !== undefined) {
    passed.vary = vary === undefined || headers.vary === undefined ? (vary ?? headers.vary) : `${vary}, ${headers.vary}`
  }
  return passed
}

/** What a browser keeps, or does, for the whole origin because of one answer: that is ours to decide, as cookies are. */
const ORIGIN_WIDE = new Set([
  'alt-svc',
  'clear-site-data',
  'nel',
  'report-to',
  'service-worker-allowed',
  'strict-transport-security',
])

const NONE: readonly string[] = []

const splitNames = (list?: string): readonly string[] =>
  list === undefined ? NONE : list.split(',').map((name) => name.trim().toLowerCase())

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
