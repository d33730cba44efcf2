import { type Answer, Failure } from '../protocol/answers.ts'
import type { ServiceRequest } from '../protocol/requests.ts'

const TIMEOUT_MS = 15_000

/**
 * Sends a request of the protocol. The cookies are those of the system's HTTP client, which keeps them through a restart.
 *
 * @throws {Failure} `network` when there is no answer
 */
export async function send({ method, url, headers, body }: ServiceRequest): Promise<Answer> {
  const patience = new AbortController()
  const timer = setTimeout(() => patience.abort(), TIMEOUT_MS)
  try {
    const response = await fetch(url, {
      method,
      headers,
      credentials: 'include',
      signal: patience.signal,
      ...(body !== undefined && { body }),
    })
    // React Native follows redirects whatever it is told. The service sends an app none: this came from elsewhere.
    if (response.url !== '' && response.url !== url) throw new Failure('unexpected')
    const retryAfter = response.headers.get('retry-after') ?? undefined
    return { status: response.status, body: await response.text(), retryAfter }
  } catch (cause) {
    throw cause instanceof Failure ? cause : new Failure('network', { cause })
  } finally {
    clearTimeout(timer)
  }
}
