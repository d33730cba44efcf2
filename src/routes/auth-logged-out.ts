import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { SignOuts } from '../login/sign-out.ts'
import { pageErrorResponses } from './error-body.ts'

const schema = {
  operationId: 'signedOut',
  summary: 'Where the IdP sends the browser after its sign-out',
  tags: ['sign-out'],
  querystring: Type.Object({ state: Type.Optional(Type.Unknown()) }, { additionalProperties: true }),
  response: {
    303: Type.Null({ description: 'To the `return_to` of that sign-out, `/` when the state is unknown' }),
    ...pageErrorResponses('invalid_request'),
  },
}

/** GET /auth/logged-out: an unknown, repeated or absent state decides nothing and is no error (LO-06). */
export const authLoggedOut: FastifyPluginAsyncTypebox<{ readonly signOuts: SignOuts }> = async (app, { signOuts }) => {
  const rules = { access: 'public', from: 'anywhere', page: true } as const

  app.get('/auth/logged-out', { config: rules, schema }, async (request, reply) => {
    const { state } = request.query
    const returnTo = typeof state === 'string' && state.length <= 512 ? await signOuts.land(state) : undefined
    return reply.redirect(returnTo ?? '/', 303)
  })
}
