import type { Config } from '../config.ts'
import { about, type Check } from './check.ts'

const { ok, warn } = about('scope')

/** Whether the tokens can be renewed for as long as the session lasts (OIDC Core §11). */
export function checkScope({
  idp,
  apiRoutes,
}: Pick<Config, 'apiRoutes'> & { readonly idp: Pick<Config['idp'], 'scope'> }): readonly Check[] {
  if (idp.scope.split(' ').includes('offline_access')) return [ok('with offline_access: tokens are renewed')]
  const fact = 'OTEN_SCOPE has no offline_access: tokens are not renewed'
  if (apiRoutes.length === 0) return [ok(`${fact}, and no API is called with them`)]
  const remedy =
    'add offline_access and allow it to the client at Oten; without it calls get 401 once the access token is over'
  return [warn(fact, remedy)]
}
