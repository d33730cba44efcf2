import { drawRandom } from '../random.ts'

/** W3C Trace Context §3.2: version, trace id, parent id, flags; an id of zeros is none. */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/

/**
 * Where the API's work belongs: on in the caller's trace, or a new one, unsampled, when the caller has none that makes
 * sense. The parent is this service, not the caller.
 *
 * @param inbound the caller's `traceparent`
 */
export function buildTraceparent(inbound: unknown): string {
  const found = typeof inbound === 'string' ? TRACEPARENT.exec(inbound) : null
  const [, traceId = drawRandom(16).toString('hex'), flags = '00'] = found ?? []
  return `00-${traceId}-${drawRandom(8).toString('hex')}-${flags}`
}

/** True when the caller's trace goes on; otherwise its `tracestate` says nothing any more (W3C Trace Context §3.3). */
export const continuesTrace = (inbound: unknown): boolean => typeof inbound === 'string' && TRACEPARENT.test(inbound)
