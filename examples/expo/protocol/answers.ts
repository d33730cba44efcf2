import type { Credential } from './requests.ts'
import type { Service } from './service.ts'
import type { SessionKind } from './sign-in.ts'

/** An answer as the platform's HTTP client got it. */
export interface Answer {
  readonly status: number
  readonly body: string
  /** The header `Retry-After`, where there is one. */
  readonly retryAfter?: string | undefined
}

/** Claims that the service shows (`SESSION_CLAIMS`); `sub` is the one that never changes hands. */
export interface User {
  readonly sub: string
  readonly name: string | undefined
  readonly email: string | undefined
}

/** Who is signed in, and for how many seconds more; null when nobody is. */
export type SessionView = { readonly user: User; readonly expiresInS: number } | null

/** Why there is no answer to go on with. `code` is the service's, or one of ours: `network`, `unexpected`. */
export class Failure extends Error {
  readonly code: string
  /** The number under which the service has it in its log; to be shown, so that a user can name it. */
  readonly errorId: string | undefined
  /** Whole seconds. */
  readonly retryAfterS: number | undefined

  constructor(
    code: string,
    options: { readonly errorId?: string; readonly retryAfterS?: number; cause?: unknown } = {},
  ) {
    super(code, { cause: options.cause })
    this.code = code
    this.errorId = options.errorId
    this.retryAfterS = options.retryAfterS
  }
}

/** @throws {Failure} the service's, by its code; `unexpected` for an answer that is not the service's */
export function readBody({ status, body, retryAfter }: Answer): Record<string, unknown> {
  const members = parseObject(body)
  if (status >= 200 && status < 300 && members !== undefined) return members
  const { error, error_id: errorId } = members ?? {}
  // All three, or it is an API behind the service that speaks: its 401 does not end our session.
  if (typeof error !== 'string' || typeof errorId !== 'string' || status < 400) throw new Failure('unexpected')
  const isWhole = retryAfter !== undefined && /^\d{1,5}$/.test(retryAfter)
  throw new Failure(error, { errorId, ...(isWhole && { retryAfterS: Number(retryAfter) }) })
}

/** @throws {Failure} */
export function readView(answer: Answer): SessionView {
  const { authenticated, user, expires_in: expiresInS } = readBody(answer)
  if (authenticated === false) return null
  const { sub, name, email } = isObject(user) ? user : {}
  if (authenticated !== true || typeof sub !== 'string' || typeof expiresInS !== 'number')
    throw new Failure('unexpected')
  return { user: { sub, name: readText(name), email: readText(email) }, expiresInS }
}

/** @throws {Failure} also when the session did not come in the kind that was asked for */
export function readHandoff(answer: Answer, kind: SessionKind): { view: SessionView; credential: Credential } {
  const view = readView(answer)
  if (view === null) throw new Failure('unexpected')
  if (kind === 'cookie') return { view, credential: { kind } }
  const { session_token: token } = readBody(answer)
  if (typeof token !== 'string') throw new Failure('unexpected')
  return { view, credential: { kind, token } }
}

/**
 * @returns where the system's browser ends the session with the IdP too, good for a minute; null when it cannot
 * @throws {Failure}
 */
export function readSignOut({ url }: Service, answer: Answer): string | null {
  const { logout_url: logoutUrl } = readBody(answer)
  return typeof logoutUrl === 'string' && logoutUrl.startsWith(`${url}/auth/logout/`) ? logoutUrl : null
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const readText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
