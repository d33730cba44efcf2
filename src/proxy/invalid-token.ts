import type { IncomingHttpHeaders } from 'node:http'

/** True when an API refuses the access token itself (RFC 6750 §3.1), rather than what its holder may do. */
export function refusesToken(statusCode: number, headers: IncomingHttpHeaders): boolean {
  if (statusCode !== 401) return false
  const challenge = [headers['www-authenticate'] ?? []].flat().join(', ')
  return /\bbearer\b/i.test(challenge) && /\berror="?invalid_token\b/i.test(challenge)
}

/** True when a request has no body: then it is whole in its head, and can be sent once more as it was. */
export const isReplayable = ({
  'content-length': length,
  'transfer-encoding': encoding,
}: IncomingHttpHeaders): boolean => encoding === undefined && (length === undefined || length === '0')
