import type { Config } from '../config.ts'
import type { Metrics } from '../metrics.ts'
import type { Tracing } from '../tracing.ts'
import { createIdpHttp, type FetchIdp } from './http.ts'
import { createJwks, type Jwks } from './jwks.ts'
import type { IdpLog } from './log.ts'
import { createMetadata, type Metadata } from './metadata.ts'
import { type RefreshInput, type RefreshOutcome, refreshTokens } from './refresh-tokens.ts'
import { type RevokeInput, revokeToken } from './revocation.ts'
import { type IdpEndpoint, timeFetch } from './timed-fetch.ts'
import { type RedeemInput, redeemCode, type TokenSet } from './tokens.ts'
import { traceFetch } from './traced-fetch.ts'

/** The identity provider: all that is said to it and believed from it, behind one object. */
export interface Idp {
  readonly metadata: Metadata
  /** For logout tokens, which anybody can send. */
  readonly jwks: Jwks
  /**
   * Code → tokens, once (RFC 6749 §4.1.3).
   *
   * @throws {SignInRefused} when the IdP, or a check, says no
   * @throws {BffError} idp_unavailable when the IdP does not answer
   */
  redeemCode(input: RedeemInput): Promise<TokenSet>
  /** One refresh request; never throws for what the IdP does. */
  refresh(input: RefreshInput): Promise<RefreshOutcome>
  /** RFC 7009. True when the IdP confirmed; never throws, takes three seconds at most. */
  revoke(input: RevokeInput): Promise<boolean>
  /** How far the IdP's clock is ahead of ours, seconds; undefined until it answered once. */
  clockOffsetS(): number | undefined
  /** Fetches the metadata in the background from now on. */
  start(): void
  close(): Promise<void>
}

export interface IdpDeps {
  /** Epoch seconds. */
  readonly now: () => number
  readonly log: IdpLog
  /** Absent: nothing is counted. */
  readonly metrics?: Pick<Metrics, 'idpDuration' | 'refreshes'> | undefined
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing | undefined
}

/** As the metrics have it: whichever way the IdP says no, the session is over. */
const REFRESH_OUTCOMES = {
  refreshed: 'refreshed',
  invalid_grant: 'ended',
  mismatch: 'ended',
  unavailable: 'unavailable',
} as const satisfies Record<RefreshOutcome['kind'], string>

/** Wires the parts together. Nothing is fetched before `start` or the first use. */
export function createIdp(
  config: Pick<Config, 'idp' | 'requestObject' | 'secrets'>,
  { now, log, metrics, tracing }: IdpDeps,
): Idp {
  const { issuer, allowInsecureIssuer, clientId, tokenAuth } = config.idp
  const { clientSecret, assertionKeys } = config.secrets.current()
  const http = createIdpHttp({ allowInsecureIssuer, now, log })
  const fetchFrom = (endpoint: IdpEndpoint): FetchIdp =>
    traceFetch(timeFetch(http.fetch, endpoint, metrics), endpoint, tracing)
  const metadata = createMetadata({
    issuer,
    allowInsecureIssuer,
    requestObjectAlg: config.requestObject.alg,
    tokenAuth,
    hasSecret: clientSecret !== undefined,
    hasAssertionKeys: assertionKeys.length > 0,
    fetch: fetchFrom('discovery'),
    now,
    log,
  })
  const jwks = createJwks({ metadata, fetch: fetchFrom('jwks'), now })
  const common = { clientId, allowInsecureIssuer, secrets: config.secrets, metadata, jwks: jwks.own, now, log }
  const deps = { ...common, fetch: fetchFrom('token') }
  const revoking = { ...common, fetch: fetchFrom('revocation') }
  return {
    metadata,
    jwks: jwks.strangers,
    redeemCode: (input) => redeemCode(deps, input),
    async refresh(input) {
      const outcome = await refreshTokens(deps, input)
      metrics?.refreshes.inc({ outcome: REFRESH_OUTCOMES[outcome.kind] })
      return outcome
    },
    revoke: (input) => revokeToken(revoking, input),
    clockOffsetS: () => http.clockOffsetS(),
    start: () => metadata.start(),
    close: async () => {
      metadata.close()
      await http.close()
    },
  }
}
