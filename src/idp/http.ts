import { setTimeout as sleep } from 'node:timers/promises'
import { checkServerIdentity as checkTlsIdentity } from 'node:tls'
import { Agent, type Dispatcher, request } from 'undici'
import { BffError } from '../errors.ts'
import { createClock } from './clock.ts'
import type { IdpLog } from './log.ts'

const BODY_OCTETS_MAX = 1024 * 1024
const CONNECT_TIMEOUT_MS = 3000
const TOTAL_TIMEOUT_MS = 10_000
const RETRY_AFTER_MS = 100

/** A burst of refreshes waits in line here rather than opening a connection each. */
const CONNECTIONS_MAX = 128

/** Failures of the connection itself: no byte of the request can have left (TX-03). */
const NOTHING_SENT = new Set<unknown>(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'])

/** What oauth4webapi passes to its `customFetch`, as far as this project uses it. */
export interface IdpFetchInit {
  readonly method: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: URLSearchParams | undefined
  readonly signal?: AbortSignal | null | undefined
}

export type FetchIdp = (url: string, init: IdpFetchInit) => Promise<Response>

export interface IdpHttp {
  /**
   * One request, answered whole: limited in time (3 s to connect, 10 s in all) and size (1 MiB), redirects refused,
   * sent again only when no byte of it can have left.
   *
   * @throws {BffError} idp_unavailable, whatever went wrong; its message has no query, body or header
   */
  readonly fetch: FetchIdp
  /** How far the IdP's clock is ahead of ours, seconds; undefined until it answered once (LG-05). */
  clockOffsetS(): number | undefined
  close(): Promise<void>
}

export interface IdpHttpOptions {
  readonly allowInsecureIssuer: boolean
  /** Epoch seconds. */
  readonly now: () => number
  readonly log: IdpLog
  readonly connectTimeoutMs?: number
  readonly totalTimeoutMs?: number
}

/** A redirect where none belongs: to follow it would hand a code or a secret to whoever it names. */
export class RedirectRefused extends Error {
  constructor(status: number) {
    super(`answered ${status}: redirects are not followed`)
    this.name = 'RedirectRefused'
  }
}

/** Node falls back to the common name of a certificate, which RFC 9101 §8 and RFC 9525 §6.3 forbid: anybody's could be there. */
const checkServerIdentity: typeof checkTlsIdentity = (host, certificate) =>
  certificate.subjectaltname === undefined
    ? Object.assign(new Error('the certificate names no host (no subjectAltName)'), {
        code: 'CERT_NO_SUBJECT_ALT_NAME',
      })
    : checkTlsIdentity(host, certificate)

/** The one way to the IdP. */
export function createIdpHttp(options: IdpHttpOptions): IdpHttp {
  const { allowInsecureIssuer, now, log, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options
  const { totalTimeoutMs = TOTAL_TIMEOUT_MS } = options
  const limits = {
    connect: { timeout: connectTimeoutMs, checkServerIdentity },
    maxResponseSize: BODY_OCTETS_MAX,
    connections: CONNECTIONS_MAX,
  }
  const reading = new Agent(limits)
  // A connection each (`pipelining: 0`): on a kept one that the IdP closes meanwhile, nobody could tell whether a code
  // arrived, and a code must not be sent twice.
  const sending = new Agent({ ...limits, pipelining: 0 })
  const clock = createClock({ now, log })

  const fetch: FetchIdp = async (address, init) => {
    const url = new URL(address)
    const what = `${init.method} ${url.origin}${url.pathname}`
    if (url.protocol !== 'https:' && !(allowInsecureIssuer && url.protocol === 'http:')) {
      throw new BffError('idp_unavailable', `${what}: only https is allowed`)
    }
    const deadline = AbortSignal.timeout(totalTimeoutMs)
    const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline
    const dispatcher = init.method === 'GET' ? reading : sending
    try {
      const sentAt = now()
      const response = await retryUnsent(() => exchange(url, init, dispatcher, signal), signal)
      clock.observeDate(response.headers, sentAt)
      return response
    } catch (cause) {
      throw new BffError('idp_unavailable', `${what}: ${describe(cause)}`, { cause })
    }
  }

  return {
    fetch,
    clockOffsetS: () => clock.offsetS(),
    close: async () => {
      await Promise.all([reading.destroy(), sending.destroy()])
    },
  }
}

async function retryUnsent<T>(send: () => Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await send()
  } catch (error) {
    if (!(error instanceof Error) || !NOTHING_SENT.has(Reflect.get(error, 'code'))) throw error
    await sleep(RETRY_AFTER_MS, undefined, { signal })
    return send()
  }
}

async function exchange(url: URL, init: IdpFetchInit, dispatcher: Dispatcher, signal: AbortSignal): Promise<Response> {
  const { statusCode, headers, body } = await request(url, {
    dispatcher,
    method: init.method,
    // Unpacked, a small answer could become a huge one; so none is asked for packed.
    headers: { ...init.headers, 'accept-encoding': 'identity' },
    body: init.body?.toString() ?? null,
    signal,
  })
  if (statusCode >= 300 && statusCode < 400) {
    discard(body)
    throw new RedirectRefused(statusCode)
  }
  const octets = await body.arrayBuffer()
  return new Response(octets.byteLength === 0 ? null : octets, { status: statusCode, headers: toHeaders(headers) })
}

function discard(body: Dispatcher.ResponseData['body']): void {
  body.on('error', () => {}) // The refusal is what is reported.
  body.destroy()
}

function toHeaders(wire: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(wire)) {
    for (const line of [value ?? []].flat()) headers.append(name, line)
  }
  return headers
}

/** Codes and our own words: a parser's message may quote what the IdP sent. */
function describe(error: unknown): string {
  if (error instanceof RedirectRefused) return error.message
  if (!(error instanceof Error)) return 'failed'
  const code: unknown = Reflect.get(error, 'code')
  return typeof code === 'string' ? code : error.name
}
