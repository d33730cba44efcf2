import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { BffError } from '../../src/errors.ts'
import { createSessionEvents } from '../../src/session/events.ts'
import { createRefresher, type Refresher } from '../../src/session/refresh.ts'
import { createSeal } from '../../src/session/seal.ts'
import { createSessions, type Sessions } from '../../src/session/sessions.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { createMortal } from '../support/mortal.ts'
import { createRandom } from '../support/random.ts'
import { createModelIdp, type ModelIdp } from './model-idp.ts'

/** Every run has a seed of its own; a failure names it. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? 500)
const FIRST_SEED = Number(process.env.PROPERTY_SEED ?? 1)

/** Runs wait far more than they work, so many go side by side. */
const AT_ONCE = 125

const ISSUER = 'https://idp.example'
const now = (): number => Date.now() / 1000
const silent = { info: () => {}, warn: () => {} }

interface Replica {
  readonly sessions: Sessions
  readonly refresher: Refresher
  /** From here on nothing it asks for is answered: as when the process is killed. */
  kill(): void
}

function createReplica(shared: Store, idp: ModelIdp, key: Buffer): Replica {
  const life = createMortal()
  const store = life.bind(shared)
  const seal = createSeal(() => [{ id: 'k', key }])
  const limits = { idleS: 3600, maxS: 36_000 }
  const config = {
    session: { store: 'memory:', browser: limits, app: limits, sameSite: 'strict' as const, claims: ['sub'] },
    idp: { clientId: 'bff', issuer: ISSUER },
  }
  const sessions = createSessions({ store, seal, events: createSessionEvents(shared), config, now })
  const refresher = createRefresher({ sessions, store, idp: life.bind(idp), config, now, log: silent })
  return {
    sessions,
    refresher,
    kill: life.kill,
  }
}

interface Outcome {
  readonly kills: number
  readonly calls: number
}

/** One life of some sessions: random calls on two replicas over one store, with kills, logouts and a moody IdP. */
async function run(seed: number): Promise<Outcome> {
  const random = createRandom(seed)
  const below = (max: number): number => Math.floor(random() * max)
  const rotate = random() < 0.7
  const moody = random() < 0.3
  const withKills = random() < 0.3
  const idp = createModelIdp({
    rotate,
    lifeS: 1000,
    fate: () => ({ mishap: moody && random() < 0.3 ? 'unavailable' : 'none', delayMs: below(60) }),
  })
  const memory = createMemoryStore({ now })
  const store: Store = { ...memory, exclusive: false }
  const key = Buffer.alloc(32, seed % 251)
  const replicas = [createReplica(store, idp, key), createReplica(store, idp, key)]
  const [maker = assert.fail()] = [createReplica(store, idp, key)]
  const names = Array.from({ length: 1 + below(4) }, (_, index) => `user${seed}-${index}`)
  const sessions = await Promise.all(
    names.map((name) => {
      const tokens = { ...idp.grant(name), accessTokenExpiresAt: now() + 1, obtainedAt: now() - 1000, scope: 'openid' }
      const user = { issuer: ISSUER, sub: name, sid: `sid-${name}`, claims: { sub: name }, tokens }
      return maker.sessions.create({ ...user, kind: 'browser-cookie', userAgent: '' })
    }),
  )
  const loggedOut = new Set<string>()
  /** Its own sign-out, or its own spent token, which a kill left behind: nothing else may cost a user the session. */
  const mayBeOut = (sub: string): boolean =>
    loggedOut.has(sub) || idp.violations.includes(`spent token of ${sub} was shown again`)
  let kills = 0
  let calls = 0

  const call = async (): Promise<void> => {
    await sleep(below(200))
    const session = sessions[below(sessions.length)] ?? assert.fail()
    const replica = replicas[below(replicas.length)] ?? assert.fail()
    const { sub } = session.record
    if (random() < 0.03) {
      loggedOut.add(sub)
      await replica.sessions.end(session.key, 'logout')
      return
    }
    const found = await replica.sessions.find(session.credential)
    if (found === undefined) return assert.ok(mayBeOut(sub), `${sub} lost its session`)
    assert.equal(found.record.sub, sub)
    await sleep(below(40)) // By the time it is used, what was found may be old.
    try {
      const fresh = await replica.refresher.ensureFresh(found)
      assert.equal(fresh.record.tokens.accessToken.split(':')[1], sub, 'a token of another session')
      assert.equal(fresh.record.sub, sub)
    } catch (error) {
      assert.ok(error instanceof BffError)
      if (error.code === 'unauthenticated') assert.ok(mayBeOut(sub), `${sub} was signed out`)
      else assert.equal(error.code, 'idp_unavailable')
      if (error.code === 'idp_unavailable') assert.ok(moody || withKills, 'unavailable without a reason')
    }
    calls += 1
  }

  const killer = async (): Promise<void> => {
    await sleep(below(150))
    kills += 1
    replicas[0]?.kill()
    replicas[0] = createReplica(store, idp, key)
  }

  // A killed replica never answers: who waits for it is cut off, as its clients would be.
  const cutOff = sleep(9000, 'cut off' as const)
  const work = Array.from({ length: 8 + below(16) }, () => Promise.race([call(), cutOff]))
  await Promise.all([...work, ...(withKills ? [killer()] : [])])

  if (!withKills) assert.deepEqual(idp.violations, [])
  for (const name of names) {
    const requests = idp.requests.get(name) ?? 0
    // The access token lives far longer than the run: one refresh window, so one token request.
    if (!withKills) assert.ok(requests <= 1, `${requests} token requests for ${name} in one window`)
  }
  await memory.close()
  return { kills, calls }
}

test(`RF-02: in ${RUNS} random lives of sessions on two replicas, every token reaches its own session, each window takes one token request, and nobody is signed out by accident`, async () => {
  let next = FIRST_SEED
  let kills = 0
  let calls = 0
  const worker = async (): Promise<void> => {
    while (next < FIRST_SEED + RUNS) {
      const seed = next++
      try {
        const outcome = await run(seed)
        kills += outcome.kills
        calls += outcome.calls
      } catch (cause) {
        throw new Error(`seed ${seed}`, { cause })
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  assert.ok(calls > RUNS * 4, 'the runs did next to nothing')
  assert.ok(kills > RUNS / 10, 'next to nobody was killed')
})
