/** A request object, or another part of an authorization request, that was refused. */
export interface RefusedRequest {
  readonly clientId: string
  readonly error: string
  readonly reason: string
}

/** What has happened since the start; a live object. */
export interface Stats {
  authorizeRequests: number
  /** Authorization codes handed out, with or without a form. */
  authorizations: number
  /** Forms sent with `allow`. */
  logins: number
  /** Forms sent with `deny`. */
  denials: number
  /** By `grant_type`. */
  readonly tokenRequests: Record<string, number>
  revocations: number
  endSessions: number
  discoveryRequests: number
  jwksRequests: number
  readonly backchannelLogouts: { delivered: number; failed: number }
  refusedCount: number
  /** The last thousand of them, oldest first. */
  readonly refused: RefusedRequest[]
}

const REFUSED_MAX = 1000

export function createStats(): Stats {
  return {
    authorizeRequests: 0,
    authorizations: 0,
    logins: 0,
    denials: 0,
    tokenRequests: {},
    revocations: 0,
    endSessions: 0,
    discoveryRequests: 0,
    jwksRequests: 0,
    backchannelLogouts: { delivered: 0, failed: 0 },
    refusedCount: 0,
    refused: [],
  }
}

/** Counts a refusal and logs it in one line, without the request object. */
export function noteRefusal(stats: Stats, log: (line: string) => void, refusal: RefusedRequest): void {
  stats.refusedCount += 1
  stats.refused.push(refusal)
  if (stats.refused.length > REFUSED_MAX) stats.refused.shift()
  const line = `refused authorization request of ${refusal.clientId}: ${refusal.error}: ${refusal.reason}`
  log(line.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '?')) // Parts of it come from the query, and must not make lines of their own.
}
