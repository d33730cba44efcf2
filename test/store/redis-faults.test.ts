import assert from 'node:assert/strict'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openStore } from '../../src/store/index.ts'
import type { Store } from '../../src/store/store.ts'
import { askRedis, startRedis } from '../support/redis.ts'
import { recover } from './recover.ts'
import { assertAllFail, UNAVAILABLE, VERB_MAX_MS } from './subject.ts'

async function open(t: TestContext, url: string): Promise<Store> {
  const store = await openStore(url, { now: () => 1000 })
  t.after(() => store.close())
  return store
}

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}

/** What an operator could get to see of an error: all of it, however deep. */
async function fullText(failing: Promise<unknown>): Promise<string> {
  const error = await failing.then(
    () => assert.fail('did not fail'),
    (reason: unknown) => reason,
  )
  return inspect(error, { depth: Infinity, showHidden: true })
}

/** How many of ten thousand calls at once fail. */
async function countFailures(call: (n: number) => Promise<unknown>): Promise<number> {
  const outcomes = await Promise.allSettled(Array.from({ length: 10_000 }, (_, n) => call(n)))
  return outcomes.filter(({ status }) => status === 'rejected').length
}

/** What is left after the garbage is collected. */
function retainedMb(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 1e6
}

test('redis store: a Redis that hangs fails every verb in time, and is used again once it answers', async (t) => {
  const redis = await startRedis(t)
  const store = await open(t, redis.url)
  await store.set('kept', 'v', 100)
  await store.subscribe('c', () => {})
  redis.pause()
  await assertAllFail(store)
  await assertAllFail(store)
  redis.resume()
  const tookMs = await recover(async () => assert.equal(await store.get('kept'), 'v'))
  t.diagnostic(`back after ${Math.round(tookMs)} ms`)
})

test('redis store: callers of a Redis that hangs do not pile up, and soon are refused at once', async (t) => {
  const redis = await startRedis(t)
  const store = await open(t, redis.url)
  const value = 'v'.repeat(2_000)
  await store.set('k', value, 100)
  redis.pause()
  const before = retainedMb()
  const startedAt = performance.now()
  assert.equal(await countFailures((n) => store.set(`k${n}`, value, 100)), 10_000)
  const firstMs = performance.now() - startedAt
  assert.ok(firstMs < 3 * VERB_MAX_MS, `${firstMs} ms`) // Ten thousand errors take their time to be made.
  await recover(async () => {
    const askedAt = performance.now()
    await assert.rejects(store.get('k'), UNAVAILABLE)
    assert.ok(performance.now() - askedAt < 500, 'still waits for an answer')
  })
  const usedBefore = process.cpuUsage()
  for (let round = 0; round < 3; round++) await countFailures(() => store.set('k', value, 100))
  const { user, system } = process.cpuUsage(usedBefore)
  const refusalUs = (user + system) / 30_000
  assert.ok(refusalUs < 300, `${refusalUs} µs for a refusal`)
  const keptMb = retainedMb() - before
  t.diagnostic(`40 000 failed calls keep ${keptMb.toFixed(1)} MB; ${refusalUs.toFixed(1)} µs for a refusal`)
  // Of the first ten thousand, which were sent: with the command, and on its way to the socket.
  assert.ok(keptMb < 100, `${keptMb} MB`)
  redis.resume()
  await recover(() => store.ping())
})

test('redis store: a command whose answer was lost fails, and is not sent again', async (t) => {
  const redis = await startRedis(t)
  let swallow = false
  const proxy = createServer((near) => {
    const far = connect(redis.port, '127.0.0.1')
    near.on('data', (bytes) => far.write(bytes))
    far.on('data', (bytes) => (swallow ? near.destroy() : near.write(bytes)))
    near.on('close', () => far.destroy())
    for (const socket of [near, far]) socket.on('error', () => {})
  })
  const store = await open(t, `redis://127.0.0.1:${await listen(t, proxy)}`)
  await store.increment('n', 100)
  swallow = true
  await assert.rejects(store.increment('n', 100), UNAVAILABLE)
  swallow = false
  await recover(() => store.ping())
  assert.equal(await store.get('n'), '2')
})

test('redis store: a short loss of the connection is not noticed', async (t) => {
  const redis = await startRedis(t)
  const store = await open(t, redis.url)
  await store.increment('n', 100)
  assert.equal(await askRedis(redis.port, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'), '1')
  assert.equal(await store.increment('n', 100), 2)
  assert.equal(await store.increment('n', 100), 3)
})

test('redis store: finds back to a Redis that was killed and started again, listeners included', async (t) => {
  const redis = await startRedis(t)
  const store = await open(t, redis.url)
  const heard: string[] = []
  let gaps = 0
  await store.subscribe(
    'c',
    (message) => heard.push(message),
    () => gaps++,
  )
  await redis.stop()
  await sleep(1200)
  await assertAllFail(store)
  const startedAt = performance.now()
  await assert.rejects(store.get('k'), UNAVAILABLE)
  assert.ok(performance.now() - startedAt < 100, 'refuses at once, after the grace')
  assert.equal(gaps, 0)
  await redis.restart()
  const tookMs = await recover(() => store.set('k', 'v', 100))
  const heardMs = await recover(async () => {
    await store.publish('c', 'after')
    await sleep(20)
    assert.ok(heard.length > 0)
  })
  assert.equal(gaps, 1)
  t.diagnostic(`back after ${Math.round(tookMs)} ms, listening after ${Math.round(tookMs + heardMs)} ms`)
  await redis.restart()
  await recover(async () => assert.equal(gaps, 2))
})

test('redis store: a listening connection that hangs is found out, and the gap is told once', async (t) => {
  const redis = await startRedis(t)
  const store = await open(t, redis.url)
  const heard: string[] = []
  let gaps = 0
  await store.subscribe(
    'c',
    (message) => heard.push(message),
    () => gaps++,
  )
  redis.pause()
  await sleep(5_000)
  redis.resume()
  await recover(async () => assert.equal(gaps, 1))
  await recover(() => store.publish('c', 'after'))
  await recover(async () => assert.deepEqual(heard, ['after']))
  assert.equal(gaps, 1)
})

test('redis store: opens while Redis is down, fails meanwhile, and works when it comes', async (t) => {
  const redis = await startRedis(t)
  await redis.stop()
  const startedAt = performance.now()
  const store = await open(t, redis.url)
  assert.ok(performance.now() - startedAt < 500)
  await assertAllFail(store)
  assert.match(await fullText(store.get('k')), /no connection to Redis: connect ECONNREFUSED/)
  await redis.restart()
  const tookMs = await recover(() => store.set('k', 'v', 100))
  t.diagnostic(`there after ${Math.round(tookMs)} ms`)
  const arrived = Promise.withResolvers<string>()
  await recover(() => store.subscribe('c', arrived.resolve))
  await store.publish('c', 'hello')
  assert.equal(await arrived.promise, 'hello')
})

test('redis store: opens while Redis hangs, and works when it answers', async (t) => {
  const redis = await startRedis(t)
  redis.pause()
  const store = await open(t, redis.url)
  await assertAllFail(store)
  redis.resume()
  await recover(() => store.set('k', 'v', 100))
})

test('redis store: the wrong password is told, and not shown', async (t) => {
  const redis = await startRedis(t, ['--requirepass', 'right'])
  const store = await open(t, `redis://bff-user:hunter2@127.0.0.1:${redis.port}`)
  await assertAllFail(store)
  const text = await fullText(store.get('k'))
  assert.match(text, /WRONGPASS invalid username-password pair or user is disabled/)
  assert.doesNotMatch(text, /hunter2|bff-user|redis:\/\//)
  const without = await open(t, redis.url)
  assert.match(await fullText(without.get('k')), /NOAUTH/)
})

test('redis store: what a server repeats of our commands is not shown', async (t) => {
  const answer = (socket: Socket) => {
    socket.on('error', () => {})
    socket.on('data', () => socket.write("-ERR unknown command 'auth', with args beginning with: 'bff' 'hunter2'\r\n"))
  }
  const store = await open(t, `redis://bff:hunter2@127.0.0.1:${await listen(t, createServer(answer))}`)
  const text = await fullText(store.get('k'))
  assert.match(text, /unknown command 'auth'/)
  assert.doesNotMatch(text, /hunter2/)
})

test('redis store: neither keys nor values of a failed command are shown', async (t) => {
  const redis = await startRedis(t)
  const store = await open(t, redis.url)
  await store.set('key-hunter2', 'value-hunter2', 100)
  assert.doesNotMatch(await fullText(store.addMember('key-hunter2', 'member-hunter2', 10)), /hunter2/)
  redis.pause()
  assert.doesNotMatch(await fullText(store.set('key-hunter2', 'value-hunter2', 10)), /hunter2/)
})

test('redis store: a primary that became a replica is left, and used again when it is one no more', async (t) => {
  const primary = await startRedis(t)
  const other = await startRedis(t)
  const store = await open(t, primary.url)
  await store.set('k', 'v', 100)
  await askRedis(primary.port, 'REPLICAOF', '127.0.0.1', `${other.port}`)
  const connectionId = async () => /id=(\d+) .*name=oten-bff /.exec(await askRedis(primary.port, 'CLIENT', 'LIST'))?.[1]
  const before = await connectionId()
  assert.ok(before !== undefined)
  await assert.rejects(store.set('k', 'w', 100), UNAVAILABLE)
  await recover(async () => assert.ok(![undefined, before].includes(await connectionId())))
  await askRedis(primary.port, 'REPLICAOF', 'NO', 'ONE')
  await recover(() => store.set('k', 'x', 100))
  assert.equal(await store.get('k'), 'x')
})

test('redis store: close is quick while Redis hangs or is gone, and nothing keeps running', async (t) => {
  const redis = await startRedis(t)
  const store = await open(t, redis.url)
  await store.subscribe('c', () => {})
  redis.pause()
  const pending = Promise.allSettled([store.get('k'), store.take('k')])
  const startedAt = performance.now()
  await store.close()
  await pending
  assert.ok(performance.now() - startedAt < 1_000)
  const late = await open(t, redis.url)
  await late.close()
  await redis.stop()
  const gone = await open(t, redis.url)
  const waiting = assert.rejects(gone.get('k'), UNAVAILABLE)
  await gone.close()
  await waiting
  await sleep(500)
  assert.deepEqual(
    process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap' || name === 'TCPConnectWrap'),
    [],
  )
})
