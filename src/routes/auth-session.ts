import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Sessions } from '../session/sessions.ts'
import { buildSessionView } from '../session/view.ts'
import { errorResponses } from './error-body.ts'
import { SessionOrAnonymousBody } from './session-view.ts'

const schema = {
  operationId: 'getSession',
  summary: 'Who is signed in',
  tags: ['session'],
  querystring: Type.Object(
    {
      touch: Type.Optional(
        Type.Union([Type.Literal('true'), Type.Literal('false')], { description: 'Slide the idle limit' }),
      ),
    },
    { additionalProperties: true },
  ),
  response: {
    200: SessionOrAnonymousBody,
    ...errorResponses('invalid_request', 'forbidden_origin'),
  },
}

interface Deps {
  readonly sessions: Sessions
  /** Epoch seconds. */
  readonly now: () => number
}

/** GET /auth/session: 200 whether signed in or not, never a token. Polling does not keep a session alive (SE-05). */
export const authSession: FastifyPluginAsyncTypebox<Deps> = async (app, { sessions, now }) => {
  const rules = { access: 'optional', from: 'fetch' } as const

  app.get('/auth/session', { config: rules, schema }, async ({ session, query }) => {
    if (session === null) return { authenticated: false } as const
    const current = query.touch === 'true' ? await sessions.touch(session, { exact: true }) : session
    return current === undefined ? ({ authenticated: false } as const) : buildSessionView(current, now())
  })
}
