import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'
import type { Idp } from '../idp/idp.ts'
import { type LogoutToken, verifyLogoutToken } from '../idp/logout-token.ts'
import { TokenRefused } from '../idp/strict-jws.ts'
import type { Metrics } from '../metrics.ts'
import { sendError } from '../plugins/errors.ts'
import { acceptForms } from '../plugins/forms.ts'
import { hashSecret } from '../session/credential.ts'
import { inBatches } from '../session/in-batches.ts'
import type { Sessions } from '../session/sessions.ts'
import type { SignOutMarks } from '../session/sign-out-marks.ts'
import type { Store } from '../store/store.ts'
import { errorResponses } from './error-body.ts'

/** How much longer than the token itself its `jti` is remembered: our clock and the IdP's differ. */
const SKEW_S = 60
/** A token that claims a long life does not fill the store for as long. */
const REMEMBERED_MAX_S = 24 * 3600
/** How long ending the sessions may take; what was not completed by then, or died on the way, may come again. */
const ACTING_S = 30

const schema = {
  operationId: 'backchannelLogout',
  summary: 'The IdP says that a session or a user was signed out',
  description: 'OpenID Connect Back-Channel Logout 1.0. Called by the IdP, not by browsers.',
  tags: ['sign-out'],
  consumes: ['application/x-www-form-urlencoded'],
  body: Type.Object({ logout_token: Type.String({ maxLength: 16_384 }) }, { additionalProperties: true }),
  response: {
    200: Type.Object({}, { description: 'Done; also when there was nothing to end', additionalProperties: false }),
    ...errorResponses('invalid_request', 'payload_too_large', 'rate_limited'),
  },
}

interface Deps {
  readonly config: Config
  readonly idp: Idp
  readonly sessions: Sessions
  readonly marks: SignOutMarks
  readonly store: Store
  readonly metrics: Pick<Metrics, 'backchannelLogouts'>
  /** Epoch seconds. */
  readonly now: () => number
}

/** POST /auth/backchannel-logout: 200, or 400 for whatever went wrong (Back-Channel Logout 1.0 §2.8). */
export const authBackchannelLogout: FastifyPluginAsyncTypebox<Deps> = async (app, deps) => {
  // Protected by the signature in the request: no cookie, no origin, no CORS is involved (BL-01).
  const rules = { access: 'public', from: 'anywhere', rateLimit: { max: 600 } } as const
  app.removeAllContentTypeParsers()
  acceptForms(app)
  // Whatever is wrong with the request, another content type included, the IdP is told by 400 (§2.8).
  app.setErrorHandler((error, request, reply) =>
    sendError(
      error instanceof BffError ? error : new BffError('invalid_request', 'back-channel logout', { cause: error }),
      request,
      reply,
    ),
  )

  app.post('/auth/backchannel-logout', { config: rules, schema }, async (request, reply) => {
    try {
      await requireEnabled(deps)
      const token = await verifyToken(request.body.logout_token, deps)
      const ended = await once(token, deps, () => endSessions(token, deps))
      deps.metrics.backchannelLogouts.inc({ outcome: 'accepted' })
      request.log.info({ event: 'backchannel_logout', ended }, 'signed out by the identity provider')
      return reply.code(200).send({})
    } catch (cause) {
      const reason = cause instanceof TokenRefused ? cause.reason : 'could not be completed'
      deps.metrics.backchannelLogouts.inc({ outcome: 'refused' })
      request.log.warn({ event: 'backchannel_logout_refused', reason }, 'back-channel logout refused')
      throw new BffError('invalid_request', `back-channel logout: ${reason}`, { cause })
    }
  })
}

async function requireEnabled({ config, idp }: Deps): Promise<void> {
  const { backchannelLogout } = config.idp
  const on =
    backchannelLogout === 'on' ||
    (backchannelLogout === 'auto' && (await idp.metadata.get()).backchannelLogoutSupported)
  if (!on) throw new TokenRefused('switched_off')
}

async function verifyToken(token: string, { config, idp, now }: Deps): Promise<LogoutToken> {
  const { clientId, issuer } = config.idp
  return verifyLogoutToken(token, idp.jwks, { issuer, clientId, now: now() })
}

/**
 * Once, on whatever replica (BL-07). Marked before anything is ended, and a store that does not answer refuses. The mark
 * lasts only once all is done: a sign-out that was cut short, by a fault or by the end of the process, may come again.
 */
async function once<T>(
  { issuer, jti, expiresAt }: LogoutToken,
  { store, now }: Deps,
  act: () => Promise<T>,
): Promise<T> {
  const key = `logout-token:${hashSecret(JSON.stringify([issuer, jti]))}`
  const ttlS = Math.min(REMEMBERED_MAX_S, Math.max(1, Math.ceil(expiresAt - now())) + SKEW_S)
  if (!(await store.add(key, '1', Math.min(ttlS, ACTING_S)))) throw new TokenRefused('replayed')
  try {
    const result = await act()
    await store.set(key, '1', ttlS)
    return result
  } catch (error) {
    await store.delete(key).catch(() => {}) // The store is away: the mark runs out by itself.
    throw error
  }
}

/** `sid`: that session, of that user if one is named; `sub` alone: all of the user, apps included (BL-10). */
async function endSessions({ issuer, sub, sid }: LogoutToken, { sessions, marks }: Deps): Promise<number> {
  // The mark first: a sign-in that is under way finds it, whichever comes first (BL-13).
  if (sid !== undefined) await marks.markSid(issuer, sid)
  else if (sub !== undefined) await marks.markSub(issuer, sub)
  const keys = await findKeys({ issuer, sub, sid }, sessions)
  const ended = await inBatches(keys, (key) => sessions.end(key, 'backchannel'))
  return ended.filter(Boolean).length
}

async function findKeys(
  { issuer, sub, sid }: Pick<LogoutToken, 'issuer' | 'sub' | 'sid'>,
  sessions: Sessions,
): Promise<string[]> {
  if (sid === undefined) return sub === undefined ? [] : sessions.listByUser(issuer, sub)
  const keys = await sessions.listBySid(issuer, sid)
  if (sub === undefined) return keys
  const own = new Set(await sessions.listByUser(issuer, sub))
  return keys.filter((key) => own.has(key))
}
