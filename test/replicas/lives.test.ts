import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { createService } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import type { Idp } from '../../src/idp/idp.ts'
import { createLog } from '../../src/log.ts'
import { createSessionEvents } from '../../src/session/events.ts'
import { createSeal } from '../../src/session/seal.ts'
import { createSessions, type Sessions } from '../../src/session/sessions.ts'
import { openStore } from '../../src/store/index.ts'
import { createModelIdp, type ModelIdp } from '../session/model-idp.ts'
import { baseEnv, createKey } from '../support/env.ts'
import { createMortal } from '../support/mortal.ts'
import { createRandom } from '../support/random.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

/** Every run has a seed of its own; a failure names it. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? 500)
const FIRST_SEED = Number(process.env.PROPERTY_SEED ?? 1)
/** All on the same two replicas: whatever could get mixed up has others to be mixed up with. */
const AT_ONCE = 100
const KILLS = 5

const PUBLIC_URL = 'https://bff.example.com'
const ISSUER = 'https://idp.example.net'
const now = (): number => Date.now() / 1000

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
}

interface Replica {
  /** Undefined when the process was killed before it answered. */
  ask(options: InjectOptions): Promise<Answer | undefined>
  kill(): void
}

/** An API that says whose token it was shown; an IdP that rotates for some and not for others, and has its moods. */
async function build(t: TestContext) {
  const redis = await startRedis(t)
  const api = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ authorization: request.headers.authorization }))
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
  t.after(() => {
    api.closeAllConnections()
    api.close()
  })
  const random = createRandom(FIRST_SEED)
  const idps = [true, false].map((rotate) =>
    createModelIdp({
      rotate,
      lifeS: 10_000,
      fate: () => ({ mishap: random() < 0.1 ? 'unavailable' : 'none', delayMs: Math.floor(random() * 60) }),
    }),
  ) as [ModelIdp, ModelIdp]
  const idpOf = (name: string): ModelIdp => (name.startsWith('rotating') ? idps[0] : idps[1])
  const env = {
    ...baseEnv(),
    PUBLIC_URL,
    OTEN_ISSUER: ISSUER,
    JAR_KEYS: createKey().privateJwk,
    SESSION_STORE: redis.url,
    API_ROUTES: `/api/x=http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    LOG_LEVEL: 'fatal',
  }
  const idp = {
    metadata: { get: async () => ({ issuer: ISSUER }), status: () => ({ state: 'ok' }) },
    refresh: (input: { refreshToken: string }) => idpOf(input.refreshToken.split(':')[1] ?? '').refresh(input as never),
    revoke: async () => true,
  } as unknown as Idp // The members that these routes reach.
  return { env, idp, idps, idpOf, replicas: [await startReplica(t, env, idp), await startReplica(t, env, idp)] }
}

async function startReplica(t: TestContext, env: Record<string, string>, idp: Idp): Promise<Replica> {
  const life = createMortal()
  const died = Promise.withResolvers<undefined>()
  const config = loadConfig(env)
  const store = await openStore(config.session.store, { now })
  t.after(() => store.close())
  const { log } = createLog(config.logLevel, { write: () => {} })
  const { app }: { app: FastifyInstance } = await createService({
    config,
    store: life.bind(store),
    idp: life.bind(idp),
    log,
    now,
  })
  return {
    async ask(options) {
      const answer = await Promise.race([app.inject(options), died.promise])
      return answer && { status: answer.statusCode, body: answer.body === '' ? {} : answer.json() }
    },
    kill() {
      life.kill()
      died.resolve(undefined)
    },
  }
}

async function createPlanter(t: TestContext, env: Record<string, string>): Promise<Sessions> {
  const config = loadConfig(env)
  const store = await openStore(config.session.store, { now })
  t.after(() => store.close())
  const seal = createSeal(() => config.secrets.current().sessionKeys)
  return createSessions({ store, seal, events: createSessionEvents(store), config, now })
}

type World = Awaited<ReturnType<typeof build>> & { readonly planter: Sessions; killed: number }

interface User {
  readonly name: string
  readonly cookie: string
  readonly sessionId: string
  signedOut: boolean
  refreshes: number
}

async function plant({ planter, idpOf }: World, name: string): Promise<User> {
  const tokens = {
    ...idpOf(name).grant(name),
    accessTokenExpiresAt: now() - 1,
    obtainedAt: now() - 900,
    scope: 'openid',
  }
  const user = { issuer: ISSUER, sub: name, sid: name, claims: { name }, tokens }
  const { credential, record } = await planter.create({ ...user, kind: 'browser-cookie', userAgent: name })
  const cookie = `__Host-Http-oten_session=${credential}`
  return { name, cookie, sessionId: record.id, signedOut: false, refreshes: 0 }
}

const ACTIONS = ['session', 'session', 'api', 'api', 'api', 'api', 'refresh', 'list', 'end-others', 'logout'] as const

async function act(world: World, user: User, random: () => number): Promise<void> {
  const below = (max: number): number => Math.floor(random() * max)
  await sleep(below(150))
  const action = random() < 0.5 ? 'api' : (ACTIONS[below(ACTIONS.length)] ?? 'session')
  const replica = world.replicas[below(2)] ?? assert.fail()
  const headers = { cookie: user.cookie, origin: PUBLIC_URL }
  const ask = (method: 'GET' | 'POST' | 'DELETE', url: string) => replica.ask({ method, url, headers })
  switch (action) {
    case 'session': {
      const answer = await ask('GET', '/auth/session')
      if (answer !== undefined) checkView(world, user, answer)
      return
    }
    case 'refresh': {
      user.refreshes += 1
      const answer = await ask('POST', '/auth/refresh')
      if (answer?.status === 200) checkView(world, user, answer)
      else if (answer !== undefined) checkFailure(world, user, answer)
      return
    }
    case 'api': {
      const answer = await ask('GET', '/api/x/1')
      if (answer?.status === 200)
        assert.equal(String(answer.body.authorization).split(':')[1], user.name, 'wrong token')
      else if (answer !== undefined) checkFailure(world, user, answer)
      return
    }
    case 'list': {
      const answer = await ask('GET', '/auth/sessions')
      if (answer?.status === 200) checkList(user, answer)
      else if (answer !== undefined) checkFailure(world, user, answer)
      return
    }
    case 'end-others': {
      const answer = await ask('DELETE', '/auth/sessions')
      if (answer?.status === 200) assert.deepEqual(answer.body, { ended: 0 })
      else if (answer !== undefined) checkFailure(world, user, answer)
      return
    }
    case 'logout': {
      user.signedOut = true
      await ask('POST', '/auth/logout')
    }
  }
}

/** Its own sign-out, or its own spent token, which a kill left behind: nothing else may cost a user the session. */
const mayBeOut = ({ idpOf }: World, { name, signedOut }: User): boolean =>
  signedOut || idpOf(name).violations.includes(`spent token of ${name} was shown again`)

function checkView(world: World, user: User, { status, body }: Answer): void {
  assert.equal(status, 200)
  if (body.authenticated === false) {
    assert.ok(mayBeOut(world, user), `${user.name} lost its session`)
    return
  }
  assert.deepEqual(body.user, { name: user.name, sub: user.name })
  assert.equal(body.session_id, user.sessionId)
}

function checkList({ sessionId, name }: User, { body }: Answer): void {
  for (const listed of body.sessions as Record<string, unknown>[]) {
    assert.deepEqual([listed.session_id, listed.user_agent], [sessionId, name], 'a session of another user')
  }
}

function checkFailure(world: World, user: User, { status, body }: Answer): void {
  if (status === 401) assert.ok(mayBeOut(world, user), `${user.name} was signed out`)
  else assert.deepEqual([status, body.error], [503, 'idp_unavailable'])
}

async function run(world: World, seed: number): Promise<number> {
  const random = createRandom(seed)
  const names = Array.from(
    { length: 1 + Math.floor(random() * 3) },
    (_, n) => `${random() < 0.7 ? 'rotating' : 'keeping'}-${seed}-${n}`,
  )
  const users = await Promise.all(names.map((name) => plant(world, name)))
  const acts = Array.from({ length: 8 + Math.floor(random() * 16) }, () =>
    act(world, users[Math.floor(random() * users.length)] ?? assert.fail(), random),
  )
  await Promise.all(acts)
  for (const { name, refreshes } of users) {
    const requests = world.idpOf(name).requests.get(name) ?? 0
    // One window: the first access token is over, the next lives for hours. More only where the page asked for more, or
    // where a holder was killed and its answer with it.
    assert.ok(requests <= 1 + refreshes + world.killed, `${requests} token requests for ${name}`)
    if (world.killed === 0) assert.ok(requests <= 1 + refreshes, `${requests} token requests for ${name}`)
  }
  return acts.length
}

test(`RF-02, TX-09: in ${RUNS} random lives on two replicas over Redis, with kills and a moody IdP, every answer and every token belongs to its own session, and nobody is signed out by accident`, async (t) => {
  const built = await build(t)
  const world: World = { ...built, planter: await createPlanter(t, built.env), killed: 0 }
  let next = FIRST_SEED
  let acts = 0
  const worker = async (): Promise<void> => {
    while (next < FIRST_SEED + RUNS) {
      const seed = next++
      const done = await run(world, seed).catch((cause: unknown) => {
        throw new Error(`seed ${seed}`, { cause })
      })
      acts += done
    }
  }
  const killer = async (): Promise<void> => {
    while (world.killed < KILLS && next < FIRST_SEED + RUNS) {
      await sleep(300)
      const fresh = await startReplica(t, world.env, world.idp)
      const place = world.killed % 2
      world.replicas[place]?.kill()
      world.killed += 1
      world.replicas[place] = fresh
    }
  }
  // The first half in peace: one token request a window, without any allowance.
  const killLater = async (): Promise<void> => {
    await until(() => next > FIRST_SEED + RUNS / 2, 60_000)
    for (const { violations } of world.idps) assert.deepEqual(violations, [])
    await killer()
  }
  await Promise.all([...Array.from({ length: AT_ONCE }, worker), killLater()])
  t.diagnostic(`${acts} requests, ${world.killed} kills`)
  assert.ok(acts > RUNS * 8 && world.killed > 0)
})
