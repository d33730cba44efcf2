import type { FastifyRequest } from 'fastify'
import { type CredentialKind, parseCredentialKind } from '../session/credential.ts'
import type { Cookies } from './cookies.ts'

/** The session credential of a request as the client sent it, not yet looked up. */
export type Presented =
  | { readonly kind: CredentialKind; readonly credential: string }
  /** Something under the cookie's name that cannot be a credential, or more than one of it. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'none' }

/**
 * Reads the credential from the one place each kind may come from: a cookie kind from the cookie, a token kind from
 * `Authorization`; never from the URL or a body (SC-11), and neither kind from the other's place (MH-13).
 */
export function readPresented(request: FastifyRequest, cookies: Cookies): Presented {
  const { authorization } = request.headers
  const token = authorization === undefined ? undefined : /^bearer ([^ ]+)$/i.exec(authorization)?.[1]
  if (token !== undefined && parseCredentialKind(token) === 'app-token') return { kind: 'app-token', credential: token }
  const [credential, ...more] = cookies.readSessions(request)
  if (credential === undefined) return { kind: 'none' }
  const kind = parseCredentialKind(credential)
  // Two of one name: a planted one stands beside the real one, and nothing tells which is which.
  if (more.length > 0 || kind === undefined || kind === 'app-token') return { kind: 'malformed' }
  return { kind, credential }
}
