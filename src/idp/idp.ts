import type { Config } from '../config.ts'
import type { Jwks } from './jwks.ts'
import type { IdpLog } from './log.ts'
import type { Metadata } from './metadata.ts'
import type { RedeemInput, RefreshInput, RefreshOutcome, RevokeInput, TokenSet } from './tokens.ts'

/** The identity provider: all that is said to it and believed from it, behind one object. */
export interface Idp {
  readonly metadata: Metadata
  readonly jwks: Jwks
  /**
   * Code → tokens, once (RFC 6749 §4.1.3).
   *
   * @throws {SignInRefused} when the IdP or a check refuses
   * @throws {BffError} idp_unavailable when the IdP does not answer
   */
  redeemCode(input: RedeemInput): Promise<TokenSet>
  refresh(input: RefreshInput): Promise<RefreshOutcome>
  /** RFC 7009. True when the IdP confirmed; never throws. */
  revoke(input: RevokeInput): Promise<boolean>
  /** How far the IdP's clock is ahead of ours, seconds; undefined until it answered once. */
  clockOffsetS(): number | undefined
  start(): void
  close(): Promise<void>
}

export interface IdpDeps {
  /** Epoch seconds. */
  readonly now: () => number
  readonly log: IdpLog
}

/** Wires the parts together; nothing is fetched before `start` or the first use. */
export function createIdp(_config: Config, _deps: IdpDeps): Idp {
  throw new Error('not wired yet')
}
