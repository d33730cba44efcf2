import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'
import type { Idp } from '../idp/idp.ts'
import type { RefreshOutcome } from '../idp/refresh-tokens.ts'
import type { TokenSet } from '../idp/tokens.ts'
import type { Log } from '../log.ts'
import type { Session, SessionTokens } from './record.ts'
import { type Lease, type LeaseStore, readLease, takeLease } from './refresh-lease.ts'
import type { Sessions, UpdateOptions } from './sessions.ts'
import { pickClaims } from './view.ts'

/** How often, and how long, somebody else's refresh is watched: longer than a lease lives after its holder's death. */
const POLL_MS = 100
const WAIT_MAX_MS = 18_000

/**
 * How long the next holder waits for one that lost its lease without giving it back. After an outage of the store each
 * replica finds its own way back, within a second or two; the one that holds the new tokens must not come too late.
 */
const SETTLE_MS = 2500

/** How long the refresh token before the present one is kept: for an IdP that lost its last answer. */
const PREVIOUS_S = 30

/** How long tokens that cannot be stored are held, and after how long nobody waits for them any more. */
const WRITE_MAX_MS = 60_000
const STALL_MS = 1000

/** What a refresh came to, for all who waited for it. */
export type Flight =
  | { readonly kind: 'fresh'; readonly session: Session }
  | { readonly kind: 'ended' }
  | { readonly kind: 'unavailable'; readonly retryAfterS: number }

export interface RefreshFlightDeps {
  readonly sessions: Sessions
  readonly store: LeaseStore
  readonly idp: Pick<Idp, 'refresh' | 'revoke'>
  /** Epoch seconds. */
  readonly now: () => number
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly config: { readonly session: Pick<Config['session'], 'claims'> }
}

/**
 * Refreshes a session here, or waits for the replica that does. When that one dies, takes over.
 *
 * @param deps.onStall told when new tokens are there but the store is not: that may take long, so nobody should wait
 * @throws {BffError} store_unavailable
 */
export async function refreshShared(deps: FlightDeps, session: Session): Promise<Flight> {
  const { store } = deps
  const waitUntil = performance.now() + WAIT_MAX_MS
  for (;;) {
    const answer = await takeLease(store, session.key)
    if (answer.kind === 'held') return refreshHere(deps, session, answer.lease)
    if (answer.kind === 'resting') return answerWhileResting(deps, session, answer.retryAfterS)
    while ((await readLease(store, session.key)).kind === 'taken') {
      if (performance.now() > waitUntil) return { kind: 'unavailable', retryAfterS: 1 }
      await sleep(POLL_MS)
    }
    const settled = await readResult(deps, session)
    if (settled !== undefined) return settled
  }
}

export interface FlightDeps extends RefreshFlightDeps {
  readonly onStall: (error: BffError) => void
}

/** What another holder left: newer tokens, or no session. Undefined: it left nothing, so it is our turn. */
async function readResult({ sessions }: RefreshFlightDeps, session: Session): Promise<Flight | undefined> {
  const current = await sessions.reload(session)
  if (current === undefined) return { kind: 'ended' }
  return current.record.generation > session.record.generation ? { kind: 'fresh', session: current } : undefined
}

/** A rest is of the last attempt; a refresh that succeeded before it still counts. */
async function answerWhileResting(deps: RefreshFlightDeps, session: Session, retryAfterS: number): Promise<Flight> {
  return (await readResult(deps, session)) ?? { kind: 'unavailable', retryAfterS }
}

async function refreshHere(deps: FlightDeps, session: Session, lease: Lease): Promise<Flight> {
  let resting = false
  try {
    if (lease.fence > 1) await sleep(SETTLE_MS)
    // Read under the lease: a refresh that ended a moment ago must not be done again with its spent token.
    const settled = await readResult(deps, session)
    if (settled !== undefined) return settled
    const current = (await deps.sessions.reload(session)) ?? session
    const outcome = await askIdp(deps, current)
    if (outcome.kind === 'unavailable') {
      await keepSuccessor(deps, current, outcome.successor)
      resting = true
      const retryAfterS = await lease.rest(outcome.retryAfterS)
      deps.log.warn({ event: 'refresh_failed', session: current.record.id, reason: outcome.reason }, 'refresh failed')
      return { kind: 'unavailable', retryAfterS }
    }
    if (outcome.kind === 'refreshed') return await keep(deps, current, outcome.tokens)
    return await endOrYield(deps, current, outcome)
  } finally {
    if (!resting) await lease.release().catch(() => {}) // It runs out by itself.
  }
}

async function askIdp({ idp, now }: RefreshFlightDeps, { record }: Session): Promise<RefreshOutcome> {
  const { refreshToken, previous, idToken, scope } = record.tokens
  if (refreshToken === undefined) return { kind: 'invalid_grant' }
  const outcome = await idp.refresh({ refreshToken, idToken, scope })
  // The IdP may have lost its last answer (a failover of its own) and know only the token before. The session would
  // end anyway, so there is nothing to lose by showing that one.
  if (outcome.kind !== 'invalid_grant' || previous === undefined || now() >= previous.until) return outcome
  return idp.refresh({ refreshToken: previous.refreshToken, idToken, scope })
}

/** Written before anybody uses the new access token (RF-03), and only over what was read. */
async function keep(deps: FlightDeps, session: Session, granted: TokenSet): Promise<Flight> {
  const { log, now, config } = deps
  const tokens = buildTokens(session.record.tokens, granted, now())
  // An address that the user has lost since must not go on opening doors behind the proxy.
  const claims = pickClaims(granted.idTokenClaims, config.session.claims)
  const updated = await write(deps, session, tokens, { claims })
  if (updated !== undefined) {
    log.info(
      { event: 'refreshed', session: updated.record.id, generation: updated.record.generation },
      'tokens renewed',
    )
    return { kind: 'fresh', session: updated }
  }
  const settled = (await readResult(deps, session)) ?? { kind: 'unavailable', retryAfterS: 1 }
  // Signed out while the IdP answered: these tokens are nobody's. Where the session goes on instead, with what a later
  // holder wrote or by a write of ours whose answer was lost, to revoke them could end the grant it lives on.
  if (settled.kind === 'ended') await revokeUnused(deps, granted)
  return settled
}

/** The shown refresh token is spent, so the session has to go on with its successor, though not with what came along. */
async function keepSuccessor(deps: FlightDeps, session: Session, successor: string | undefined): Promise<void> {
  const { tokens } = session.record
  if (successor === undefined || successor === tokens.refreshToken) return
  await write(deps, session, rotate(tokens, successor, deps.now()), { isRefresh: false })
}

/**
 * The IdP may have spent the old refresh token with its answer: while the store is away, what it gave in its place is
 * held here and written as soon as the store is back. To give up would sign the user out.
 *
 * @throws {BffError} store_unavailable when it stays away
 */
async function write(
  { sessions, onStall }: FlightDeps,
  session: Session,
  tokens: SessionTokens,
  options: UpdateOptions = {},
): Promise<Session | undefined> {
  const startedAt = performance.now()
  for (;;) {
    try {
      return await sessions.update(session, tokens, options)
    } catch (error) {
      const triedMs = performance.now() - startedAt
      const isPassing = error instanceof BffError && error.code === 'store_unavailable'
      if (!isPassing || triedMs > WRITE_MAX_MS) throw error
      if (triedMs > STALL_MS) onStall(error)
      await sleep(POLL_MS)
    }
  }
}

function buildTokens(before: SessionTokens, granted: TokenSet, now: number): SessionTokens {
  const { accessToken, accessTokenExpiresAt, refreshToken = before.refreshToken, idToken, scope } = granted
  const { previous } = rotate(before, refreshToken, now)
  return { accessToken, accessTokenExpiresAt, obtainedAt: Math.floor(now), refreshToken, idToken, scope, previous }
}

/** The same tokens with another refresh token, which the one before survives for a short time. */
function rotate(before: SessionTokens, refreshToken: string | undefined, now: number): SessionTokens {
  const isRotated = before.refreshToken !== undefined && refreshToken !== before.refreshToken
  const previous = isRotated ? { refreshToken: before.refreshToken, until: Math.floor(now) + PREVIOUS_S } : undefined
  return { ...before, refreshToken, previous }
}

async function revokeUnused({ idp }: RefreshFlightDeps, { accessToken, refreshToken }: TokenSet): Promise<void> {
  if (refreshToken !== undefined) await idp.revoke({ token: refreshToken, tokenTypeHint: 'refresh_token' })
  await idp.revoke({ token: accessToken, tokenTypeHint: 'access_token' })
}

/** The IdP says the session is over (RF-04), or answered for somebody else (RF-06). */
async function endOrYield(
  deps: RefreshFlightDeps,
  session: Session,
  outcome: Extract<RefreshOutcome, { kind: 'invalid_grant' | 'mismatch' }>,
): Promise<Flight> {
  // Unless a later holder renewed it meanwhile: then our token was merely the old one.
  const settled = await readResult(deps, session)
  if (settled !== undefined) return settled
  const current = await deps.sessions.reload(session)
  // Nor where one that was cut off has stored the successor of what we showed.
  if (current !== undefined && current.record.tokens.refreshToken !== session.record.tokens.refreshToken) {
    return { kind: 'unavailable', retryAfterS: 1 }
  }
  const reason = outcome.kind === 'mismatch' ? outcome.reason : 'invalid_grant'
  deps.log.warn(
    { event: 'session_ended', session: session.record.id, reason },
    'the identity provider ended the session',
  )
  await deps.sessions.end(session.key, 'revoked')
  return { kind: 'ended' }
}
