import { join } from 'node:path'
import type { Case } from '../compare.ts'
import { bare, calledBack } from '../contender.ts'
import type { Stage } from '../stage.ts'

/** For one process: more than it can answer. */
const PREPARED_PER_SECOND = 4000
const WARM_UP_S = 1

/** The end of a sign-in: the code is redeemed, the ID token checked, the session kept. Each takes place once. */
export async function callback(stage: Stage, seconds: number): Promise<Case> {
  const env = { ...(await stage.serviceEnv()), SESSION_STORE: `file:${join(stage.folder, 'callback.db')}` }
  const callbacks = Math.ceil(PREPARED_PER_SECOND * (seconds + WARM_UP_S))
  return {
    name: 'callback, of bare Fastify',
    subject: calledBack({ kind: 'service', env, callbacks }, { status: 303, contains: 'oten_session=b_' }),
    other: bare,
  }
}
