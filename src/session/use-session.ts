import { BffError } from '../errors.ts'
import type { Session } from './record.ts'
import type { Refresher } from './refresh.ts'
import type { Sessions } from './sessions.ts'

export interface UseSessionDeps {
  readonly sessions: Pick<Sessions, 'touch' | 'isTouchDue'>
  readonly refresher: Pick<Refresher, 'ensureFresh' | 'isDue'>
}

/**
 * To use a session: its idle limit slides, and its tokens are renewed where that is due. Mostly neither is, and then
 * nothing has to be waited for: this runs on every request of somebody's site.
 *
 * @throws {BffError} unauthenticated when it has ended, or is dead and cannot be renewed; idp_unavailable,
 *   store_unavailable
 */
export function useSession({ sessions, refresher }: UseSessionDeps, session: Session): Session | Promise<Session> {
  if (!sessions.isTouchDue(session) && !refresher.isDue(session)) return session
  return touchAndRenew({ sessions, refresher }, session)
}

async function touchAndRenew({ sessions, refresher }: UseSessionDeps, session: Session): Promise<Session> {
  const used = await sessions.touch(session)
  if (used === undefined) throw new BffError('unauthenticated', 'the session has just ended')
  return refresher.ensureFresh(used)
}
