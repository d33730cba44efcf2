import type { Report } from './findings.ts'
import { splitList } from './lists.ts'
import { isPrivateUseScheme } from './schemes.ts'
import { parseWebOrigin } from './urls.ts'

/** The origin of a hybrid app's web view, such as `capacitor://localhost`: scheme and host, as the web view sends it. */
const APP_ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::\d{1,5})?$/

function parseAllowedOrigin(text: string, report: Report): string | undefined {
  // A sandboxed frame of any site and a local file both send `Origin: null`.
  if (text === 'null') report('must not be null, which is what any sandboxed page sends')
  else if (text.includes('*')) report('must not contain a wildcard; name each origin')
  else if (/^https?:/i.test(text)) return parseWebOrigin(text, report)
  else if (isPrivateUseScheme(APP_ORIGIN.exec(text)?.[1] ?? 'about')) return text
  else report('must be an exact origin such as https://www.example.com or capacitor://localhost, without a path')
  return undefined
}

/**
 * The other origins whose pages may use a session. Plain http on other hosts than loopback is refused: whoever is on the
 * network could answer in that origin's name.
 *
 * @param publicUrl left out of the result, since it is always allowed
 */
export function parseAllowedOrigins(value: string, publicUrl: string | undefined, report: Report): readonly string[] {
  const origins = new Set<string>()
  for (const entry of splitList(value, report)) {
    const origin = parseAllowedOrigin(entry.text, entry.report)
    if (origin !== undefined && origin !== publicUrl) origins.add(origin)
  }
  return Object.freeze([...origins])
}
