import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { BffError } from '../errors.ts'
import type { Cookies } from '../plugins/cookies.ts'
import { readPresented } from '../plugins/presented.ts'
import type { Session } from '../session/record.ts'
import type { Sessions } from '../session/sessions.ts'
import { type UseSessionDeps, useSession } from '../session/use-session.ts'

/** What a header of HTTP/1.1 can carry as it is (RFC 9110 §5.5), and no way to end the header. */
const HEADER_SAFE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

interface Deps extends UseSessionDeps {
  readonly cookies: Cookies
  readonly sessions: Sessions
}

/**
 * GET /auth/verify: for the `auth_request` of a reverse proxy (contract §7). Here and not on the public listener, where a
 * page's script could read the access token from the answer. Some proxies ask with the method and the path of the request
 * that they ask about, so all of them are one question.
 */
export const verify: FastifyPluginAsync<Deps> = async (app, deps) => {
  // Envoy asks below, takes 200 alone for a yes, and hands the client the headers of any other answer, the token among them.
  for (const [url, yes] of [
    ['/auth/verify', 204],
    ['/auth/verify/*', 200],
  ] as const) {
    app.route({
      method: [...METHODS],
      url,
      config: { access: 'public', from: 'anywhere' },
      schema: { hide: true },
      // Before anything looks at what the proxy passes on of a body, or says that there is one.
      onRequest: async (request, reply) => answer(await requireSession(request, deps), reply, yes),
      handler: async () => {},
    })
  }
}

/** By the credential alone: no other header, forwarded ones least of all, makes a difference. */
async function requireSession(request: FastifyRequest, deps: Deps): Promise<Session> {
  const presented = readPresented(request, deps.cookies)
  const found = 'credential' in presented ? await deps.sessions.find(presented.credential) : undefined
  if (found === undefined) throw new BffError('unauthenticated', `credential: ${presented.kind}`)
  // A proxy trims a header's value: one user would look like another.
  if (!HEADER_SAFE.test(found.record.sub)) throw new BffError('unauthenticated', 'the subject cannot be a header')
  return useSession(deps, found)
}

/**
 * Always the same headers: where one were absent, some proxies would let the client's own copy of it through to the
 * application.
 */
function answer({ record }: Session, reply: FastifyReply, yes: 200 | 204): FastifyReply {
  const { email } = record.claims
  return reply
    .code(yes)
    .header('cache-control', 'no-store')
    .header('x-auth-subject', record.sub)
    .header('x-auth-email', typeof email === 'string' && HEADER_SAFE.test(email) ? email : '')
    .header('authorization', `Bearer ${record.tokens.accessToken}`)
    .send()
}
