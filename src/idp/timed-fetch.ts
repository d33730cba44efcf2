import type { Metrics } from '../metrics.ts'
import type { FetchIdp } from './http.ts'

export type IdpEndpoint = 'discovery' | 'jwks' | 'token' | 'revocation'

/** The same fetch, with the time of each answer in the metrics. */
export function timeFetch(fetch: FetchIdp, endpoint: IdpEndpoint, metrics?: Pick<Metrics, 'idpDuration'>): FetchIdp {
  if (metrics === undefined) return fetch
  return async (url, init) => {
    const askedAt = performance.now()
    let outcome = 'unreachable'
    try {
      const response = await fetch(url, init)
      outcome = `${Math.floor(response.status / 100)}xx`
      return response
    } finally {
      metrics.idpDuration.observe({ endpoint, outcome }, (performance.now() - askedAt) / 1000)
    }
  }
}
