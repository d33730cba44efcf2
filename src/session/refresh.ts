import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'
import type { Session, SessionTokens } from './record.ts'
import { type Flight, type RefreshFlightDeps, refreshShared } from './refresh-flight.ts'

/** Tokens are renewed when so much is left, or a tenth of their life where that is less . */
const DUE_S = 60
const DUE_SHARE = 0.1

export interface Refresher {
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
}

export interface RefresherDeps extends RefreshFlightDeps {
  readonly config: { readonly idp: Pick<Config['idp'], 'clientId' | 'issuer'> }
}

/**
 * One refresh at a time per session, across replicas (RFC 9700 §4.14.2): with rotating refresh tokens a second one at
 * the same time would look like theft to the IdP, and cost the user the session.
 */
export function createRefresher(deps: RefresherDeps): Refresher {
  const { config, now } = deps
  const flights = new Map<string, Promise<Flight>>()

  /** Keyed by all that a result belongs to: no result can reach another session, client or issuer. */
  const flightKey = ({ key, record }: Session): string => JSON.stringify([key, config.idp.clientId, record.issuer])

  const fly = (session: Session): Promise<Flight> => {
    const key = flightKey(session)
    const found = flights.get(key)
    if (found !== undefined) return found
    const flight = refreshShared(deps, session).finally(() => flights.delete(key))
    flights.set(key, flight)
    return flight
  }

  const refresh = async (session: Session): Promise<Flight> => {
    if (session.record.issuer !== config.idp.issuer) {
      // Its IdP is not the configured one any more: that one's token must not be shown to this one.
      return { kind: 'unavailable', retryAfterS: 30 }
    }
    return fly(session)
  }

  return {
    async ensureFresh(session) {
      const { tokens } = session.record
      if (!isDue(tokens, now())) return session
      const isDead = tokens.accessTokenExpiresAt <= now()
      if (tokens.refreshToken === undefined) {
        if (isDead) throw new BffError('unauthenticated', 'the access token has expired, and there is no refresh token')
        return session
      }
      const flight = await refresh(session)
      if (flight.kind === 'fresh') return flight.session
      if (flight.kind === 'ended') throw new BffError('unauthenticated', 'the session ended with its refresh token')
      if (!isDead) return session // What is left of it is as good as before.
      throw new BffError('idp_unavailable', 'the tokens could not be renewed', { retryAfterS: flight.retryAfterS })
    },

    async refresh(session) {
      if (session.record.tokens.refreshToken === undefined) throw new BffError('no_refresh_token', 'none was granted')
      const flight = await refresh(session)
      if (flight.kind === 'fresh') return flight.session
      if (flight.kind === 'ended') throw new BffError('unauthenticated', 'the session ended with its refresh token')
      throw new BffError('idp_unavailable', 'the tokens could not be renewed', { retryAfterS: flight.retryAfterS })
    },
  }
}

const isDue = ({ accessTokenExpiresAt, obtainedAt }: SessionTokens, now: number): boolean =>
  accessTokenExpiresAt - now < Math.min(DUE_S, DUE_SHARE * (accessTokenExpiresAt - obtainedAt))
