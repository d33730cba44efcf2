import type { Operations } from './api.ts'
import { call } from './call.ts'
import { dropHash, keepHash } from './hash.ts'
import { getOrigin } from './origin.ts'
import { parseReturnTo } from './own-url.ts'

type Query = Operations['startSignIn']['query']

/** What a page may ask of a sign-in; names as on the wire. */
export interface SignInOptions extends Pick<Query, 'prompt' | 'login_hint' | 'ui_locales' | 'acr_values'> {
  /** Where to come back to, relative to this page; this page when absent. */
  readonly returnTo?: string
  /** Seconds since the user last signed in at the IdP; more, and the IdP asks again. */
  readonly max_age?: number
}

/** A browser that did not leave within this time will not: the user has stopped it. */
const LEAVING_MS = 10_000

let leaving: Promise<void> | undefined

/**
 * Leaves the page for the IdP. A second click while that is under way starts nothing.
 *
 * @throws {BffError} when the service, or the IdP behind it, cannot be reached
 */
export function signIn(options: SignInOptions = {}): Promise<void> {
  leaving ??= leave(options).catch((error: unknown) => {
    leaving = undefined
    throw error
  })
  return leaving
}

/** The same sign-in as the address of a plain link, which works before the script has run. The fragment is lost. */
export function signInUrl(options: SignInOptions = {}): string {
  return `${getOrigin()}/auth/start?${buildQuery(options).query}`
}

async function leave(options: SignInOptions): Promise<void> {
  const { query, path, hash } = buildQuery(options)
  query.set('response', 'json')
  const answer = await call<Operations['startSignIn']['answers'][200]>(`/auth/start?${query}`)
  keepHash(path, hash)
  const stay = (): void => {
    leaving = undefined
  }
  setTimeout(stay, LEAVING_MS)
  addEventListener('pageshow', ({ persisted }) => {
    if (!persisted) return
    stay() // By the back button, out of the browser's page cache.
    dropHash() // The page has it still.
  })
  location.assign(answer.authorization_url)
}

function buildQuery({ returnTo, ...rest }: SignInOptions): { query: URLSearchParams; path: string; hash: string } {
  const { returnTo: return_to, path, hash } = parseReturnTo(returnTo, getOrigin())
  const query = new URLSearchParams({ return_to })
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) query.set(name, String(value))
  return { query, path, hash }
}
