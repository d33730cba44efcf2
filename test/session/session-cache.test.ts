import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createSessionEvents } from '../../src/session/events.ts'
import { createSessionCache, type SessionCache } from '../../src/session/session-cache.ts'
import { sessionKey } from '../../src/session/session-keys.ts'
import { createSessions } from '../../src/session/sessions.ts'
import { buildService, createTestStore, newSession, type TestStore } from '../plugins/build-service.ts'
import { countObjects } from './count-objects.ts'

const KEYS: readonly unknown[] = []

const createCache = (generationMax: number, isCurrent?: () => boolean) =>
  createSessionCache(generationMax, () => KEYS, isCurrent)

const session = (key: string, lastUsedAt = 0) => ({
  key,
  credential: `b_${key}`,
  lastUsedAt,
  record: {
    ...newSession(0),
    generation: 1,
    id: key,
    createdAt: 0,
    expiresAt: 1000,
    idleS: 100,
  },
})

/** A read of the cache's that finds a session at once. */
const fill = (cache: SessionCache, key: string, lastUsedAt?: number) =>
  cache.keep(key, async () => session(key, lastUsedAt))

/** A read of the cache's that finds a session when told. */
function beginFill(cache: SessionCache, key: string, lastUsedAt?: number) {
  const { promise, resolve } = Promise.withResolvers<void>()
  const filled = cache.keep(key, async () => {
    await promise
    return session(key, lastUsedAt)
  })
  return async () => {
    resolve()
    return filled
  }
}

/** A store whose reads, made while it is slow, answer only when told. */
function createSlowStore(): TestStore & { slow: boolean; answerReads(): void } {
  const store = createTestStore()
  const waiting: (() => void)[] = []
  const slowness = { slow: false, answerReads: () => waiting.splice(0).forEach((resolve) => void resolve()) }
  const get = async (key: string): Promise<string | undefined> => {
    const value = await store.get(key) // What was there when it was asked.
    if (slowness.slow) await new Promise<void>((resolve) => waiting.push(resolve))
    return value
  }
  return new Proxy(Object.assign(slowness, { get }) as ReturnType<typeof createSlowStore>, {
    get: (target, name: keyof TestStore) => target[name] ?? store[name],
  })
}

/** A session in a slow store, and sessions that have not loaded it yet. */
async function buildRace(t: TestContext) {
  const store = createSlowStore()
  const { config, time, plant, seal } = await buildService(t, { store })
  const credential = await plant()
  const sessions = createSessions({ store, seal, events: createSessionEvents(store), config, now: () => time.now })
  /** Begins a load whose reads are made and not yet answered. */
  const beginLoad = async () => {
    store.slow = true
    const load = sessions.find(credential)
    await new Promise((resolve) => setImmediate(resolve))
    store.slow = false
    return async () => {
      store.answerReads()
      return load
    }
  }
  return { sessions, credential, beginLoad, time, key: sessionKey(credential) }
}

test('SC-09: a session that ends while it is being loaded is never served from memory afterwards', async (t) => {
  const { sessions, credential, beginLoad, key } = await buildRace(t)
  const finishLoad = await beginLoad()
  await sessions.end(key, 'logout')
  await finishLoad()
  assert.equal(await sessions.find(credential), undefined)
})

test('SC-09: a session that ends after it was loaded is gone from memory before the store has answered', async (t) => {
  const { sessions, credential, key } = await buildRace(t)
  assert.ok(await sessions.find(credential))
  const ended = sessions.end(key, 'logout')
  const found = sessions.find(credential)
  await ended
  assert.equal(await found, undefined)
})

test('a load that began before a use does not put the older use in memory', async (t) => {
  const { sessions, credential, beginLoad, time } = await buildRace(t)
  const finishLoad = await beginLoad()
  const session = await sessions.find(credential)
  assert.ok(session)
  time.now += 1000
  await sessions.touch(session, { exact: true })
  await finishLoad()
  assert.equal((await sessions.find(credential))?.lastUsedAt, time.now)
})

test('SC-10: what memory holds is over at its limit like anything else', async (t) => {
  const { sessions, credential, time } = await buildRace(t)
  assert.ok(await sessions.find(credential))
  time.now += 3600
  assert.equal(await sessions.find(credential), undefined)
})

test('the cache holds two generations at most, and keeps what is asked for', async () => {
  const cache = createCache(3)
  for (let at = 0; at < 100; at++) {
    await fill(cache, `k${at}`)
    assert.ok(cache.get('b_k0'), `asked for after ${at} others`)
  }
  const held = Array.from({ length: 100 }, (_, at) => cache.get(`b_k${at}`)).filter((found) => found !== undefined)
  assert.ok(held.length <= 6, `${held.length} held`)
})

test('a generation holds as many as it may, and the first of all go with the third', async () => {
  const cache = createCache(3)
  for (let at = 0; at < 7; at++) await fill(cache, `k${at}`)
  assert.deepEqual(
    Array.from({ length: 7 }, (_, at) => cache.get(`b_k${at}`) !== undefined),
    [false, false, false, true, true, true, true],
  )
})

test('the cache gives the last value that was read, also when an older generation holds an earlier one', async () => {
  const cache = createCache(2)
  await fill(cache, 'k', 1)
  for (const other of ['a', 'b']) await fill(cache, other) // `k` is old now.
  await fill(cache, 'k', 2)
  for (const other of ['c', 'd', 'e']) await fill(cache, other)
  assert.ok([2, undefined].includes(cache.get('b_k')?.lastUsedAt))
})

test('the cache forgets in both generations, one or all', async () => {
  const cache = createCache(2)
  const fillAll = async () => {
    for (const key of ['old', 'a', 'young']) await fill(cache, key)
  }
  await fillAll()
  for (const key of ['old', 'young']) {
    assert.ok(cache.get(`b_${key}`))
    cache.forget(key)
    assert.equal(cache.get(`b_${key}`), undefined)
  }
  assert.ok(cache.get('b_a'))
  await fillAll()
  cache.forgetAll()
  for (const key of ['old', 'a', 'young']) assert.equal(cache.get(`b_${key}`), undefined)
})

for (const [what, forget] of [
  ['it', (cache: SessionCache) => cache.forget('k')],
  ['all', (cache: SessionCache) => cache.forgetAll()],
] as const) {
  test(`what was read is not kept when ${what} was forgotten meanwhile, by none of several reads; what is read later is`, async () => {
    const cache = createCache(10)
    const finish = [beginFill(cache, 'k'), beginFill(cache, 'k')]
    forget(cache)
    const finishLater = beginFill(cache, 'k', 2)
    for (const finishThis of finish) assert.equal((await finishThis())?.key, 'k', 'it is found all the same')
    assert.equal(cache.get('b_k'), undefined)
    await finishLater()
    assert.equal(cache.get('b_k')?.lastUsedAt, 2)
  })
}

test('what was read is kept, whatever is forgotten of others, and also by the last of several reads', async () => {
  const cache = createCache(10)
  const finish = [beginFill(cache, 'k', 1), beginFill(cache, 'k', 2)]
  cache.forget('other')
  await finish[0]?.()
  assert.equal(cache.get('b_k')?.lastUsedAt, 1)
  await finish[1]?.()
  assert.equal(cache.get('b_k')?.lastUsedAt, 2)
})

test('a read that found nothing, or failed, keeps nothing, and the next one is as good as the first', async () => {
  const cache = createCache(10)
  assert.equal(await cache.keep('k', async () => undefined), undefined)
  await assert.rejects(
    cache.keep('k', () => Promise.reject(new Error('away'))),
    /away/,
  )
  assert.equal(cache.get('b_k'), undefined)
  await fill(cache, 'k')
  assert.ok(cache.get('b_k'))
})

test('of reads that are over, whatever they found, nothing is left', async () => {
  const cache = createCache(10)
  await fill(cache, 'first')
  const before = countObjects(Set)
  for (let n = 0; n < 500; n++) {
    await Promise.all([fill(cache, `found ${n}`), fill(cache, `found ${n}`)])
    await cache.keep(`none ${n}`, async () => undefined)
    await assert.rejects(cache.keep(`failed ${n}`, () => Promise.reject(new Error('no answer'))))
  }
  assert.equal(countObjects(Set), before)
})

test('while it is not told of changes the cache serves nothing, and what is read then is not kept', async () => {
  let isCurrent = true
  const cache = createCache(10, () => isCurrent)
  await fill(cache, 'k')
  isCurrent = false
  assert.equal(cache.get('b_k'), undefined)
  assert.equal((await fill(cache, 'other'))?.key, 'other')
  isCurrent = true
  assert.ok(cache.get('b_k'))
  assert.equal(cache.get('b_other'), undefined)
})

for (const [exclusive, isAsked] of [
  [true, false],
  [false, true],
] as const) {
  test(`a store that is ${exclusive ? 'ours alone is not asked again' : 'shared is asked every time'}`, async (t) => {
    const store = createTestStore(exclusive)
    const { seal, config, time } = await buildService(t, { store })
    const sessions = createSessions({ store, seal, events: createSessionEvents(store), config, now: () => time.now })
    const { credential, key } = await sessions.create(newSession(time.now))
    assert.ok(await sessions.find(credential))
    await store.delete(key) // As another replica would end it.
    assert.equal((await sessions.find(credential)) === undefined, isAsked)
  })
}

test('a change of the sealing keys empties the cache, and a read that was under way does not fill it again', async () => {
  let keys: readonly unknown[] = ['old']
  const cache = createSessionCache(10, () => keys)
  await fill(cache, 'a')
  assert.ok(cache.get('b_a'))
  const finish = beginFill(cache, 'a')
  keys = ['new', 'old']
  assert.equal(cache.get('b_a'), undefined)
  await finish()
  assert.equal(cache.get('b_a'), undefined)
})

test('a read that was under way when the sealing keys changed is not served, also when nobody asked in between', async () => {
  let keys: readonly unknown[] = ['old']
  const cache = createSessionCache(10, () => keys)
  const finish = beginFill(cache, 'a')
  keys = ['new', 'old']
  await finish()
  assert.equal(cache.get('b_a'), undefined)
  await fill(cache, 'a')
  assert.ok(cache.get('b_a'))
})
