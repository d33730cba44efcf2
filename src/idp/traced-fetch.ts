import type { Tracing } from '../tracing.ts'
import type { FetchIdp } from './http.ts'
import type { IdpEndpoint } from './timed-fetch.ts'

/** The same fetch, each call a span of the request that needs it. The IdP is told nothing of that. */
export function traceFetch(fetch: FetchIdp, endpoint: IdpEndpoint, tracing: Tracing | undefined): FetchIdp {
  if (tracing === undefined) return fetch
  return (url, init) => {
    const { hostname, pathname } = new URL(url)
    const attributes = { 'http.request.method': init.method, 'server.address': hostname, 'url.path': pathname }
    const describe = ({ status }: Response) => ({ 'http.response.status_code': status })
    return tracing.call(`idp ${endpoint}`, attributes, () => fetch(url, init), describe)
  }
}
