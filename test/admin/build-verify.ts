import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import type { NewSession } from '../../src/session/record.ts'
import { buildService, CANARIES, newSession, type Service, type ServiceOptions } from '../plugins/build-service.ts'

export const VERIFY = '/auth/verify'

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

export const EMAIL = 'ada@example.com'

/** All headers of a yes, but for those of the connection. */
export const YES = {
  'cache-control': 'no-store',
  'x-auth-subject': 'ada',
  'x-auth-email': EMAIL,
  authorization: `Bearer ${CANARIES.accessToken}`,
} as const

/** Ada, signed in, with an access token that outlives her session. */
export async function build(t: TestContext, options: ServiceOptions = {}, changes: Partial<NewSession> = {}) {
  const service = await buildService(t, options)
  const { tokens } = newSession(service.time.now)
  const plant = (more: Partial<NewSession> = {}): Promise<string> =>
    service.plant({
      claims: { name: 'Ada', email: EMAIL },
      tokens: { ...tokens, accessTokenExpiresAt: service.time.now + 1_000_000 },
      ...changes,
      ...more,
    })
  const credential = await plant()
  /** With her credential, unless another is given. */
  const ask = (more: InjectOptions = {}, as = credential): Promise<LightMyRequestResponse> =>
    service.admin.inject({ url: VERIFY, ...more, headers: { ...present(service, as), ...more.headers } })
  return { service, credential, plant, ask }
}

/** As each kind is presented. */
export const present = ({ cookieName }: Service, credential: string): Record<string, string> =>
  credential.startsWith('t_') ? { authorization: `Bearer ${credential}` } : { cookie: `${cookieName}=${credential}` }

/** Without what the connection adds. */
export function headersOf({ headers }: LightMyRequestResponse): Record<string, unknown> {
  const { date: _, connection: __, ...own } = headers
  return own
}

/** The one "no": nothing of a session or of the request, and nothing that a proxy would hand on. */
export function assertRefused(answer: LightMyRequestResponse, about: string): void {
  assert.equal(answer.statusCode, 401, about)
  const { 'content-length': _, ...headers } = headersOf(answer)
  assert.deepEqual(
    headers,
    {
      'www-authenticate': 'Bearer',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'content-type': 'application/json; charset=utf-8',
    },
    about,
  )
  if (answer.raw.req.method === 'HEAD') return
  const { error_id: id, ...body } = answer.json() as Record<string, unknown>
  assert.deepEqual(body, { error: 'unauthenticated', error_description: 'There is no valid session.' }, about)
  assert.equal(typeof id, 'string')
}
