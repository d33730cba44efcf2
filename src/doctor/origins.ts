import type { Config } from '../config.ts'
import { about, type Check } from './check.ts'
import { relateSites } from './site.ts'

type Topology = Pick<Config, 'publicUrl' | 'secure' | 'allowedOrigins' | 'session'>

/** Which pages get the session cookie: it travels within a site, unless `SESSION_SAME_SITE` is none. */
export function checkOrigins(config: Topology): readonly Check[] {
  return [checkCookies(config), ...config.allowedOrigins.map((origin) => checkOrigin(origin, config))]
}

function checkCookies({ publicUrl, secure, session: { sameSite }, allowedOrigins }: Topology): Check {
  const { ok } = about('cookies')
  const pages = allowedOrigins.length === 0 ? `, for pages of ${publicUrl}` : ''
  if (!secure) return ok(`SameSite=${sameSite}${pages}; plain http on this machine, for development only`)
  return ok(`SameSite=${sameSite}, Secure, bound to ${new URL(publicUrl).hostname} (__Host-)${pages}`)
}

function checkOrigin(origin: string, { publicUrl, session: { sameSite } }: Topology): Check {
  const { ok, warn, fail } = about('origin')
  if (!/^https?:/.test(origin)) {
    return ok(`${origin} is an app's web view: its calls carry the session_token of POST /auth/handoff, no cookie`)
  }
  const relation = relateSites(new URL(publicUrl), new URL(origin))
  if (relation.kind === 'same')
    return ok(`${origin} is same-site with ${publicUrl}: its calls carry the session cookie`)
  if (relation.kind === 'presumed') {
    return warn(
      `${origin} is taken to be same-site with ${publicUrl}: a guess, since both end in ${relation.domain}`,
      `make sure that ${relation.domain} is not on the Public Suffix List (publicsuffix.org); if it is, that origin ` +
        'gets no session cookie',
    )
  }
  const isCross = `${origin} is cross-site with ${publicUrl} (${relation.reason})`
  const move = `serve that page from ${publicUrl} itself or from the same site: same scheme, same registrable domain`
  if (sameSite !== 'none') {
    return fail(`${isCross}: with SESSION_SAME_SITE=${sameSite} its calls carry no session cookie`, move)
  }
  return warn(`${isCross}: the cookie is partitioned, so its calls do not carry the one of a sign-in by redirect`, move)
}
