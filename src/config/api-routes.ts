import type { Report } from './findings.ts'
import { splitList, splitPair } from './lists.ts'
import { isLoopback, parseBaseUrl } from './urls.ts'

/** A proxied API: what lies below `prefix` here lies below `upstream` there. */
export interface ApiRoute {
  /** Canonical path below `/api/`, without a trailing slash. */
  readonly prefix: string
  /** Absolute http or https URL, without a trailing slash. */
  readonly upstream: string
  /** The methods that are passed on. */
  readonly methods: readonly ApiMethod[]
}

/** What can be passed on; `OPTIONS` is answered here, as a preflight. */
export const API_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
export type ApiMethod = (typeof API_METHODS)[number]

/** Segments that every hop reads alike: nothing encoded, no `.` or `..`, so that a prefix has one spelling only. */
const PREFIX = /^\/api(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)+$/

/** `GET|HEAD /api/orders`: the methods before the prefix; all of them where none is named. */
function parseMethods(text: string | undefined, report: Report): readonly ApiMethod[] {
  if (text === undefined) return API_METHODS
  const names = text.split('|')
  const methods = API_METHODS.filter((method) => names.includes(method))
  if (methods.length === names.length) return methods
  report(`must name each method once, before the prefix and separated by |, of ${API_METHODS.join(', ')}`)
  return API_METHODS
}

function parseUpstream(text: string, report: Report, warn: Report): string | undefined {
  const url = parseBaseUrl(text, (sentence) => report(`has an upstream that ${sentence}`))
  if (url === undefined) return undefined
  const path = url.pathname.replace(/\/$/, '')
  if (`${url.origin}${path}` !== text.replace(/\/$/, '') || /\/\/|%2e|%2f|%5c/i.test(path)) {
    report('has an upstream that must be written canonically: lower-case host, no default port, no dot segments, no //')
    return undefined
  }
  if (url.protocol === 'http:' && !isLoopback(url)) {
    warn('has an upstream on plain http: access tokens travel unprotected; use https unless the network is private')
  }
  return url.origin + path
}

/** The proxied APIs, longest prefix first, so that the first match is the right one. */
export function parseApiRoutes(value: string, report: Report, warn: Report): readonly ApiRoute[] {
  const routes = new Map<string, ApiRoute>()
  for (const [index, entry] of splitList(value, report).entries()) {
    const pair = splitPair(entry, '/api/name=https://upstream')
    if (pair === undefined) continue
    const [, names, prefix = ''] = /^(?:(\S+) +)?(.*)$/.exec(pair.name) ?? []
    const methods = parseMethods(names, entry.report)
    if (!PREFIX.test(prefix)) {
      entry.report(
        'must have a prefix such as /api/orders: below /api/, no trailing slash, no dot segments, no encoding',
      )
    } else if (routes.has(prefix)) entry.report('must have a prefix of its own; this one is taken')
    const upstream = parseUpstream(pair.value, entry.report, (sentence) => warn(`entry ${index + 1} ${sentence}`))
    if (upstream !== undefined) routes.set(prefix, Object.freeze({ prefix, upstream, methods }))
  }
  return Object.freeze([...routes.values()].sort((a, b) => b.prefix.length - a.prefix.length))
}
