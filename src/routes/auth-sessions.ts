import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { BffError } from '../errors.ts'
import { inBatches } from '../session/in-batches.ts'
import type { ListedSession } from '../session/inventory.ts'
import type { Session } from '../session/record.ts'
import type { Sessions } from '../session/sessions.ts'
import { errorResponses } from './error-body.ts'

const Listed = Type.Object(
  {
    session_id: Type.String({ description: 'Public id; not the credential' }),
    current: Type.Boolean({ description: 'The one that asks' }),
    kind: Type.Union([Type.Literal('browser'), Type.Literal('app')]),
    app: Type.Union([Type.String(), Type.Null()], { description: 'Id in APPS' }),
    created_at: Type.Integer({ description: 'Epoch seconds' }),
    last_used_at: Type.Integer({ description: 'Epoch seconds; in steps of up to a minute' }),
    user_agent: Type.String(),
  },
  { additionalProperties: false },
)

const SessionList = Type.Object({ sessions: Type.Array(Listed) })
const Ended = Type.Object({ ended: Type.Integer({ description: 'How many sessions ended' }) })

const listSchema = {
  operationId: 'listSessions',
  summary: "This user's sessions, on all devices",
  tags: ['session'],
  response: { 200: SessionList, ...errorResponses('unauthenticated', 'forbidden_origin') },
}

const endSchema = {
  operationId: 'endSession',
  summary: "End one of this user's sessions",
  tags: ['session'],
  params: Type.Object({ session_id: Type.String() }),
  response: {
    204: Type.Null({ description: 'Ended' }),
    ...errorResponses('unauthenticated', 'forbidden_origin', 'not_found'),
  },
}

const endOthersSchema = {
  operationId: 'endOtherSessions',
  summary: "End all of this user's other sessions",
  tags: ['session'],
  response: { 200: Ended, ...errorResponses('unauthenticated', 'forbidden_origin') },
}

/** GET and DELETE /auth/sessions: what of this user is signed in, and where it should not be any more. */
export const authSessions: FastifyPluginAsyncTypebox<{ readonly sessions: Sessions }> = async (app, { sessions }) => {
  app.get('/auth/sessions', { config: { access: 'session', from: 'fetch' }, schema: listSchema }, async (request) => {
    const { current, listed } = await listOwn(request, sessions)
    request.log.info(
      { event: 'sessions_listed', session: current.record.id, listed: listed.length, by: 'user' },
      'sessions listed',
    )
    return { sessions: listed.map((session) => toWire(session, current)) }
  })

  app.delete(
    '/auth/sessions/:session_id',
    { config: { access: 'session', from: 'change' }, schema: endSchema },
    async (request, reply) => {
      // Looked for among the caller's own: another user's id is as unknown as one that never was.
      const { listed } = await listOwn(request, sessions)
      const found = listed.find(({ id }) => id === request.params.session_id)
      if (found === undefined || !(await sessions.end(found.key, 'revoked')))
        throw new BffError('not_found', 'no such session')
      request.log.info({ event: 'session_ended', session: found.id, reason: 'revoked', by: 'user' }, 'session ended')
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/auth/sessions',
    { config: { access: 'session', from: 'change' }, schema: endOthersSchema },
    async (request) => {
      const { current, listed } = await listOwn(request, sessions)
      const others = listed.filter(({ key }) => key !== current.key)
      const ended = await inBatches(others, ({ key }) => sessions.end(key, 'revoked'))
      const count = ended.filter(Boolean).length
      request.log.info(
        { event: 'sessions_ended', session: current.record.id, ended: count, by: 'user' },
        'sessions ended',
      )
      return { ended: count }
    },
  )
}

async function listOwn(
  { session }: FastifyRequest,
  sessions: Sessions,
): Promise<{ current: Session; listed: readonly ListedSession[] }> {
  if (session === null) throw new BffError('unauthenticated', 'no session')
  return { current: session, listed: await sessions.list(session.record.issuer, session.record.sub) }
}

const toWire = ({ id, key, kind, app, createdAt, lastUsedAt, userAgent }: ListedSession, current: Session) => ({
  session_id: id,
  current: key === current.key,
  kind: kind === 'browser-cookie' ? ('browser' as const) : ('app' as const),
  app: app ?? null,
  created_at: createdAt,
  last_used_at: lastUsedAt,
  user_agent: userAgent,
})
