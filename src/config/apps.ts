import type { Report } from './findings.ts'
import { splitList, splitPair } from './lists.ts'
import { isPrivateUseScheme } from './schemes.ts'
import { parseHttpUrl } from './urls.ts'

/** A mobile app that may sign in, and where the browser brings it the handoff code. */
export interface App {
  readonly id: string
  readonly deepLink: string
}

/** RFC 8252 §7.1: `com.example.app:/path`; `scheme://host/path` is also in use. Neither user info nor fragment. */
const PRIVATE_USE =
  /^([a-z][a-z0-9+.-]*):(?=\/)(?:\/\/[A-Za-z0-9._-]+(?::\d{1,5})?)?(?:\/(?!\/)[A-Za-z0-9\-._~:/@!$&'()+;=%]*)?(?:\?[A-Za-z0-9\-._~:/?@!$&'()+;=%]*)?$/

/** What the answer adds to a deep link; a value that is already there would stand beside ours. */
const ANSWER_PARAMETERS = ['code', 'state', 'error']

function parseWebLink(text: string, report: Report): URL | undefined {
  const url = parseHttpUrl(text, report)
  // RFC 8252 §8.3: a name such as localhost may resolve to somewhere else, so loopback counts as a literal only.
  if (url?.protocol !== 'http:' || ['127.0.0.1', '[::1]'].includes(url.hostname)) return url
  report('must use https; http is for the loopback addresses 127.0.0.1 and [::1] only')
  return undefined
}

function parsePrivateUseLink(text: string, report: Report, warn: Report): URL | undefined {
  const scheme = PRIVATE_USE.exec(text)?.[1]
  if (scheme === undefined || !URL.canParse(text)) {
    report(
      'must have a deep link such as https://app.example.com/signed-in or com.example.app:/signed-in, without a fragment, a wildcard or a user name',
    )
    return undefined
  }
  if (!isPrivateUseScheme(scheme)) {
    report('must not use a scheme that is taken by something else; use a claimed https link or a private-use scheme')
    return undefined
  }
  if (!scheme.includes('.')) {
    warn(
      'uses a scheme without a period, which another app may claim too; prefer a claimed https link or a reverse-domain scheme',
    )
  }
  return new URL(text)
}

/** The exact deep links, by app. RFC 8252 §7: claimed https links, private-use schemes, loopback for desktop apps. */
export function parseApps(value: string, report: Report, warn: Report): ReadonlyMap<string, App> {
  const apps = new Map<string, App>()
  for (const [index, entry] of splitList(value, report).entries()) {
    const pair = splitPair(entry, 'id=deep-link')
    if (pair === undefined) continue
    const { name: id, value: deepLink } = pair
    const url = /^https?:/i.test(deepLink)
      ? parseWebLink(deepLink, entry.report)
      : parsePrivateUseLink(deepLink, entry.report, (sentence) => warn(`entry ${index + 1} ${sentence}`))
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) entry.report('must have an id of 1 to 64 letters, digits, _ or -')
    else if (apps.has(id)) entry.report('must have an id of its own; this one is taken')
    if (url === undefined) continue
    if (ANSWER_PARAMETERS.some((name) => url.searchParams.has(name))) {
      entry.report(`must have a deep link whose query does not contain ${ANSWER_PARAMETERS.join(', ')}`)
    }
    apps.set(id, Object.freeze({ id, deepLink }))
  }
  return apps
}
