import { hash, timingSafeEqual } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'
import { hashSecret } from '../session/credential.ts'
import { inBatches } from '../session/in-batches.ts'
import type { Sessions } from '../session/sessions.ts'
import type { SignOutMarks } from '../session/sign-out-marks.ts'

const Name = Type.String({ minLength: 1, maxLength: 255 })
const Target = Type.Union([
  Type.Object({ sub: Name }, { additionalProperties: false }),
  Type.Object({ sid: Name }, { additionalProperties: false }),
  Type.Object({ all: Type.Literal(true) }, { additionalProperties: false }),
])

const schema = { body: Target, response: { 200: Type.Object({ ended: Type.Integer() }) } }

interface Deps {
  readonly config: Config
  readonly sessions: Sessions
  readonly marks: SignOutMarks
}

/** POST /admin/sessions/end: one user, one IdP session, or everybody (SC-14). There only when ADMIN_TOKEN is set. */
export const endSessions: FastifyPluginAsyncTypebox<Deps> = async (app, { config, sessions, marks }) => {
  if (config.secrets.current().adminToken === undefined) return

  app.post('/admin/sessions/end', { config: { access: 'public', from: 'anywhere' }, schema }, async (request) => {
    requireToken(request.headers.authorization, config)
    const ended = await endAll(request.body, config.idp.issuer, sessions, marks)
    request.log.info({ event: 'sessions_ended', ...describe(request.body), ended, by: 'admin' }, 'sessions ended')
    return { ended }
  })
}

/** Compared as hashes in constant time: neither length nor prefix of the token shows in how long that takes (KY-10). */
function requireToken(authorization: string | undefined, { secrets }: Config): void {
  const given = /^bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? ''
  const wanted = secrets.current().adminToken
  const [a, b] = [given, wanted ?? ''].map((token) => hash('sha256', token, 'buffer'))
  if (wanted === undefined || a === undefined || b === undefined || !timingSafeEqual(a, b)) {
    throw new BffError('unauthenticated', 'admin token missing or wrong')
  }
}

/** For the audit: whom it was about. The IdP's session id is in it as a hash only, as session ids are in every line. */
function describe(target: Static<typeof Target>) {
  if ('all' in target) return { scope: 'all' }
  return 'sub' in target ? { scope: 'sub', sub: target.sub } : { scope: 'sid', sid_hash: hashSecret(target.sid) }
}

async function endAll(
  target: Static<typeof Target>,
  issuer: string,
  sessions: Sessions,
  marks: SignOutMarks,
): Promise<number> {
  const keys = findKeys(target, issuer, sessions, marks)
  const ended = await inBatches(keys, (key) => sessions.end(key, 'revoked'))
  return ended.filter(Boolean).length
}

async function* findKeys(
  target: Static<typeof Target>,
  issuer: string,
  sessions: Sessions,
  marks: SignOutMarks,
): AsyncIterable<string> {
  if ('all' in target) {
    await marks.markAll()
    return yield* sessions.listAll()
  }
  if ('sid' in target) {
    await marks.markSid(issuer, target.sid)
    return yield* await sessions.listBySid(issuer, target.sid)
  }
  await marks.markSub(issuer, target.sub)
  yield* await sessions.listByUser(issuer, target.sub)
}
