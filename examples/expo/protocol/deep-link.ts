import type { Service } from './service.ts'
import type { SignIn } from './sign-in.ts'

/** What a sign-in may end in instead of a session (contract of `/auth/callback`). */
const ERRORS = [
  'access_denied',
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
  'idp_unavailable',
  'sign_in_failed',
] as const

export type SignInError = (typeof ERRORS)[number]

/** `foreign`: to be dropped, and the sign-in in flight left as it was. With the others the sign-in is over: remove it. */
export type Verdict =
  | { readonly kind: 'foreign' }
  | { readonly kind: 'failed'; readonly error: SignInError }
  | { readonly kind: 'redeem'; readonly code: string }

const FOREIGN = { kind: 'foreign' } as const

/**
 * Judges a link that opened the app. Any app and any page can open one, to sign this phone in as somebody it is not: only
 * the answer to the sign-in in flight counts (RFC 8252 §8.9).
 *
 * @param signIn the sign-in in flight; undefined when there is none
 */
export function judgeDeepLink({ deepLink }: Service, signIn: SignIn | undefined, link: string): Verdict {
  if (signIn === undefined) return FOREIGN
  const parameters = readParameters(deepLink, link)
  const state = parameters?.get('state')
  if (parameters === undefined || state === undefined || state !== signIn.state) return FOREIGN
  const [code, error] = [parameters.get('code'), parameters.get('error')]
  if (code !== undefined && error === undefined && /^[A-Za-z0-9_-]{1,512}$/.test(code)) return { kind: 'redeem', code }
  if (error === undefined || code !== undefined) return FOREIGN
  return { kind: 'failed', error: ERRORS.find((known) => known === error) ?? 'sign_in_failed' }
}

/**
 * By the letter and not with a parser of URLs: those of phones differ, and none is needed for a link whose beginning is
 * known. The service writes it in plain ASCII, all else percent-encoded.
 *
 * @returns undefined for another link, a parameter that is there twice, and what does not decode
 */
function readParameters(deepLink: string, link: string): ReadonlyMap<string, string> | undefined {
  const start = `${deepLink}${deepLink.includes('?') ? '&' : '?'}`
  if (!link.startsWith(start) || !/^[!"$-~]*$/.test(link)) return undefined
  const parameters = new Map<string, string>()
  for (const pair of link.slice(start.length).split('&')) {
    const [name = '', ...value] = pair.split('=')
    if (parameters.has(name)) return undefined
    try {
      parameters.set(name, decodeURIComponent(value.join('=')))
    } catch {
      return undefined
    }
  }
  return parameters
}
