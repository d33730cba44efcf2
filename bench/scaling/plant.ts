import { loadConfig } from '../../src/config.ts'
import { createSessionEvents } from '../../src/session/events.ts'
import { createSeal } from '../../src/session/seal.ts'
import { createSessions } from '../../src/session/sessions.ts'
import { createRedisStore } from '../../src/store/redis-store.ts'
import { baseEnv } from '../../test/support/env.ts'
import type { Owner } from '../../test/support/redis.ts'
import { buildUser } from '../fill/user.ts'

export interface PlantOptions {
  readonly idleS?: number
  /** How long the access token lives. */
  readonly tokenLifeS?: number
  readonly sid?: string
}

/** A session that another replica started, so that nothing here remembers it. @returns its credential, for a cookie */
export type Plant = (sub: string, options?: PlantOptions) => Promise<string>

interface PlanterInput {
  readonly redisUrl: string
  /** `SESSION_KEYS` of the service that is to open them. */
  readonly sessionKeys: string
  readonly issuer: string
}

const TOKEN_LIFE_S = 3600

/** Makes sessions by the module that the service makes them with, on the same Redis. */
export function createPlanter(owner: Owner, { redisUrl, sessionKeys, issuer }: PlanterInput): Plant {
  const store = createRedisStore(redisUrl)
  owner.after(() => store.close())
  const now = (): number => Date.now() / 1000
  const config = loadConfig({
    ...baseEnv(),
    PUBLIC_URL: 'http://localhost:8080',
    OTEN_ISSUER: issuer,
    ALLOW_INSECURE_ISSUER: 'true',
    JAR_ALG: 'HS256',
    SESSION_KEYS: sessionKeys,
  })
  let idleS = config.session.browser.idleS
  const limits = {
    get session() {
      return { ...config.session, browser: { ...config.session.browser, idleS } }
    },
  }
  const seal = createSeal(() => config.secrets.current().sessionKeys)
  const sessions = createSessions({ store, seal, events: createSessionEvents(store), config: limits, now })
  let planted = 0
  return async (sub, { idleS: wantedS = config.session.browser.idleS, tokenLifeS = TOKEN_LIFE_S, sid } = {}) => {
    idleS = wantedS
    const user = buildUser(issuer, planted++, tokenLifeS)
    return (await sessions.create({ ...user, sub, sid: sid ?? user.sid })).credential
  }
}
