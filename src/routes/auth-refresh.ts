import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { BffError } from '../errors.ts'
import type { Refresher } from '../session/refresh.ts'
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
  /** Epoch seconds. */
  readonly now: () => number
}

/** POST /auth/refresh: for a page that knows its rights have changed. Answers the view, never a token (RF-08). */
export const authRefresh: FastifyPluginAsyncTypebox<Deps> = async (app, { refresher, now }) => {
  app.post('/auth/refresh', { config: { access: 'session', from: 'change' }, schema }, async ({ session }) => {
    if (session === null) throw new BffError('unauthenticated', 'no session')
    return buildSessionView(await refresher.refresh(session), now())
  })
}
