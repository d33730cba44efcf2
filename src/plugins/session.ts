import type { FastifyInstance, FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { BffError } from '../errors.ts'
import type { Session } from '../session/record.ts'
import type { Sessions } from '../session/sessions.ts'
import type { Cookies } from './cookies.ts'
import type { CallableFrom } from './origin-check.ts'
import { type Presented, readPresented } from './presented.ts'

/** Who may call a route: anyone, without a look at the session; anyone, with one; or the signed-in alone. */
export type Access = 'public' | 'optional' | 'session'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    from?: CallableFrom
    /** People navigate here: a failure is shown as a page (contract §4). */
    page?: boolean
  }
  interface FastifyRequest {
    /** The caller's live session; null when there is none, or when the route is `public`. */
    session: Session | null
  }
}

interface Deps {
  readonly sessions: Sessions
  readonly cookies: Cookies
}

/**
 * Turns the credential into `request.session` and enforces each route's `access`. From its registration on, a route
 * that does not state who may call it, and from where, stops the start.
 */
export const session = fp(async (app: FastifyInstance, deps: Deps) => {
  app.decorateRequest('session', null)

  app.addHook('onRoute', ({ url, method, config }) => {
    if (config?.access === undefined || config.from === undefined) {
      throw new Error(`${[method].flat().join(',')} ${url} states no access rule (config.access, config.from)`)
    }
  })

  app.addHook('onRequest', (request, reply, done) => {
    const access = request.routeOptions.config.access
    if (access === undefined || access === 'public') return done()
    const presented = readPresented(request, deps.cookies)
    const found = 'credential' in presented ? deps.sessions.find(presented.credential) : undefined
    const go = (session: Session | undefined): void => {
      request.session = session ?? null
      if (session !== undefined) done()
      else refuse(presented, reply, deps, access).then(() => done(), done)
    }
    if (found instanceof Promise) found.then(go, done)
    else go(found)
  })
})

/** There is no session: fine where it is optional. */
async function refuse(presented: Presented, reply: FastifyReply, deps: Deps, access: Access): Promise<void> {
  await clearDeadCookie(presented, reply, deps)
  if (access === 'session') throw new BffError('unauthenticated', `credential: ${presented.kind}`)
}

/** SC-08: what opens no session is cleared, except where that could sign somebody out by accident. */
async function clearDeadCookie(presented: Presented, reply: FastifyReply, { sessions, cookies }: Deps): Promise<void> {
  if (presented.kind === 'none' || presented.kind === 'app-token') return
  if ('credential' in presented && (await sessions.isCookieKept(presented.credential))) return
  cookies.clearSession(reply)
}
