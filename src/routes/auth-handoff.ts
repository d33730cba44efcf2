import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import { BffError } from '../errors.ts'
import { type AdmissionDeps, admit } from '../login/admission.ts'
import type { Handoffs } from '../login/handoff.ts'
import type { Metrics } from '../metrics.ts'
import type { Cookies } from '../plugins/cookies.ts'
import type { Session } from '../session/record.ts'
import type { Sessions } from '../session/sessions.ts'
import { buildSessionView } from '../session/view.ts'
import { errorResponses } from './error-body.ts'
import { SessionViewBody } from './session-view.ts'

const HandoffBody = Type.Object(
  {
    // Any text, so that every wrong one gets the same answer; the form of a verifier is checked with its value, where a
    // wrong one burns the code.
    code: Type.String({ description: 'From the deep link; one use, at most 60 seconds' }),
    code_verifier: Type.String({ description: 'What the code_challenge was made of (RFC 7636)' }),
    session: Type.Optional(
      Type.Union([Type.Literal('cookie'), Type.Literal('token')], {
        description: "`cookie` (default): in the app's HTTP client; `token`: to be sent as Authorization: Bearer",
      }),
    ),
  },
  { additionalProperties: false },
)

const schema = {
  operationId: 'redeemHandoff',
  summary: 'The app redeems its code for a session',
  tags: ['sign-in'],
  body: HandoffBody,
  response: {
    200: Type.Object(
      { ...SessionViewBody.properties, session_token: Type.Optional(Type.String({ description: 'Shown once' })) },
      { additionalProperties: false },
    ),
    ...errorResponses(
      'invalid_request',
      'invalid_grant',
      'forbidden_origin',
      'payload_too_large',
      'unsupported_media_type',
      'rate_limited',
    ),
  },
}

interface Deps extends AdmissionDeps {
  readonly handoffs: Handoffs
  readonly sessions: Sessions
  readonly cookies: Cookies
  readonly metrics: Pick<Metrics, 'handoffs'>
  /** Epoch seconds. */
  readonly now: () => number
}

/** POST /auth/handoff: the app shows the verifier that only it knows, and gets its session. Reads no cookie (MH-14). */
export const authHandoff: FastifyPluginAsyncTypebox<Deps> = async (app, deps) => {
  const { cookies, now } = deps
  const rules = { access: 'public', from: 'handoff', rateLimit: {} } as const

  app.post('/auth/handoff', { config: rules, schema }, async (request, reply) => {
    const userAgent = (request.headers['user-agent'] ?? '').slice(0, 200)
    const session = await countOutcome(redeem(request.body, userAgent, deps), deps.metrics)
    request.log.info({ event: 'signed_in', session: session.record.id, app: session.record.app }, 'signed in')
    const view = buildSessionView(session, now())
    if (session.record.kind === 'app-token') return { ...view, session_token: session.credential }
    cookies.setSession(reply, 'app-cookie', session.credential)
    return view
  })
}

async function countOutcome<T>(redemption: Promise<T>, { handoffs }: Deps['metrics']): Promise<T> {
  try {
    const redeemed = await redemption
    handoffs.inc({ outcome: 'redeemed' })
    return redeemed
  } catch (error) {
    if (error instanceof BffError && error.code === 'invalid_grant') handoffs.inc({ outcome: 'refused' })
    throw error
  }
}

/** @throws {BffError} invalid_grant, the same for every reason: whoever guesses learns nothing (MH-06) */
async function redeem(body: Static<typeof HandoffBody>, userAgent: string, deps: Deps): Promise<Session> {
  const { handoffs, sessions } = deps
  const redemption = await handoffs.redeem(body.code, body.code_verifier)
  if (redemption.kind === 'refused') {
    if (redemption.earlierSessionKey !== undefined) await sessions.end(redemption.earlierSessionKey, 'revoked')
    throw new BffError('invalid_grant', `handoff: ${redemption.reason}`)
  }
  const { session: found, startedAtUs } = redemption.handoff
  const input = { ...found, kind: body.session === 'token' ? 'app-token' : 'app-cookie', userAgent } as const
  const admission = await admit(deps, input, startedAtUs, async (session) =>
    (await handoffs.markSpent(body.code, session.key)) ? undefined : 'redeemed_twice',
  )
  if (admission.kind === 'refused') throw new BffError('invalid_grant', `handoff: ${admission.reason}`)
  return admission.session
}
