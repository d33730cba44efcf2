import type { ApiRoute } from '../config.ts'

/**
 * Spellings of a path that some server on the way reads as another path: a dot segment, an encoded slash, backslash or
 * dot, `..;` (which some servers read as `..`), an empty segment, a control character. Refused rather than repaired: the API must see what was checked (PX-02).
 */
const AMBIGUOUS =
  /%(?:25)*(?:2e|2f|5c|[01][0-9a-f]|7f)|\/;|\\|\/\/|(?:^|\/)\.{1,2}(?:[/;]|$)|[^!-~]|%(?![0-9a-f]{2})|#/i

/** Most paths: segments of letters and digits, none that begins with a dot. No reader differs on these. */
const PLAIN = /^(?:\/[\w~-][\w.~-]*)+$/

/** Where a proxied request goes: nowhere, to no known API, or to one URL. */
export type ProxyTarget =
  | { readonly kind: 'refused' }
  | { readonly kind: 'unknown' }
  /** `url` has no query: that is passed on as it came. */
  | { readonly kind: 'upstream'; readonly url: string; readonly route: ApiRoute }

/**
 * Finds the API of a request target by configuration alone; nothing in the request names a host (PX-01).
 *
 * @param requestTarget as received: `/api/orders/5?x`
 * @param routes longest prefix first, so that the longest wins
 */
export function findProxyTarget(requestTarget: string, routes: readonly ApiRoute[]): ProxyTarget {
  const [path = ''] = requestTarget.split('?', 1)
  if (!PLAIN.test(path) && (!path.startsWith('/') || AMBIGUOUS.test(path))) return { kind: 'refused' }
  // A prefix ends at a slash: `/api/orders` is not `/api/orders-internal`.
  const route = routes.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`))
  if (route === undefined) return { kind: 'unknown' }
  return { kind: 'upstream', url: route.upstream + path.slice(route.prefix.length), route }
}
