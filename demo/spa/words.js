const AUTH_ERRORS = {
  access_denied: ['You declined', 'Nothing was shared. Sign in whenever you like.'],
  login_required: ['Oten wants to see you', 'Signing in silently was not possible. Use “Log in with Oten”.'],
  interaction_required: ['Oten has a question for you', 'Use “Log in with Oten” to answer it.'],
  consent_required: ['Oten asks for your consent', 'Use “Log in with Oten” to give it.'],
  account_selection_required: ['Which account?', 'Use “Log in with Oten” to choose one.'],
  idp_unavailable: ['Oten cannot be reached', 'Please try again in a moment.'],
}

/** @returns title and text for the `auth_error` of a sign-in */
export const describeAuthError = (code) =>
  AUTH_ERRORS[code] ?? ['Signing in did not work', 'Please try again. If it happens again, tell us when it was.']

const ENDINGS = {
  logout: 'You signed out in another tab.',
  backchannel: 'You signed out of Oten, so you are signed out here too.',
  revoked: 'Your session was ended.',
  expired: 'Your session has ended. Please sign in again.',
}

export const describeEnding = (reason) => ENDINGS[reason] ?? ENDINGS.expired

const soon = (seconds) =>
  seconds === undefined ? 'Please try again in a moment.' : `Please try again in ${seconds} s.`

/** @returns title and text for a failure of the BFF or of the way to it */
export function describeFailure({ code, status, message, retryAfterS }) {
  switch (code) {
    case 'no_answer':
      return ['No connection', 'The service did not answer. Check that it is running, then try again.']
    case 'rate_limited':
      return ['That was a little too fast', soon(retryAfterS)]
    case 'idp_unavailable':
      return ['Oten cannot be reached', soon(retryAfterS)]
    case 'store_unavailable':
      return ['Sessions cannot be looked up right now', `${soon(retryAfterS)} You were not signed out.`]
    case 'upstream_unavailable':
    case 'upstream_timeout':
      return ['The API did not answer', 'You are still signed in. Please try again in a moment.']
    default:
      return [status >= 500 ? 'Something went wrong' : 'That did not work', message]
  }
}

/** `11:59:08`, or `14:05` below an hour. */
export function formatDuration(seconds) {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const two = (value) => String(value).padStart(2, '0')
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}
