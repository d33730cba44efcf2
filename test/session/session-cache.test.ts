import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createSessionEvents } from '../../src/session/events.ts'
import { createSessionCache } from '../../src/session/session-cache.ts'
import { sessionKey } from '../../src/session/session-keys.ts'
import { createSessions } from '../../src/session/sessions.ts'
import { buildService, createTestStore, newSession, type TestStore } from '../plugins/build-service.ts'

const KEYS: readonly unknown[] = []

const session = (key: string, lastUsedAt = 0) => ({
  key,
  credential: `b_${key}`,
  lastUsedAt,
  record: {
    ...newSession(0),
    version: 1 as const,
    generation: 1,
    id: key,
    createdAt: 0,
    expiresAt: 1000,
    idleS: 100,
  },
})

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

test('the cache holds two generations at most, and keeps what is asked for', () => {
  const cache = createSessionCache(3, () => KEYS)
  for (let at = 0; at < 100; at++) {
    cache.put(session(`k${at}`))
    assert.ok(cache.get('b_k0'), `asked for after ${at} others`)
  }
  const held = Array.from({ length: 100 }, (_, at) => cache.get(`b_k${at}`)).filter((found) => found !== undefined)
  assert.ok(held.length <= 6, `${held.length} held`)
})

test('the cache gives the last value that was put, also when an older generation holds an earlier one', () => {
  const cache = createSessionCache(2, () => KEYS)
  cache.put(session('k', 1))
  for (const other of ['a', 'b']) cache.put(session(other)) // `k` is old now.
  cache.put(session('k', 2))
  for (const other of ['c', 'd', 'e']) cache.put(session(other))
  assert.ok([2, undefined].includes(cache.get('b_k')?.lastUsedAt))
})

test('the cache forgets in both generations', () => {
  const cache = createSessionCache(2, () => KEYS)
  for (const key of ['old', 'a', 'young']) cache.put(session(key))
  for (const key of ['old', 'young']) {
    assert.ok(cache.get(`b_${key}`))
    cache.delete(key)
    assert.equal(cache.get(`b_${key}`), undefined)
  }
})

test('what was read is kept only when nothing was written or forgotten meanwhile', () => {
  const cache = createSessionCache(10, () => KEYS)
  const first = cache.mark()
  cache.putUnlessChanged(session('k'), first)
  assert.ok(cache.get('b_k'))
  const second = cache.mark()
  cache.delete('k')
  cache.putUnlessChanged(session('k'), second)
  assert.equal(cache.get('b_k'), undefined)
  const third = cache.mark()
  cache.put(session('other'))
  cache.putUnlessChanged(session('k'), third)
  assert.equal(cache.get('b_k'), undefined)
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
    await store.delete(key) // As another replica would end it.
    assert.equal((await sessions.find(credential)) === undefined, isAsked)
  })
}

test('a change of the sealing keys empties the cache, and a read that was under way does not fill it again', () => {
  let keys: readonly unknown[] = ['old']
  const cache = createSessionCache(10, () => keys)
  cache.put(session('a'))
  assert.ok(cache.get('b_a'))
  const mark = cache.mark()
  keys = ['new', 'old']
  assert.equal(cache.get('b_a'), undefined)
  cache.putUnlessChanged(session('a'), mark)
  assert.equal(cache.get('b_a'), undefined)
})

test('a generation holds as many as it may, and the first of all go with the third', () => {
  const cache = createSessionCache(3, () => KEYS)
  for (let at = 0; at < 7; at++) cache.put(session(`k${at}`))
  assert.deepEqual(
    Array.from({ length: 7 }, (_, at) => cache.get(`b_k${at}`) !== undefined),
    [false, false, false, true, true, true, true],
  )
})

test('what was read is not kept either when one was written and one forgotten meanwhile', () => {
  let keys: readonly unknown[] = ['old']
  const cache = createSessionCache(10, () => keys)
  const first = cache.mark()
  cache.put(session('other'))
  cache.delete('k')
  cache.putUnlessChanged(session('k'), first)
  assert.equal(cache.get('b_k'), undefined)
  const second = cache.mark()
  keys = ['new']
  assert.equal(cache.get('b_other'), undefined)
  cache.put(session('other'))
  cache.putUnlessChanged(session('k'), second)
  assert.equal(cache.get('b_k'), undefined)
})
