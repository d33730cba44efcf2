import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Config } from '../config.ts'
import type { Idp } from '../idp/idp.ts'
import { parseReturnTo, type ReturnTo } from '../login/return-to.ts'
import type { SignOuts } from '../login/sign-out.ts'
import type { Cookies } from '../plugins/cookies.ts'
import { acceptForms } from '../plugins/forms.ts'
import { isNavigation } from '../plugins/navigation.ts'
import { readPresented } from '../plugins/presented.ts'
import type { Session } from '../session/record.ts'
import type { Sessions } from '../session/sessions.ts'
import type { SignOutMarks } from '../session/sign-out-marks.ts'
import { errorResponses } from './error-body.ts'

/** How long a sign-out waits for the IdP, which may be down, before it answers the user. */
const IDP_WAIT_MS = 1500

const LogoutBody = Type.Union([
  Type.Object(
    { return_to: Type.Optional(Type.String({ description: 'Rules as for /auth/start' })) },
    { additionalProperties: false },
  ),
  Type.Null(),
])

const schema = {
  operationId: 'signOut',
  summary: 'End the session here, and say where it can be ended at the IdP',
  tags: ['sign-out'],
  consumes: ['application/json', 'application/x-www-form-urlencoded'],
  body: LogoutBody,
  response: {
    200: Type.Object({
      logout_url: Type.Union([Type.String(), Type.Null()], {
        description: 'Navigate there; null when the IdP has no sign-out',
      }),
    }),
    303: Type.Null({ description: 'To the IdP, or to `return_to` (navigations)' }),
    ...errorResponses('invalid_request', 'forbidden_origin', 'payload_too_large', 'unsupported_media_type'),
  },
}

interface Deps {
  readonly config: Config
  readonly sessions: Sessions
  readonly marks: SignOutMarks
  readonly signOuts: SignOuts
  readonly idp: Idp
  readonly cookies: Cookies
}

/** POST /auth/logout: the session is gone before anybody else is asked; tokens are revoked where the IdP can. */
export const authLogout: FastifyPluginAsyncTypebox<Deps> = async (app, deps) => {
  const { config, cookies } = deps
  const rules = { access: 'optional', from: 'change' } as const
  acceptFormsAndNothing(app)

  app.post('/auth/logout', { config: rules, schema }, async (request, reply) => {
    const returnTo = request.body?.return_to === undefined ? undefined : parseReturnTo(request.body.return_to, config)
    const ended = request.session === null ? undefined : await endHere(request.session, returnTo, deps)
    if (ended !== undefined) request.log.info({ event: 'signed_out', session: ended.session.record.id }, 'signed out')
    cookies.clearSession(reply)
    clearSiteData(request, reply, config)
    const logoutUrl = ended === undefined ? null : await endAtIdp(ended, deps)
    if (followsRedirects(request, cookies)) return reply.redirect(logoutUrl ?? returnTo ?? '/', 303)
    return { logout_url: logoutUrl }
  })
}

/** A session that is over here, and the ticket to end it at the IdP. */
interface Ended {
  readonly session: Session
  readonly ticket: string
}

async function endHere(session: Session, returnTo: ReturnTo | undefined, deps: Deps): Promise<Ended> {
  const { sessions, marks, signOuts } = deps
  // With the tokens of now: those of a refresh since the request came in are to be revoked, too.
  const current = (await sessions.reload(session)) ?? session
  const { issuer, sid, tokens } = current.record
  // All that the store has to do comes before the end: a store that fails on the way leaves a session to try again with.
  const ticket = await signOuts.start({ idToken: tokens.idToken, returnTo })
  // The mark too: a sign-in of the same IdP session that is under way finds it, whatever comes first (BL-13).
  if (sid !== undefined) await marks.markSid(issuer, sid)
  await sessions.end(session.key, 'logout')
  return { session: current, ticket }
}

/** Tells the IdP, as far as it answers soon. @returns where the browser ends the session there */
async function endAtIdp({ session, ticket }: Ended, { idp, config }: Deps): Promise<string | null> {
  // Not another IdP's business, after a change of OTEN_ISSUER: it would get to see tokens that are not its own.
  if (session.record.issuer !== config.idp.issuer) return null
  const metadata = await Promise.race([idp.metadata.get().catch(() => undefined), wait(IDP_WAIT_MS)])
  if (metadata === undefined) return null
  const { refreshToken, accessToken } = session.record.tokens
  await Promise.race([revokeTokens(idp, refreshToken, accessToken), wait(IDP_WAIT_MS)])
  if (metadata.endSessionEndpoint === undefined) return null
  return `${config.publicUrl}/auth/logout/continue?ticket=${ticket}`
}

/** The refresh token first: an IdP that knows the grant drops its access tokens with it (RFC 7009 §2.1). Never throws. */
async function revokeTokens(idp: Idp, refreshToken: string | undefined, accessToken: string): Promise<void> {
  if (refreshToken !== undefined) await idp.revoke({ token: refreshToken, tokenTypeHint: 'refresh_token' })
  await idp.revoke({ token: accessToken, tokenTypeHint: 'access_token' })
}

/** An app's HTTP client says neither `Sec-Fetch-Mode` nor, often, what it accepts; it wants the answer, not a page. */
function followsRedirects(request: FastifyRequest, cookies: Cookies): boolean {
  const isApp = ['app-cookie', 'app-token'].includes(readPresented(request, cookies).kind)
  return isNavigation(request) && !(isApp && request.headers['sec-fetch-mode'] === undefined)
}

const wait = (ms: number): Promise<undefined> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(undefined), ms).unref()
  })

/** What the page kept of its user goes with the session, where the page shares our origin (LO-08). */
function clearSiteData(request: FastifyRequest, reply: FastifyReply, { publicUrl }: Config): void {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (origin === publicUrl || site === 'same-origin') reply.header('clear-site-data', '"cache", "storage"')
}

/**
 * A plain HTML form can sign out too; JSON is the other form, and there is no third (CS-07). HTTP clients name JSON as
 * the type of a body that they do not send, too, and nobody should stay signed in for that.
 */
function acceptFormsAndNothing(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) =>
    body === '' ? done(null, null) : parseJson(request, body, done),
  )
  acceptForms(app)
}
