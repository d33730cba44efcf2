import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { startApi } from '../../test/support/api.ts'
import { createSessionKey } from '../../test/support/env.ts'
import { type RedisServer, startRedis } from '../../test/support/redis.ts'
import { createWorld, type World } from '../../test/support/world.ts'
import { buildUser } from '../fill/user.ts'
import { createPlanter, type Plant } from './plant.ts'
import { openWire, type Wire } from './wire.ts'

export const ADMIN_TOKEN = 'an-operators-token-of-more-than-32-octets'

/** The real service over a real Redis, and everything that passes between them counted. */
export interface Stage {
  readonly world: World
  readonly redis: RedisServer
  readonly wire: Wire
  readonly plant: Plant
  /** Requests to the service so far, on both listeners. */
  readonly requests: () => number
  /** Requests of the service to the IdP so far. */
  readonly idpRequests: () => number
}

export async function openStage(t: TestContext): Promise<Stage> {
  const redis = await startRedis(t)
  const wire = await openWire(t, redis.port)
  const api = await startApi(t)
  const sessionKeys = createSessionKey()
  const env = {
    SESSION_STORE: wire.url,
    SESSION_KEYS: sessionKeys,
    API_ROUTES: `/api/x=${api.url}`,
    ADMIN_TOKEN,
    BACKCHANNEL_LOGOUT: 'on',
    RATE_LIMIT_PER_MINUTE: '0',
    LOG_LEVEL: 'warn',
  }
  const world = await createWorld(t, { env })
  const { simulator } = world
  // As long as the bench has it; the hash of the simulator's own, in the ID token, would not fit.
  const { accessToken } = buildUser(simulator.issuer, 0, 0).tokens
  simulator.faults.alterTokenResponse = (body) => ({ ...body, access_token: accessToken })
  simulator.faults.alterIdToken = (claims) => ({ claims: { ...claims, at_hash: undefined } })
  const ports = [world.publicUrl, world.adminUrl].map((url) => Number(new URL(url).port))
  return {
    world,
    redis,
    wire,
    plant: createPlanter(t, { redisUrl: redis.url, sessionKeys, issuer: simulator.issuer }),
    requests: countRequests(t, ports),
    idpRequests: () => {
      const { tokenRequests, revocations, discoveryRequests, jwksRequests } = simulator.stats
      const tokens = Object.values(tokenRequests).reduce((sum, count) => sum + count, 0)
      return tokens + revocations + discoveryRequests + jwksRequests
    },
  }
}

/** By Node's own word, before the service has seen them. */
function countRequests(t: TestContext, ports: readonly number[]): () => number {
  let count = 0
  const note = (message: unknown): void => {
    const { port } = (message as { readonly server: Server }).server.address() as AddressInfo
    if (ports.includes(port)) count += 1
  }
  subscribe('http.server.request.start', note)
  t.after(() => unsubscribe('http.server.request.start', note))
  return () => count
}
