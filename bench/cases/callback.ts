import { join } from 'node:path'
import type { Case } from '../compare.ts'
import { bare, calledBack } from '../contender.ts'
import type { Options } from '../options.ts'
import type { Stage } from '../stage.ts'

/** For one process: more than it can answer. */
const PREPARED_PER_SECOND = 1500
const WARM_UP_S = 5

/** The end of a sign-in: the code is redeemed, the ID token checked, the session kept. Each takes place once. */
export async function callback(stage: Stage, { rounds, seconds }: Pick<Options, 'rounds' | 'seconds'>): Promise<Case> {
  const env = { ...(await stage.serviceEnv()), SESSION_STORE: `file:${join(stage.folder, 'callback.db')}` }
  const callbacks = Math.ceil(PREPARED_PER_SECOND * (rounds * seconds + WARM_UP_S))
  return {
    name: 'callback, of bare Fastify',
    subject: calledBack({ kind: 'service', env, callbacks }, { status: 303, contains: 'oten_session=b_' }),
    other: bare,
  }
}
