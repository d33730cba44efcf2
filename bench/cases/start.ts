import { join } from 'node:path'
import { createKey } from '../../test/support/env.ts'
import type { Case } from '../compare.ts'
import { anonymous, bare, type Question } from '../contender.ts'
import type { Stage } from '../stage.ts'

/** As a page asks: it gets the signed URL in JSON. The transaction is stored, in a file. */
const START: Question = {
  path: '/auth/start?return_to=%2Finbox',
  headers: { 'sec-fetch-mode': 'cors' },
  expected: { status: 200, contains: '"authorization_url":"http' },
}

/** The beginning of a sign-in: the request object is signed. */
export async function start(stage: Stage, alg: 'EdDSA' | 'HS256'): Promise<Case> {
  const env = {
    ...(await stage.serviceEnv()),
    SESSION_STORE: `file:${join(stage.folder, `start-${alg}.db`)}`,
    JAR_ALG: alg,
    ...(alg === 'EdDSA' && { JAR_KEYS: createKey().privateJwk }),
  }
  return { name: `start, ${alg}, of bare Fastify`, subject: anonymous({ kind: 'service', env }, START), other: bare }
}
