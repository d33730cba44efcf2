import { parseWebOrigin } from '../config/urls.ts'
import type { Config } from '../config.ts'
import { buildRedirectUri } from '../login/sign-in.ts'
import { about, type Check } from './check.ts'

const { ok } = about('register with Oten')

/** What has to stand in Oten's portal, character by character. */
export function listRegistrations({ publicUrl, idp }: Pick<Config, 'publicUrl' | 'idp'>): readonly Check[] {
  const uris = [ok(`redirect URI ${buildRedirectUri(publicUrl)}`), ok(`logout URI ${idp.postLogoutRedirectUri}`)]
  if (idp.backchannelLogout === 'off')
    return [...uris, ok('no back-channel logout URI, since BACKCHANNEL_LOGOUT is off')]
  return [...uris, ok(`back-channel logout URI ${publicUrl}/auth/backchannel-logout, where Oten offers it`)]
}

/** The same for an environment that is not complete yet: without these URIs there is no client id to put into it. */
export function foreseeRegistrations(env: Readonly<Record<string, string | undefined>>): readonly Check[] {
  const publicUrl = parseWebOrigin(env.PUBLIC_URL ?? '', () => {})
  if (publicUrl === undefined) return []
  return [
    ok(`redirect URI ${buildRedirectUri(publicUrl)}`),
    ok(`logout URI ${publicUrl}/auth/logged-out, unless POST_LOGOUT_REDIRECT_URI names another`),
    ok(`back-channel logout URI ${publicUrl}/auth/backchannel-logout, where Oten offers it`),
  ]
}
