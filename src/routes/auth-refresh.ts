import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { BffError } from '../errors.ts'
import type { Refresher } from '../session/refresh.ts'
import type { Sessions } from '../session/sessions.ts'
import { buildSessionView } from '../session/view.ts'
import { errorResponses } from './error-body.ts'
import { SessionViewBody } from './session-view.ts'

const schema = {
  operationId: 'refreshTokens',
  summary: 'Renew the tokens now',
  tags: ['session'],
  response: {
    200: SessionViewBody,
    ...errorResponses('unauthenticated', 'forbidden_origin', 'no_refresh_token', 'idp_unavailable'),
  },
}

interface Deps {
  readonly refresher: Refresher
  readonly sessions: Sessions
  /** Epoch seconds. */
  readonly now: () => number
}

/** POST /auth/refresh: for a page that knows its rights have changed. Answers the view, never a token (RF-08). */
export const authRefresh: FastifyPluginAsyncTypebox<Deps> = async (app, { refresher, sessions, now }) => {
  app.post('/auth/refresh', { config: { access: 'session', from: 'change' }, schema }, async ({ session }) => {
    if (session === null) throw new BffError('unauthenticated', 'no session')
    // Asking for tokens is using the session.
    const used = await sessions.touch(await refresher.refresh(session), { exact: true })
    if (used === undefined) throw new BffError('unauthenticated', 'the session has just ended')
    return buildSessionView(used, now())
  })
}
