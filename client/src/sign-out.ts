import type { Operations } from './api.ts'
import { call } from './call.ts'
import { learn } from './known.ts'
import { getOrigin } from './origin.ts'
import { parseReturnTo } from './own-url.ts'
import { dropQuestion } from './session.ts'
import { openTabs } from './tabs.ts'

/**
 * Ends the session here, tells the other tabs, and goes to the IdP to end it there too, which leads back.
 *
 * @param options.returnTo where to go in the end, relative to this page; without it the IdP leads back to this page, and
 *   where there is nothing to do at the IdP the page stays
 * @throws {BffError} when the service cannot be reached; the user is still signed in
 */
export async function signOut({ returnTo }: { readonly returnTo?: string } = {}): Promise<void> {
  const target = parseReturnTo(returnTo, getOrigin())
  const { logout_url } = await call<Operations['signOut']['answers'][200]>('/auth/logout', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ return_to: target.returnTo }),
  })
  dropQuestion()
  learn({ authenticated: false }, 'logout')
  const tabs = openTabs()
  tabs.tell({ id: null, reason: 'logout' }) // Not left to the stream: it may have been this tab's own.
  tabs.close()
  if (logout_url !== null) location.assign(logout_url)
  // As the service has approved it, and not as it was given: that may be no address to go to at all.
  else if (returnTo !== undefined) location.assign(new URL(target.returnTo + target.hash, getOrigin()))
}
