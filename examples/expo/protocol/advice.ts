/**
 * What the app does about a failure.
 *
 * - `dismiss`: nothing; the user knows, or nothing is lost
 * - `sign-in`: says that it did not work, and offers to sign in again
 * - `signed-out`: forgets the credential, says that the session has ended, and offers to sign in
 * - `later`: keeps the credential, and offers to try again
 * - `report`: shows the error id; the app or its configuration is at fault, and the user can do nothing about it
 */
export type Advice = 'dismiss' | 'sign-in' | 'signed-out' | 'later' | 'report'

const ADVICE: Readonly<Record<string, Advice>> = {
  access_denied: 'dismiss',
  no_refresh_token: 'dismiss',
  login_required: 'sign-in',
  interaction_required: 'sign-in',
  consent_required: 'sign-in',
  account_selection_required: 'sign-in',
  sign_in_failed: 'sign-in',
  invalid_grant: 'sign-in',
  unauthenticated: 'signed-out',
  network: 'later',
  idp_unavailable: 'later',
  rate_limited: 'later',
  server_error: 'later',
  store_unavailable: 'later',
  upstream_timeout: 'later',
  upstream_unavailable: 'later',
}

/** Only `unauthenticated` ends a session: an outage must sign nobody out. */
export const adviseOn = (code: string): Advice => (Object.hasOwn(ADVICE, code) ? (ADVICE[code] ?? 'report') : 'report')
