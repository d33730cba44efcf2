import type { Idp } from '../idp/idp.ts'
import type { NewSession, Session } from '../session/record.ts'
import type { Sessions } from '../session/sessions.ts'
import type { SignOutMarks } from '../session/sign-out-marks.ts'

export interface AdmissionDeps {
  readonly sessions: Pick<Sessions, 'create' | 'end'>
  readonly marks: Pick<SignOutMarks, 'isMarked'>
  readonly idp: Pick<Idp, 'revoke'>
}

/** The session of a finished sign-in; or that there is none, and why, for the log. */
export type Admission =
  | { readonly kind: 'admitted'; readonly session: Session }
  | { readonly kind: 'refused'; readonly reason: string }

/**
 * Starts the session of a finished sign-in, unless its user was signed out while it was under way (BL-13). Asked after
 * the session is written: a logout before that sees nothing to end but leaves its mark, one after it finds the session.
 *
 * @param startedAtUs when the sign-in began, by `Store.time`
 * @param confirm what else the session depends on; gives a reason where it must not live
 * @throws {BffError} store_unavailable; then nothing is left of the session that nobody will hold the credential of
 */
export async function admit(
  deps: AdmissionDeps,
  input: NewSession,
  startedAtUs: number,
  confirm: (session: Session) => Promise<string | undefined>,
): Promise<Admission> {
  const session = await deps.sessions.create(input)
  try {
    const isSignedOut = await deps.marks.isMarked(input, startedAtUs)
    const reason = isSignedOut ? 'logged_out_meanwhile' : await confirm(session)
    if (reason === undefined) return { kind: 'admitted', session }
    await discard(deps, session)
    return { kind: 'refused', reason }
  } catch (error) {
    await discard(deps, session)
    throw error
  }
}

/** Best effort: it would be listed as a device that nobody has, and its tokens would stay valid. */
async function discard({ sessions, idp }: AdmissionDeps, { key, record }: Session): Promise<void> {
  await sessions.end(key, 'revoked').catch(() => false)
  const { refreshToken, accessToken } = record.tokens
  if (refreshToken !== undefined) await idp.revoke({ token: refreshToken, tokenTypeHint: 'refresh_token' })
  await idp.revoke({ token: accessToken, tokenTypeHint: 'access_token' })
}
