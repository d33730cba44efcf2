import { hash } from 'node:crypto'

/** Where the service says a new `state` to a page, not in a URL: in the name of a cookie. */
const TRANSACTION_COOKIE = /^(?:__Host-Http-)?oten_tx_([\w-]{8})=[^;]/

/** The id of one sign-in at the simulator, in its own paths. */
const SIGN_IN_ID = /^\/(?:sign-in|v1\/oauth\/authorize)\/([\w-]{16,})$/

/** The service names the cookie of a sign-in in the same way, so that both lead to one flow. */
const flowOfState = (state: string): string => hash('sha256', state, 'base64url').slice(0, 8)

/** What tells to which sign-in an exchange belongs. */
export interface Traces {
  readonly url: URL
  readonly location?: URL | undefined
  readonly setCookies?: readonly string[]
}

/** Remembers which sign-ins there are, so that exchanges of two at a time are not taken for one. */
export function createFlows(): (traces: Traces) => string | undefined {
  const bySignInId = new Map<string, string>()

  return ({ url, location, setCookies = [] }) => {
    const signInId = findSignInId(location) ?? findSignInId(url)
    const flow =
      // The `state` with which an app begins is its own.
      (url.pathname === '/auth/start' ? undefined : flowOfUrl(url)) ??
      (location && flowOfUrl(location)) ??
      setCookies.map((line) => TRANSACTION_COOKIE.exec(line)?.[1]).find((suffix) => suffix !== undefined) ??
      (signInId === undefined ? undefined : bySignInId.get(signInId))
    if (flow !== undefined && signInId !== undefined) bySignInId.set(signInId, flow)
    return flow
  }
}

const findSignInId = (url: URL | undefined): string | undefined => SIGN_IN_ID.exec(url?.pathname ?? '')?.[1]

function flowOfUrl({ searchParams }: URL): string | undefined {
  const state = searchParams.get('state') ?? readClaim(searchParams.get('request'), 'state')
  return state === null || state === undefined ? undefined : flowOfState(state)
}

function readClaim(jwt: string | null, name: string): string | undefined {
  const [, payload = ''] = (jwt ?? '').split('.')
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const value =
      typeof claims === 'object' && claims !== null && name in claims ? Reflect.get(claims, name) : undefined
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined // Not a request object of ours.
  }
}
