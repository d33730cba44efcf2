import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { newSession } from '../plugins/build-service.ts'
import { startRedisProxy } from '../store/redis-proxy.ts'
import { askRedis, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { now, STALE_MAX_MS, startRememberingReplica } from './build-remembering.ts'

/** Two replicas over one Redis, the second behind a proxy, and a session that both remember. */
async function build(t: TestContext) {
  const redis = await startRedis(t)
  const proxy = await startRedisProxy(t, redis.port)
  const [one, two] = [await startRememberingReplica(t, redis.url), await startRememberingReplica(t, proxy.url)]
  const session = await one.sessions.create(newSession(now()))
  const { credential, key } = session
  for (const replica of [one, two]) await remember(replica, credential)
  return { redis, proxy, one, two, session, credential, key }
}

type Replica = Awaited<ReturnType<typeof startRememberingReplica>>

/** What was written a moment ago is perhaps told after the first read. */
const remember = (replica: Replica, credential: string): Promise<number> =>
  until(async () => (await replica.sessions.find(credential)) !== undefined && replica.recall(credential) !== undefined)

const secondAfter = (instantMs: number): Promise<number> => until(() => performance.now() - instantMs >= STALE_MAX_MS)

test('over Redis an opened session is served from memory by every replica', async (t) => {
  const { one, two, session, credential } = await build(t)
  for (const { sessions } of [one, two]) assert.deepEqual(sessions.find(credential), session)
})

test('SC-09: who ends a session on one replica is not served by it any more, and within a second by no other', async (t) => {
  const { one, two, credential, key } = await build(t)
  const ended = one.sessions.end(key, 'logout')
  assert.equal(one.recall(credential), undefined, 'from the moment that it is asked')
  await ended
  const endedAt = performance.now()
  assert.equal(await one.sessions.find(credential), undefined)
  await secondAfter(endedAt)
  assert.equal(two.recall(credential), undefined)
  assert.equal(await two.sessions.find(credential), undefined)
})

test('SC-10: the use of a session and its new tokens are seen by every replica within a second', async (t) => {
  const { one, two, session, credential } = await build(t)
  await until(() => Math.floor(now()) > session.lastUsedAt)
  const used = await two.sessions.touch(session, { exact: true })
  assert.ok(used)
  const tokens = { ...session.record.tokens, accessToken: 'access-2' }
  const updated = await two.sessions.update(used, tokens)
  const updatedAt = performance.now()
  assert.deepEqual(await two.sessions.find(credential), updated)
  await secondAfter(updatedAt)
  assert.deepEqual(await one.sessions.find(credential), updated)
  assert.deepEqual([updated?.lastUsedAt, updated?.record.tokens], [used.lastUsedAt, tokens])
})

test('a use alone is told as well: it is written beside the record', async (t) => {
  const { one, two, key, credential } = await build(t)
  await one.store.set(`${key}:used`, 'whatever', 100)
  await until(() => two.told.includes(`${key}:used`))
  assert.equal(two.recall(credential), undefined)
})

test('a read that began before the end of a session and is answered after it puts nothing into memory', async (t) => {
  const { proxy, one, two, session, key, credential } = await build(t)
  proxy.hold('commands')
  const reading = two.sessions.reload(session)
  await until(() => proxy.held('commands') > 0) // Redis has answered.
  await one.sessions.end(key, 'logout')
  await until(() => two.told.includes(key))
  proxy.release('commands')
  assert.deepEqual(await reading, session, 'it saw what was there')
  assert.equal(two.recall(credential), undefined)
  assert.equal(await two.sessions.find(credential), undefined)
})

test('a replica that hears nothing any more serves nothing from memory after a second, though its connection is open', async (t) => {
  const { proxy, one, two, key, credential } = await build(t)
  proxy.hold('changes')
  await one.sessions.end(key, 'logout')
  const endedAt = performance.now()
  await secondAfter(endedAt)
  assert.equal(two.recall(credential), undefined)
  assert.equal(await two.sessions.find(credential), undefined)
})

test('what ended while a replica did not listen is gone from its memory when it listens again', async (t) => {
  const { redis, proxy, one, two, key, credential } = await build(t)
  proxy.route('changes', 1) // Nobody is there.
  proxy.cut('changes')
  await until(() => !two.isCurrent())
  await one.sessions.end(key, 'logout')
  proxy.route('changes', redis.port)
  await until(two.isCurrent)
  assert.equal(two.recall(credential), undefined)
  assert.equal(await two.sessions.find(credential), undefined)
})

test('a replica that is led to another Redis relies on that one alone, whatever the earlier one tells or does not tell', async (t) => {
  const { proxy, two } = await build(t)
  const other = await startRedis(t)
  const there = await startRememberingReplica(t, other.url)
  proxy.route('commands', other.port)
  proxy.cut('commands')
  const { credential, key } = await there.sessions.create(newSession(now()))
  for (let read = 0; read < 3; read++) await until(async () => (await two.sessions.find(credential)) !== undefined)
  await there.sessions.end(key, 'logout')
  const endedAt = performance.now()
  await secondAfter(endedAt)
  assert.equal(two.recall(credential), undefined)
  assert.equal(await two.sessions.find(credential), undefined)
})

test('a database that was emptied is empty in memory as well, within a second', async (t) => {
  const { redis, one, two, credential } = await build(t)
  await askRedis(redis.port, 'FLUSHALL')
  const emptiedAt = performance.now()
  await secondAfter(emptiedAt)
  for (const replica of [one, two]) assert.equal(await replica.sessions.find(credential), undefined)
})

test('while Redis hangs, memory serves for a second at most', async (t) => {
  const { redis, one, two, credential } = await build(t)
  redis.pause()
  const pausedAt = performance.now()
  await secondAfter(pausedAt)
  for (const replica of [one, two]) assert.equal(replica.recall(credential), undefined)
  redis.resume()
  for (const replica of [one, two]) await remember(replica, credential)
})
