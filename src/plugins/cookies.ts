import type { CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import { parseStartedAt, TRANSACTION_S, TRANSACTIONS_MAX, type TransactionCookie } from '../login/transaction.ts'
import type { CredentialKind } from '../session/credential.ts'

/**
 * Our cookies, written and read in one place (contract §3). On https the `__Host-` prefix makes the browser refuse one
 * that a sibling subdomain planted, `Http-` one that script wrote; plain-http localhost has neither.
 */
export interface Cookies {
  readonly sessionName: string
  /** Every value sent under the session cookie's name. More than one: somebody planted one (SC-08). */
  readSessions(request: FastifyRequest): string[]
  setSession(reply: FastifyReply, kind: CredentialKind, credential: string): void
  clearSession(reply: FastifyReply): void
  /** The secret of the transaction with this suffix; undefined when absent or sent twice. */
  readTransaction(request: FastifyRequest, suffix: string): string | undefined
  /** Sets one, and deletes the oldest beyond the limit. */
  setTransaction(request: FastifyRequest, reply: FastifyReply, cookie: TransactionCookie): void
  /** The same name, path and `Secure` as it was set with, or a `__Host-` cookie would stay (SC-12). */
  clearTransaction(reply: FastifyReply, suffix: string): void
}

export function createCookies({ secure, session }: Pick<Config, 'secure' | 'session'>): Cookies {
  const prefix = secure ? '__Host-Http-' : ''
  const sessionName = `${prefix}oten_session`
  const transactionPrefix = `${prefix}oten_tx_`
  // Ours alone: one that somebody planted may have a name that cannot even be written back.
  const transactionName = new RegExp(`^${transactionPrefix}[A-Za-z0-9_-]{8}$`)
  const base: CookieSerializeOptions = { httpOnly: true, path: '/', secure }
  const sessionOptions: CookieSerializeOptions = {
    ...base,
    sameSite: session.sameSite,
    ...(session.sameSite === 'none' && { partitioned: true }),
  }
  // Lax, since it must come back on the top-level navigation from the IdP, which is another site (D11).
  const transactionOptions: CookieSerializeOptions = { ...base, sameSite: 'lax' }

  return {
    sessionName,
    readSessions: (request) => readAll(request, (name) => name === sessionName).map(([, value]) => value),

    setSession(reply, kind, credential) {
      const { maxS } = kind === 'browser-cookie' ? session.browser : session.app
      reply.setCookie(sessionName, credential, { ...sessionOptions, maxAge: maxS })
    },

    clearSession: (reply) => reply.setCookie(sessionName, '', { ...sessionOptions, maxAge: 0 }),

    readTransaction(request, suffix) {
      const [found, ...more] = readAll(request, (name) => name === transactionPrefix + suffix)
      return more.length === 0 ? found?.[1] : undefined
    },

    setTransaction(request, reply, { suffix, value }) {
      const oldest = readAll(request, (name) => transactionName.test(name))
        .sort(([, a], [, b]) => parseStartedAt(a) - parseStartedAt(b))
        .slice(0, -(TRANSACTIONS_MAX - 1))
      for (const [name] of oldest) reply.setCookie(name, '', { ...transactionOptions, maxAge: 0 })
      reply.setCookie(transactionPrefix + suffix, value, { ...transactionOptions, maxAge: TRANSACTION_S })
    },

    clearTransaction: (reply, suffix) =>
      reply.setCookie(transactionPrefix + suffix, '', { ...transactionOptions, maxAge: 0 }),
  }
}

const isBlank = (text: string, at: number): boolean => text[at] === ' ' || text[at] === '\t'

/**
 * Not `trim`: it drops a no-break space, too, so that a cookie which any subdomain may set would pass for one whose prefix
 * forbids that. And no pattern, which would take the square of a long run of blanks.
 */
function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text, start)) start += 1
  while (end > start && isBlank(text, end - 1)) end -= 1
  return text.slice(start, end)
}

/** Every pair whose name fits, in the order sent, repeated ones included. Read on every request, so without a detour. */
function readAll({ headers }: FastifyRequest, fits: (name: string) => boolean): [name: string, value: string][] {
  const found: [string, string][] = []
  const { cookie } = headers
  if (cookie === undefined) return found
  for (let start = 0; start < cookie.length; ) {
    const semicolon = cookie.indexOf(';', start)
    const end = semicolon === -1 ? cookie.length : semicolon
    const at = cookie.indexOf('=', start)
    if (at > start && at < end) {
      const name = trimBlanks(cookie.slice(start, at))
      if (fits(name)) found.push([name, trimBlanks(cookie.slice(at + 1, end))])
    }
    start = end + 1
  }
  return found
}
