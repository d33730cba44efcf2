import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'
import type { Session, SessionTokens } from './record.ts'
import { type Flight, type RefreshFlightDeps, refreshShared } from './refresh-flight.ts'

/** Tokens are renewed when so much is left, or a tenth of their life where that is less. */
const DUE_S = 60
const DUE_SHARE = 0.1

/** How long a call waits for new tokens while the old ones are still good: an IdP that hangs is not the caller's trouble. */
const PATIENCE_MS = 2000

export interface Refresher {
  /** False where `ensureFresh` would return the session as it is. */
  isDue(session: Session): boolean
  /**
   * The session with an access token that can be used now: renewed first where it is due.
   *
   * @throws {BffError} unauthenticated when it ended, or is dead and cannot be renewed; idp_unavailable while it is dead
   *   and the IdP does not answer; store_unavailable
   */
  ensureFresh(session: Session): Promise<Session>
  /**
   * Renews the tokens now.
   *
   * @throws {BffError} no_refresh_token; unauthenticated when that ended the session; idp_unavailable; store_unavailable
   */
  refresh(session: Session): Promise<Session>
  /** Resolves when no refresh is under way: what the IdP has spent already should be written before the process ends. */
  drain(): Promise<void>
}

export interface RefresherDeps extends RefreshFlightDeps {
  readonly config: RefreshFlightDeps['config'] & { readonly idp: Pick<Config['idp'], 'clientId' | 'issuer'> }
}

/**
 * One refresh at a time per session, across replicas (RFC 9700 §4.14.2): with rotating refresh tokens a second one at
 * the same time would look like theft to the IdP, and cost the user the session.
 */
export function createRefresher(deps: RefresherDeps): Refresher {
  const { config, now } = deps
  const flights = new Map<string, Promise<Flight>>() // Each rejects early when its result may take long; see `fly`.
  const working = new Set<Promise<unknown>>()

  /** Keyed by all that a result belongs to: no result can reach another session, client or issuer. */
  const flightKey = ({ key, record }: Session): string => JSON.stringify([key, config.idp.clientId, record.issuer])

  const fly = (session: Session): Promise<Flight> => {
    const key = flightKey(session)
    const found = flights.get(key)
    if (found !== undefined) return found
    const { promise: flight, resolve, reject } = Promise.withResolvers<Flight>()
    flight.catch(() => {}) // Perhaps nobody waits any more.
    flights.set(key, flight)
    // The entry stays until the work is done, also where those who waited were sent away before: while new tokens wait
    // for the store, nobody here may show the old refresh token again.
    const work = refreshShared({ ...deps, onStall: reject }, session)
      .then(resolve, reject)
      .finally(() => {
        flights.delete(key)
        working.delete(work)
      })
    working.add(work)
    return flight
  }

  /** Its IdP is not the configured one any more: that one's token must not be shown to this one. */
  const isForeign = ({ record }: Session): boolean => record.issuer !== config.idp.issuer

  const impatient = async (session: Session): Promise<Flight> => {
    const patience = new AbortController()
    try {
      const { signal } = patience
      const tired = sleep(PATIENCE_MS, { kind: 'unavailable', retryAfterS: 1 } as const, { signal })
      tired.catch(() => {}) // Called off.
      return await Promise.race([fly(session), tired])
    } catch (error) {
      if (error instanceof BffError && error.code === 'store_unavailable')
        return { kind: 'unavailable', retryAfterS: 2 }
      throw error
    } finally {
      patience.abort()
    }
  }

  return {
    isDue: ({ record }) => isDue(record.tokens, now()),

    async ensureFresh(session) {
      const { tokens } = session.record
      if (!isDue(tokens, now())) return session
      const isDead = tokens.accessTokenExpiresAt <= now()
      if (tokens.refreshToken === undefined || isForeign(session)) {
        if (isDead) throw new BffError('unauthenticated', 'the access token has expired, and cannot be renewed')
        return session
      }
      const flight = isDead ? await fly(session) : await impatient(session)
      if (flight.kind === 'fresh') return flight.session
      if (flight.kind === 'ended') throw new BffError('unauthenticated', 'the session ended with its refresh token')
      if (!isDead) return session // What is left of it is as good as before.
      throw new BffError('idp_unavailable', 'the tokens could not be renewed', { retryAfterS: flight.retryAfterS })
    },

    async refresh(session) {
      if (session.record.tokens.refreshToken === undefined) throw new BffError('no_refresh_token', 'none was granted')
      if (isForeign(session)) throw new BffError('unauthenticated', 'the session is of another identity provider')
      const flight = await fly(session)
      if (flight.kind === 'fresh') return flight.session
      if (flight.kind === 'ended') throw new BffError('unauthenticated', 'the session ended with its refresh token')
      throw new BffError('idp_unavailable', 'the tokens could not be renewed', { retryAfterS: flight.retryAfterS })
    },

    async drain() {
      await Promise.allSettled(working)
    },
  }
}

const isDue = ({ accessTokenExpiresAt, obtainedAt }: SessionTokens, now: number): boolean =>
  accessTokenExpiresAt - now < Math.min(DUE_S, DUE_SHARE * (accessTokenExpiresAt - obtainedAt))
