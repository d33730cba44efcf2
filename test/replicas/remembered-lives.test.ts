import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import type { SealKey } from '../../src/config.ts'
import { BffError } from '../../src/errors.ts'
import type { Session } from '../../src/session/record.ts'
import { newSession } from '../plugins/build-service.ts'
import { type RedisProxy, startRedisProxy } from '../store/redis-proxy.ts'
import { createRandom } from '../support/random.ts'
import { askRedis, type RedisServer, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { KEY, now, type RememberingReplica, STALE_MAX_MS, startRememberingReplica } from './build-remembering.ts'

/** Every life has a seed of its own; a failure names it. */
const FIRST_SEED = Number(process.env.PROPERTY_SEED ?? 1)
const LIVES = Number(process.env.PROPERTY_RUNS ?? 2)
const STEPS = 400
const ISSUER = 'https://idp.example.net'
const USERS = 6
/** How many sessions something is done with at a time. */
const BUSY = 6
/** How many look at each replica all the time. */
const LOOKERS = 4

/** Something that a replica, or nobody of us, did to a session and that was acknowledged. */
interface Fact {
  readonly atMs: number
  readonly by: RememberingReplica | undefined
  /** Undefined when what is served fits. */
  readonly contradicts: (served: Session) => string | undefined
}

interface Life {
  readonly redis: RedisServer
  readonly replicas: readonly [RememberingReplica, RememberingReplica]
  readonly proxies: readonly [RedisProxy, RedisProxy]
  readonly random: () => number
  readonly known: Known[]
  /** Also of those whose sign-in was not answered yet. */
  readonly endedKeys: Set<string>
  keys: readonly SealKey[]
  /** Odd while one is under way. */
  flushes: number
  isOver: boolean
  /** How often each was served from memory. */
  readonly hits: Map<RememberingReplica, number>
}

/** A session and what has happened to it. */
interface Known {
  readonly session: Session
  readonly facts: Fact[]
  /** That it is not found proves nothing any more. */
  mayBeGone: boolean
  isBusy: boolean
  sealedBy: SealKey | undefined
}

async function begin(t: TestContext, seed: number): Promise<Life> {
  const redis = await startRedis(t)
  const random = createRandom(seed)
  const life = {
    redis,
    random,
    known: [] as Known[],
    endedKeys: new Set<string>(),
    keys: [KEY],
    flushes: 0,
    isOver: false,
  }
  const start = async () => {
    const proxy = await startRedisProxy(t, redis.port)
    // What is read is under way for longer than what is told of it: so a read may be overtaken by a change.
    proxy.delayMs = (purpose) => (purpose === 'commands' ? random() * 30 : 0)
    return { proxy, replica: await startRememberingReplica(t, proxy.url, () => world.keys) }
  }
  const world: Pick<Life, 'keys'> = { keys: life.keys }
  const [first, second] = [await start(), await start()]
  return Object.assign(world, {
    ...life,
    replicas: [first.replica, second.replica] as const,
    proxies: [first.proxy, second.proxy] as const,
    hits: new Map<RememberingReplica, number>(),
  })
}

const pick = <T>({ random }: Life, list: readonly T[]): T =>
  list[Math.floor(random() * list.length)] ?? assert.fail('nothing to pick from')

const isEnded: Fact['contradicts'] = () => 'it has ended'

async function signIn(life: Life, replica: RememberingReplica): Promise<void> {
  const { flushes, keys } = life
  const sub = `user-${Math.floor(life.random() * USERS)}`
  const session = await replica.sessions.create(newSession(now(), { issuer: ISSUER, sub, sid: `sid-${sub}` }))
  const isDisturbed = flushes % 2 === 1 || flushes !== life.flushes || keys !== life.keys
  const mayBeGone = isDisturbed || life.endedKeys.has(session.key)
  life.known.push({ session, facts: [], mayBeGone, isBusy: false, sealedBy: keys[0] })
}

/** One after the other: two at once could be stored in another order than they are answered in. */
async function alone(known: Known, work: () => Promise<void>): Promise<void> {
  if (known.isBusy) return
  known.isBusy = true
  await work().finally(() => {
    known.isBusy = false
  })
}

async function touch(replica: RememberingReplica, known: Known): Promise<void> {
  const session = await replica.sessions.find(known.session.credential)
  const used = session && (await replica.sessions.touch(session, { exact: true }))
  if (used === undefined) return
  const contradicts = (served: Session) =>
    served.lastUsedAt < used.lastUsedAt ? `used at ${used.lastUsedAt}, not ${served.lastUsedAt}` : undefined
  known.facts.push({ atMs: performance.now(), by: replica, contradicts })
}

async function refresh(life: Life, replica: RememberingReplica, known: Known): Promise<void> {
  const { keys } = life
  const session = await replica.sessions.find(known.session.credential)
  if (session === undefined) return
  known.sealedBy = undefined // Whatever becomes of it.
  const updated = await replica.sessions.update(session, { ...session.record.tokens, refreshToken: `r-${now()}` })
  if (updated === undefined) return
  const { generation } = updated.record
  const contradicts = ({ record }: Session) =>
    record.generation < generation ? `of generation ${generation}, not ${record.generation}` : undefined
  known.facts.push({ atMs: performance.now(), by: replica, contradicts })
  if (keys === life.keys) known.sealedBy = keys[0]
}

async function endAll(life: Life, replica: RememberingReplica, keys: readonly string[]): Promise<void> {
  for (const key of keys) life.endedKeys.add(key)
  const ending = life.known.filter(({ session }) => keys.includes(session.key))
  for (const known of ending) known.mayBeGone = true
  for (const key of keys) await replica.sessions.end(key, 'backchannel')
  const atMs = performance.now()
  for (const { facts } of ending) facts.push({ atMs, by: replica, contradicts: isEnded })
}

async function flush(life: Life): Promise<void> {
  if (life.flushes % 2 === 1) return // One at a time.
  const gone = life.known.slice()
  life.flushes += 1
  for (const known of life.known) known.mayBeGone = true
  await askRedis(life.redis.port, 'FLUSHDB')
  const atMs = performance.now()
  life.flushes += 1
  for (const { facts } of gone) facts.push({ atMs, by: undefined, contradicts: isEnded })
}

/** The keys before the last one open nothing from here on, on both replicas at once. */
function rotate(life: Life): void {
  const id = `key-${Math.floor(life.random() * 1e9)}`
  life.keys = [{ id, key: Buffer.alloc(32, id) }, ...life.keys.slice(0, 1)]
  const atMs = performance.now()
  for (const known of life.known) {
    known.mayBeGone = true
    if (known.sealedBy === undefined || life.keys.includes(known.sealedBy)) continue
    for (const by of life.replicas) known.facts.push({ atMs, by, contradicts: () => 'nothing opens it any more' })
  }
}

/** It hears nothing for so long that it must notice, and perhaps not for so long that it gives the connection up. */
async function deafen(life: Life): Promise<void> {
  const proxy = pick(life, life.proxies)
  proxy.hold('changes')
  await sleep(500 + life.random() * 1400)
  proxy.release('changes')
}

async function disturb(life: Life): Promise<void> {
  const proxy = pick(life, life.proxies)
  await pick(life, [
    async () => proxy.cut('changes'),
    async () => proxy.cut('commands'),
    async () => void (await askRedis(life.redis.port, 'CLIENT', 'KILL', 'TYPE', 'pubsub')),
    async () => {
      life.redis.pause()
      await sleep(life.random() * 400)
      life.redis.resume()
    },
  ])()
}

async function step(life: Life): Promise<void> {
  const replica = pick(life, life.replicas)
  const dice = life.random()
  if (life.known.length === 0 || dice < 0.15) return signIn(life, replica)
  const known = pick(life, life.known.slice(-BUSY)) // The others come to rest: what is wrong then stays wrong.
  const { issuer, sub, sid = '' } = known.session.record
  if (dice < 0.45) return alone(known, () => touch(replica, known))
  if (dice < 0.75) return alone(known, () => refresh(life, replica, known))
  if (dice < 0.9) return endAll(life, replica, [known.session.key])
  if (dice < 0.92) return endAll(life, replica, await replica.sessions.listByUser(issuer, sub))
  if (dice < 0.94) return endAll(life, replica, await replica.sessions.listBySid(issuer, sid))
  if (dice < 0.945) return endAll(life, replica, await Array.fromAsync(replica.sessions.listAll()))
  if (dice < 0.955) return flush(life)
  if (dice < 0.97) return rotate(life)
  return dice < 0.985 ? deafen(life) : disturb(life)
}

/** Fails when a replica serves what it must not serve any more; what is away may be away. */
async function look(life: Life, replica: RememberingReplica, known: Known): Promise<void> {
  const { facts, session } = known
  const askedAtMs = performance.now()
  const due = facts.filter(({ by, atMs }) => askedAtMs - atMs > (by === replica ? 0 : STALE_MAX_MS))
  const asked = replica.sessions.find(session.credential)
  if (!(asked instanceof Promise)) life.hits.set(replica, (life.hits.get(replica) ?? 0) + 1)
  const served = await Promise.resolve(asked).catch(() => 'away' as const)
  if (served === 'away') return
  if (served === undefined) return assert.ok(known.mayBeGone, 'a session was lost')
  for (const { atMs, contradicts } of due) {
    const fault = contradicts(served)
    const where = asked instanceof Promise ? 'from the store' : 'from memory'
    assert.equal(fault, undefined, `served ${where}, ${Math.round(askedAtMs - atMs)} ms after: ${fault}`)
  }
}

async function live(life: Life): Promise<void> {
  const lookers = life.replicas.flatMap((replica) => Array.from({ length: LOOKERS }, () => replica))
  const looking = lookers.map(async (replica) => {
    while (!life.isOver) {
      if (life.known.length > 0) await look(life, replica, pick(life, life.known))
      await turn()
    }
  })
  const faults: unknown[] = []
  const tolerate = (fault: unknown): void => {
    // What fails because Redis is away was not acknowledged.
    if (!(fault instanceof BffError && fault.code === 'store_unavailable')) faults.push(fault)
  }
  const walk = async (): Promise<void> => {
    const steps: Promise<void>[] = []
    for (let count = 0; count < STEPS && !life.isOver && faults.length === 0; count++) {
      steps.push(step(life).catch(tolerate))
      await sleep(life.random() * 25)
    }
    await Promise.all(steps)
    if (faults.length > 0) throw faults[0]
    await sleep(STALE_MAX_MS)
    for (const replica of life.replicas) await until(replica.isCurrent)
  }
  const end = (): void => {
    life.isOver = true
  }
  await Promise.all([walk().finally(end), ...looking.map((loop) => loop.finally(end))])
  for (const replica of life.replicas) for (const known of life.known) await look(life, replica, known)
}

test(`SC-09, SC-10: in ${LIVES} random lives of two replicas that remember sessions over Redis, what ended or changed is served no more at once by the replica that did it, and within a second by the other`, async (t) => {
  const seeds = Array.from({ length: LIVES }, (_, n) => FIRST_SEED + n)
  await Promise.all(
    seeds.map(async (seed) => {
      const life = await begin(t, seed)
      await live(life).catch((cause: unknown) => {
        throw new Error(`seed ${seed}`, { cause })
      })
      const hits = life.replicas.map((replica) => life.hits.get(replica) ?? 0)
      t.diagnostic(`seed ${seed}: ${life.known.length} sessions, ${hits.join(' and ')} times served from memory`)
      assert.ok(Math.min(...hits) > 0, `${hits.join(' and ')} times served from memory`)
    }),
  )
})
