import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { type Answer, type Exchange, nowUs, type Party } from './exchange.ts'
import { createFlows } from './flow.ts'
import { maskAuthorization, maskCookies, maskForm, maskLocation, maskPath, maskSetCookie } from './mask.ts'

/** What of this process is watched, and who is who. */
export interface Watched {
  /** Begins the ids of its exchanges. */
  readonly name: string
  /** Both ends of a request that reached this port; undefined: not watched. */
  received(port: number, request: IncomingMessage): { readonly from: Party; readonly to: Party } | undefined
  /** Both ends of a request that was sent to this origin. */
  sent(origin: string): { readonly from: Party; readonly to: Party } | undefined
  /** Called when a request is there, and again when it is answered. */
  report(exchange: Exchange): void
}

/** A request as undici tells of it (docs/api/DiagnosticsChannel.md). */
interface SentRequest {
  readonly origin: string | URL
  readonly path: string
  readonly method: string
  readonly headers: readonly unknown[]
  readonly body: unknown
}

/**
 * Watches what a process receives and sends over HTTP, through the channels by which Node and undici tell tools of it: what
 * is watched does not know. Secrets are masked here, before anything is passed on.
 */
export function watchHttp(watched: Watched): void {
  const causes = new AsyncLocalStorage<string>()
  const findFlow = createFlows()
  let count = 0
  const nextId = (): string => `${watched.name}-${++count}`

  subscribe('http.server.request.start', (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse } // As Node documents.
    const ends = watched.received(request.socket.localPort ?? 0, request)
    if (ends === undefined) return
    const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`)
    const requestObject = ends.to === 'oten' ? (url.searchParams.get('request') ?? undefined) : undefined
    const exchange = { ...describe(ends, url, request.method ?? '', request.headers), id: nextId() }
    const asked: Exchange = { ...exchange, flow: findFlow({ url }), requestObject }
    causes.enterWith(asked.id) // Lasts for what this request brings about, no longer.
    watched.report(asked)
    onHead(response, (status, headers) => {
      const setCookies = ends.to === 'bff' ? listCookies(headers) : []
      const answer = { ...describeAnswer(status, headers, url), setCookies: setCookies.map(maskSetCookie) }
      const flow = findFlow({ url, location: findLocation(headers, url), setCookies })
      watched.report({ ...asked, answer, flow: asked.flow ?? flow })
    })
  })

  const sent = new WeakMap<SentRequest, Exchange>()
  subscribe('undici:request:create', (message) => {
    const { request } = message as { request: SentRequest } // As undici documents; so the two below.
    const origin = String(request.origin)
    const ends = watched.sent(origin)
    if (ends === undefined) return
    const headers = toHeaders(request.headers)
    const exchange = {
      ...describe(ends, new URL(request.path, origin), request.method, headers),
      ...(String(headers['content-type']).startsWith('application/x-www-form-urlencoded') &&
        request.body instanceof Uint8Array && { body: maskForm(new TextDecoder().decode(request.body)) }),
      id: nextId(),
      cause: causes.getStore(),
    }
    sent.set(request, exchange)
    watched.report(exchange)
  })
  const answered = (request: SentRequest, status: number): void => {
    const exchange = sent.get(request)
    if (exchange !== undefined) watched.report({ ...exchange, answer: { status, at: nowUs(), setCookies: [] } })
  }
  subscribe('undici:request:headers', (message) => {
    const { request, response } = message as { request: SentRequest; response: { statusCode: number } }
    answered(request, response.statusCode)
  })
  subscribe('undici:request:error', (message) => {
    answered((message as { request: SentRequest }).request, 0)
  })
}

function describe(
  ends: { readonly from: Party; readonly to: Party },
  url: URL,
  method: string,
  { cookie, authorization }: Readonly<Record<string, unknown>>,
): Omit<Exchange, 'id'> {
  const headers = [
    ...(typeof cookie === 'string' && ends.to === 'bff' ? [`Cookie: ${maskCookies(cookie)}`] : []),
    ...(typeof authorization === 'string' ? [`Authorization: ${maskAuthorization(authorization)}`] : []),
  ]
  return { ...ends, method, path: maskPath(url), headers, askedAt: nowUs() }
}

function describeAnswer(status: number, headers: OutgoingHttpHeaders, url: URL): Omit<Answer, 'setCookies'> {
  const { location } = headers
  return { status, at: nowUs(), ...(typeof location === 'string' && { location: maskLocation(location, url.origin) }) }
}

function findLocation({ location }: OutgoingHttpHeaders, base: URL): URL | undefined {
  return typeof location === 'string' && URL.canParse(location, base) ? new URL(location, base) : undefined
}

const listCookies = (headers: OutgoingHttpHeaders): string[] =>
  [headers['set-cookie'] ?? []].flat().map((line) => String(line))

/** The status and headers of an answer are whole only as they are sent: `getHeaders` knows nothing of those of `writeHead`. */
function onHead(response: ServerResponse, listener: (status: number, headers: OutgoingHttpHeaders) => void): void {
  const writeHead: (...args: unknown[]) => ServerResponse = response.writeHead.bind(response) as never // Has overloads.
  response.writeHead = (status: number, ...rest: unknown[]): ServerResponse => {
    const own = rest.find((part) => typeof part === 'object') ?? {}
    const headers = Array.isArray(own) ? toHeaders(own.flat()) : own
    listener(status, { ...response.getHeaders(), ...lowercase(headers) })
    return writeHead(status, ...rest)
  }
}

const lowercase = (headers: object): OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** From `[name, value, name, value, …]`. */
function toHeaders(list: readonly unknown[]): Record<string, unknown> {
  const headers: Record<string, unknown> = {}
  for (let at = 0; at + 1 < list.length; at += 2) headers[String(list[at]).toLowerCase()] = list[at + 1]
  return headers
}
