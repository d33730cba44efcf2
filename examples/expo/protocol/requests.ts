import type { Service } from './service.ts'
import type { SessionKind, SignIn } from './sign-in.ts'

/** A request as data: the platform's HTTP client sends it, and must follow no redirect. */
export interface ServiceRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** What shows who is signed in. Of a cookie the app holds nothing: its HTTP client does. */
export type Credential = { readonly kind: 'cookie' } | { readonly kind: 'token'; readonly token: string }

/**
 * Redeems the code. To be sent once: a code that comes a second time ends the session that it gave. So when the answer is
 * lost, the user signs in again.
 */
export function buildHandoff({ url }: Service, { verifier, kind }: SignIn, code: string): ServiceRequest {
  const body: { code: string; code_verifier: string; session: SessionKind } = {
    code,
    code_verifier: verifier,
    session: kind,
  }
  return {
    method: 'POST',
    url: `${url}/auth/handoff`,
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
}

/** Who is signed in. Does not count as use of the session. */
export const buildView = (service: Service, credential: Credential): ServiceRequest =>
  buildCall(service, credential, '/auth/session')

/** Renews the tokens, and with them what is known of the user. */
export const buildRefresh = (service: Service, credential: Credential): ServiceRequest =>
  buildCall(service, credential, '/auth/refresh', 'POST')

/** Ends the session at the service. Whatever comes of it, the app forgets its credential. */
export const buildSignOut = (service: Service, credential: Credential): ServiceRequest =>
  buildCall(service, credential, '/auth/logout', 'POST')

/**
 * A call of an API behind the service.
 *
 * @throws {RangeError} for a path that could lead the credential to another host: `.example.org` behind the origin, `//host`
 */
export function buildCall(
  { url }: Service,
  credential: Credential,
  path: string,
  method: ServiceRequest['method'] = 'GET',
): ServiceRequest {
  if (!/^\/(?![/\\])[!-[\]-~]*$/.test(path)) throw new RangeError('a path begins with one slash')
  const headers = {
    accept: 'application/json',
    ...(credential.kind === 'token' && { authorization: `Bearer ${credential.token}` }),
  }
  return { method, url: `${url}${path}`, headers }
}
