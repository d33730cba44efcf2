import type { EndReason, Session } from './types.ts'

/** @param isNews somebody else, or other claims, than was known before; not that time passed */
export type Hearer = (session: Session, isNews: boolean, reason?: EndReason) => void

let known: Session | undefined
let hearer: Hearer | undefined

/** What the service said last; undefined before its first answer. */
export const getKnown = (): Session | undefined => known

/** Takes in what the service says now. */
export function learn(session: Session, reason?: EndReason): void {
  const isNews = known === undefined || describe(known) !== describe(session)
  known = session
  hearer?.(session, isNews, reason)
}

/** @param next the one that hears of all that is learnt; none when undefined */
export const setHearer = (next: Hearer | undefined): void => {
  hearer = next
}

/** The public id of a session; null when nobody is signed in. */
export const getId = (session: Session): string | null => (session.authenticated ? session.session_id : null)

const describe = (session: Session): string =>
  JSON.stringify(session.authenticated ? [session.session_id, session.user] : null)
