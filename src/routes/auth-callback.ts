import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'
import type { SignInError } from '../idp/authorization.ts'
import { admit } from '../login/admission.ts'
import { buildDeepLink } from '../login/deep-link.ts'
import type { Handoffs } from '../login/handoff.ts'
import { withAuthError } from '../login/return-to.ts'
import { type CompletedSignIn, completeSignIn, type SignInDeps } from '../login/sign-in.ts'
import { type SignInTarget, type Transaction, transactionSuffix } from '../login/transaction.ts'
import type { Metrics } from '../metrics.ts'
import type { Cookies } from '../plugins/cookies.ts'
import { sendPage } from '../plugins/page.ts'
import { readPresented } from '../plugins/presented.ts'
import { sessionKey } from '../session/session-keys.ts'
import type { Sessions } from '../session/sessions.ts'
import type { SignOutMarks } from '../session/sign-out-marks.ts'
import { pageErrorResponses } from './error-body.ts'

/** Longest `state` that is looked at (CB-13); ours have 43 characters. */
const STATE_MAX = 512

/** For the log: what may have happened to an honest user. */
const NO_COOKIE =
  'no transaction cookie for this state: begun at another host name, in another browser, or too long ago'

const schema = {
  operationId: 'finishSignIn',
  summary: "Take the IdP's answer, redeem the code, start the session",
  tags: ['sign-in'],
  // Open, and without types: parameters we do not know are ignored (RFC 6749 §4.1.2), those we know are checked below.
  querystring: Type.Object(
    { code: Type.Optional(Type.Unknown()), state: Type.Optional(Type.Unknown()), error: Type.Optional(Type.Unknown()) },
    { additionalProperties: true },
  ),
  response: {
    303: Type.Null({ description: 'To `return_to`, or to the deep link of an app' }),
    ...pageErrorResponses('unknown_transaction'),
  },
}

export interface AuthCallbackDeps extends SignInDeps {
  readonly config: Config
  readonly cookies: Cookies
  readonly handoffs: Handoffs
  readonly sessions: Sessions
  readonly marks: SignOutMarks
  readonly metrics: Pick<Metrics, 'signIns'>
}

/** GET /auth/callback, the redirect URI: checks, redeems, validates, and starts a session or hands over to an app. */
export const authCallback: FastifyPluginAsyncTypebox<AuthCallbackDeps> = async (app, deps) => {
  const rules = { access: 'public', from: 'anywhere', page: true } as const

  app.get('/auth/callback', { config: rules, schema }, async (request, reply) => {
    const query = new URL(request.url, deps.config.publicUrl).searchParams
    const transaction = await takeTransaction(query, request, reply, deps).catch((error: unknown) => {
      countUnknown(error, deps.metrics)
      throw error
    })
    const completed = await completeSignIn(deps, transaction, query)
    if (completed.kind === 'failed') return sendFailure(request, reply, transaction.target, completed, deps)
    const { target } = transaction
    if (target.kind === 'app') return sendToApp(request, reply, target, completed, transaction, deps)
    return sendToBrowser(request, reply, target, completed, transaction, deps)
  })
}

type SignedIn = Extract<CompletedSignIn, { kind: 'signed-in' }>
type BrowserTarget = Extract<SignInTarget, { kind: 'browser' }>
type AppTarget = Extract<SignInTarget, { kind: 'app' }>

function countUnknown(error: unknown, { signIns }: AuthCallbackDeps['metrics']): void {
  if (!(error instanceof BffError) || error.code !== 'unknown_transaction') return
  signIns.inc({ client: 'unknown', outcome: 'unknown_transaction' })
}

/**
 * Before anything else: the state and this browser's cookie for it, or no request leaves for the IdP (CB-01). What is
 * unknown, expired, used or forged looks the same from outside (ER-06).
 */
async function takeTransaction(
  query: URLSearchParams,
  request: FastifyRequest,
  reply: FastifyReply,
  { cookies, transactions }: AuthCallbackDeps,
): Promise<Transaction> {
  const [state = '', ...more] = query.getAll('state')
  if (state === '' || state.length > STATE_MAX) throw new BffError('unknown_transaction', 'state is absent or too long')
  const suffix = transactionSuffix(state)
  const cookie = cookies.readTransaction(request, suffix)
  cookies.clearTransaction(reply, suffix) // Whatever comes of it, also when the store does not answer (SC-12).
  const transaction = cookie === undefined ? undefined : await transactions.take(state, cookie)
  // Refused only now, so that the sign-in is burnt with it (CB-05).
  if (more.length > 0) throw new BffError('unknown_transaction', 'state is repeated')
  if (transaction === undefined) {
    const reason = cookie === undefined ? NO_COOKIE : 'unknown, expired, used or foreign'
    throw new BffError('unknown_transaction', reason)
  }
  return transaction
}

async function sendToBrowser(
  request: FastifyRequest,
  reply: FastifyReply,
  target: BrowserTarget,
  { session: found }: SignedIn,
  transaction: Transaction,
  deps: AuthCallbackDeps,
): Promise<FastifyReply> {
  const input = { ...found, kind: 'browser-cookie', userAgent: readUserAgent(request) } as const
  const admission = await admit(deps, input, transaction.startedAtUs, async () => {
    await endEarlierSessions(request, transaction, deps)
    return undefined
  })
  if (admission.kind === 'refused') {
    return sendFailure(request, reply, target, { error: 'sign_in_failed', reason: admission.reason }, deps)
  }
  const { session } = admission
  deps.cookies.setSession(reply, 'browser-cookie', session.credential)
  deps.metrics.signIns.inc({ client: 'browser', outcome: 'succeeded' })
  request.log.info({ event: 'signed_in', session: session.record.id }, 'signed in')
  return reply.redirect(target.returnTo, 303)
}

/** The browser's session before this one, also another user's, is over (CB-11). */
async function endEarlierSessions(request: FastifyRequest, { earlierSessionKey }: Transaction, deps: AuthCallbackDeps) {
  const presented = readPresented(request, deps.cookies)
  const presentedKey = 'credential' in presented ? sessionKey(presented.credential) : undefined
  const keys = new Set([earlierSessionKey, presentedKey].filter((key) => key !== undefined))
  await Promise.all([...keys].map((key) => deps.sessions.replace(key)))
}

/** No session is left in the system browser; the link carries a one-time code and the app's state, no more (MH-04). */
async function sendToApp(
  request: FastifyRequest,
  reply: FastifyReply,
  target: AppTarget,
  { session }: SignedIn,
  { startedAtUs }: Transaction,
  deps: AuthCallbackDeps,
): Promise<FastifyReply> {
  const code = await deps.handoffs.create({ codeChallenge: target.codeChallenge, session, startedAtUs })
  deps.metrics.signIns.inc({ client: 'app', outcome: 'succeeded' })
  request.log.info({ event: 'handed_over', app: target.app }, 'handed over to an app')
  return sendDeepLink(reply, target, { code }, deps)
}

function sendFailure(
  request: FastifyRequest,
  reply: FastifyReply,
  target: SignInTarget,
  { error, reason }: { readonly error: SignInError; readonly reason: string },
  deps: AuthCallbackDeps,
): FastifyReply {
  deps.metrics.signIns.inc({ client: target.kind, outcome: error })
  request.log.warn({ event: 'sign_in_failed', code: error, reason }, 'sign-in failed')
  if (target.kind === 'app') return sendDeepLink(reply, target, { error }, deps)
  return reply.redirect(withAuthError(target.returnTo, error), 303)
}

/** Some platforms follow a redirect to an app only after a tap, so the redirect brings a page with a button (MH-11). */
function sendDeepLink(
  reply: FastifyReply,
  { app, state }: AppTarget,
  outcome: { readonly code: string } | { readonly error: SignInError },
  { config }: AuthCallbackDeps,
): FastifyReply {
  const deepLink = config.apps.get(app)?.deepLink
  // The app was taken out of APPS while its user was at the IdP.
  if (deepLink === undefined) throw new BffError('unknown_transaction', 'the app is not in APPS any more')
  const href = buildDeepLink(deepLink, { ...outcome, state })
  return sendPage(reply.code(303).header('location', href), {
    title: 'Back to the app',
    text: `If ${app} does not open by itself, use the button.`,
    link: { href, label: `Open ${app}` },
  })
}

/** For the user's list of sessions; capped, since it is the client's text. */
const readUserAgent = ({ headers }: FastifyRequest): string => (headers['user-agent'] ?? '').slice(0, 200)
