import type { BffError, EndReason } from 'oten-bff-client'

const AUTH_ERRORS: Readonly<Record<string, string>> = {
  access_denied: 'You declined. Sign in whenever you like.',
  login_required: 'Please sign in again.',
  interaction_required: 'Oten has a question for you: please sign in again.',
  consent_required: 'Oten asks for your consent: please sign in again.',
  account_selection_required: 'Please sign in again, and choose an account.',
  idp_unavailable: 'Oten cannot be reached. Please try again in a moment.',
}

/** For the `auth_error` of a sign-in. */
export const describeAuthError = (code: string): string =>
  AUTH_ERRORS[code] ?? 'Signing in did not work. Please try again.'

const ENDINGS: Readonly<Record<EndReason, string>> = {
  logout: 'You are signed out.',
  backchannel: 'You signed out of Oten, and so you are signed out here.',
  revoked: 'Your session was ended from elsewhere.',
  expired: 'Your session has run out. Please sign in again.',
}

export const describeEnd = (reason: EndReason | undefined): string =>
  reason === undefined ? 'You are not signed in any more.' : ENDINGS[reason]

export function describeFailure({ status, errorId, retryAfterS }: BffError): string {
  const when = retryAfterS === undefined ? 'in a moment' : `in ${retryAfterS} s`
  const what = status === 0 ? 'The service cannot be reached.' : 'That did not work.'
  return `${what} Please try again ${when}.${errorId === undefined ? '' : ` (Error ${errorId})`}`
}
