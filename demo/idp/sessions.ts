import type Provider from 'oidc-provider'
import type { AdapterPayload } from 'oidc-provider'
import type { MemoryStore } from './memory-adapter.ts'
import type { Stats } from './stats.ts'

export interface EndedSessions {
  readonly sessions: number
  /** Logout tokens that the clients accepted. */
  readonly delivered: number
  readonly failed: number
}

export interface SessionEnder {
  /**
   * Ends the sessions that match: every client in them gets a logout token, then their tokens die.
   *
   * @param options.everything also revokes what was granted with `offline_access`, which outlives a plain logout
   */
  end(match: (session: AdapterPayload) => boolean, options: { everything: boolean }): Promise<EndedSessions>
}

interface Authorization {
  readonly sid?: string
  readonly grantId?: string
  readonly persistsLogout?: boolean
}

/** The provider has this method; its published types leave it out. */
interface LogoutReceiver {
  readonly backchannelLogoutUri?: string | undefined
  backchannelLogout(sub: string, sid: string): Promise<void>
}

/** @returns the clients that a session signed in to, with their `sid` there */
export function authorizationsOf(session: AdapterPayload): [clientId: string, Authorization][] {
  return Object.entries((session.authorizations ?? {}) as Record<string, Authorization>) // As the provider stores it.
}

export function createSessionEnder(
  provider: Provider,
  store: MemoryStore,
  stats: Stats,
  log: (line: string) => void,
): SessionEnder {
  const notify = async (clientId: string, sub: string, sid: string): Promise<boolean | undefined> => {
    const client = (await provider.Client.find(clientId)) as (LogoutReceiver & object) | undefined
    if (client?.backchannelLogoutUri === undefined) return undefined
    try {
      await client.backchannelLogout(sub, sid)
      stats.backchannelLogouts.delivered += 1
      return true
    } catch (cause) {
      stats.backchannelLogouts.failed += 1
      log(
        `back-channel logout of ${JSON.stringify(clientId)} failed: ${cause instanceof Error ? cause.message : cause}`,
      )
      return false
    }
  }

  const endOne = async (session: AdapterPayload, everything: boolean): Promise<(boolean | undefined)[]> => {
    const authorizations = authorizationsOf(session)
    store.remove('Session', String(session.jti))
    for (const [, { grantId, persistsLogout }] of authorizations) {
      if (grantId !== undefined && (everything || !persistsLogout)) store.revokeGrant(grantId)
    }
    if (everything) {
      const grants = store.list('RefreshToken').filter((token) => token.sessionUid === session.uid)
      for (const { grantId } of grants) if (grantId !== undefined) store.revokeGrant(grantId)
    }
    return Promise.all(authorizations.map(([id, { sid }]) => notify(id, String(session.accountId), sid ?? '')))
  }

  return {
    async end(match, { everything }) {
      const sessions = store.list('Session').filter((session) => session.accountId !== undefined && match(session))
      const results = (await Promise.all(sessions.map((session) => endOne(session, everything)))).flat()
      return {
        sessions: sessions.length,
        delivered: results.filter((result) => result === true).length,
        failed: results.filter((result) => result === false).length,
      }
    },
  }
}
