import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'
import type { Idp } from '../idp/idp.ts'
import type { SignOuts } from '../login/sign-out.ts'
import { sendPage } from '../plugins/page.ts'
import { pageErrorResponses } from './error-body.ts'

/** A longer hint goes by form post: it would make a URL that some server on the way cuts off (LO-04). */
const HINT_OCTETS_MAX = 2000

const schema = {
  operationId: 'continueSignOut',
  summary: 'Send the browser on to the sign-out of the IdP',
  tags: ['sign-out'],
  querystring: Type.Object({ ticket: Type.Optional(Type.Unknown()) }, { additionalProperties: true }),
  response: {
    200: Type.String({ description: 'A page that posts to the IdP, when the ID token is long' }),
    303: Type.Null({ description: 'To the end-session endpoint, or to /auth/logged-out for a spent ticket' }),
    ...pageErrorResponses('invalid_request', 'forbidden_origin'),
  },
}

interface Deps {
  readonly config: Config
  readonly idp: Idp
  readonly signOuts: SignOuts
}

/** GET /auth/logout/continue: a ticket, once, for the IdP's sign-out; so page script never holds the ID token. */
export const authLogoutContinue: FastifyPluginAsyncTypebox<Deps> = async (app, { config, idp, signOuts }) => {
  const rules = { access: 'public', from: 'anywhere', page: true } as const

  app.get('/auth/logout/continue', { config: rules, schema }, async (request, reply) => {
    const { ticket } = request.query
    const signOut = typeof ticket === 'string' ? await signOuts.continue(ticket) : undefined
    if (signOut === undefined) return reply.redirect('/auth/logged-out', 303)
    const { endSessionEndpoint } = await idp.metadata.get().catch(() => ({ endSessionEndpoint: undefined }))
    if (endSessionEndpoint === undefined) return reply.redirect(`/auth/logged-out?state=${signOut.state}`, 303)
    const parameters = {
      id_token_hint: signOut.idToken,
      client_id: config.idp.clientId,
      post_logout_redirect_uri: config.idp.postLogoutRedirectUri,
      state: signOut.state,
    }
    if (signOut.idToken.length <= HINT_OCTETS_MAX) return reply.redirect(withQuery(endSessionEndpoint, parameters), 303)
    if (isByScript(request)) throw new BffError('forbidden_origin', 'the page with the ID token was fetched by script')
    return sendPage(reply, {
      title: 'Signing out',
      text: 'One moment.',
      form: { action: endSessionEndpoint, fields: parameters, label: 'Continue' },
    })
  })
}

/** Script of our own origin could read the ID token from the page's form; a redirect's `Location` is hidden from it. */
function isByScript({ headers }: FastifyRequest): boolean {
  const { 'sec-fetch-mode': mode = 'navigate', 'sec-fetch-dest': dest = 'document' } = headers
  return mode !== 'navigate' || dest !== 'document'
}

function withQuery(endpoint: string, parameters: Readonly<Record<string, string>>): string {
  const url = new URL(endpoint)
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}
