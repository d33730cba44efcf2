import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRedisStore } from '../../src/store/redis-store.ts'
import type { Store } from '../../src/store/store.ts'
import { askRedis, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { recover } from './recover.ts'
import { startRedisProxy } from './redis-proxy.ts'
import { type Watched, watchStore } from './watch-store.ts'

const NO_CLIENT = ['--user', 'default', 'on', 'nopass', '~*', '&*', '+@all', '-client']

/** A Redis, a proxy before it, a store that is watched through it, and another writer that is not. */
async function build(t: TestContext, config: readonly string[] = []) {
  const redis = await startRedis(t, config)
  const proxy = await startRedisProxy(t, redis.port)
  const warnings: unknown[] = []
  const store = open(t, proxy.url, (line) => void warnings.push(line))
  const writer = open(t, redis.url)
  return { redis, proxy, store, writer, warnings }
}

function open(t: TestContext, url: string, warn: (line: unknown) => void = () => {}): Store {
  const store = createRedisStore(url, { warn })
  t.after(() => store.close())
  return store
}

/** Whether it is so at any time until then. */
async function isEverCurrent({ isCurrent }: Watched, isOver: () => boolean): Promise<boolean> {
  let isEver = false
  await until(() => {
    isEver ||= isCurrent()
    return isOver()
  }, 30_000)
  return isEver
}

test('redis watch: it tells of all changes, and leaves nothing in the database', async (t) => {
  const { redis, store, writer, warnings } = await build(t)
  const watched = watchStore(store)
  assert.equal(watched.isCurrent(), false, 'not before it is sure')
  await until(watched.isCurrent)
  const gaps = watched.gaps() // Where the other connection was later, it took more than one try.
  assert.equal(await askRedis(redis.port, 'DBSIZE'), '0')
  await writer.set('watched:a', 'v', 10)
  await until(() => watched.told.includes('watched:a'))
  assert.deepEqual([watched.gaps() - gaps, warnings], [0, []])
})

for (const command of [['FLUSHDB'], ['FLUSHALL'], ['PUBLISH', '__redis__:invalidate', 'made up']]) {
  test(`redis watch: ${command[0]} makes everything that was read doubtful, and the watch goes on`, async (t) => {
    const { redis, store, writer } = await build(t)
    const watched = watchStore(store)
    await until(watched.isCurrent)
    const gaps = watched.gaps()
    await askRedis(redis.port, ...command)
    await until(() => watched.gaps() > gaps)
    assert.equal(watched.isCurrent(), true)
    await writer.set('watched:a', 'v', 10)
    await until(() => watched.told.includes('watched:a'))
    assert.equal(watched.gaps(), gaps + 1)
  })
}

test('redis watch: a connection that breaks is a gap, and another one is found', async (t) => {
  const { redis, store, writer } = await build(t)
  const watched = watchStore(store)
  await until(watched.isCurrent)
  const gaps = watched.gaps()
  const [, id = ''] = /id=(\d+) .*name=oten-bff-changes /.exec(await askRedis(redis.port, 'CLIENT', 'LIST')) ?? []
  assert.equal(await askRedis(redis.port, 'CLIENT', 'KILL', 'ID', id), '1')
  await until(() => watched.gaps() > gaps)
  await until(watched.isCurrent)
  await writer.set('watched:a', 'v', 10)
  await until(() => watched.told.includes('watched:a'))
})

test('redis watch: while Redis is away it is not current, and it is again afterwards, with a gap in between', async (t) => {
  const { redis, store, writer } = await build(t)
  const watched = watchStore(store)
  await until(watched.isCurrent)
  const gaps = watched.gaps()
  await redis.stop()
  await until(() => watched.gaps() > gaps && !watched.isCurrent())
  await sleep(1200)
  assert.equal(watched.isCurrent(), false)
  await redis.restart()
  await until(watched.isCurrent)
  await recover(() => writer.set('watched:a', 'v', 10))
  await until(() => watched.told.includes('watched:a'))
})

test('redis watch: within a second of silence it is not current; what was held back is told before it is current again', async (t) => {
  const { proxy, store, writer } = await build(t)
  const watched = watchStore(store)
  await until(watched.isCurrent)
  const gaps = watched.gaps()
  proxy.hold('changes')
  const heldAt = performance.now()
  await writer.set('watched:a', 'v', 10)
  await until(() => performance.now() - heldAt >= 1000)
  assert.equal(watched.isCurrent(), false)
  assert.equal(watched.told.length, 0)
  proxy.release('changes')
  await until(watched.isCurrent)
  // Either it was told, or the silence was so long that it was given up: never neither.
  assert.ok(watched.told.includes('watched:a') || watched.gaps() > gaps)
})

test('redis watch: an answer that was long under way does not make it current', async (t) => {
  const { proxy, store } = await build(t)
  const watched = watchStore(store)
  await until(watched.isCurrent)
  proxy.delayMs = (purpose) => (purpose === 'changes' ? 1000 : 0)
  const slowSince = performance.now()
  await until(() => performance.now() - slowSince >= 1000)
  const untilMs = slowSince + 2500 // The first such answers have arrived.
  assert.equal(await isEverCurrent(watched, () => performance.now() > untilMs), false)
})

test('redis watch: a connection that stays silent is given up, with a gap, and another one found', async (t) => {
  const { proxy, store } = await build(t)
  const watched = watchStore(store)
  await until(watched.isCurrent)
  const gaps = watched.gaps()
  proxy.hold('changes')
  await until(() => watched.gaps() > gaps)
  assert.equal(watched.isCurrent(), false)
  proxy.release('changes')
  await until(watched.isCurrent)
})

test('redis watch: when the connection that reads breaks, what it read is doubtful: the next may be to another server', async (t) => {
  const { proxy, store } = await build(t)
  const watched = watchStore(store)
  await until(watched.isCurrent)
  const gaps = watched.gaps()
  proxy.cut('commands')
  await until(() => watched.gaps() > gaps)
  await until(watched.isCurrent)
  assert.equal(await store.get('k'), undefined)
})

test('redis watch: one to another server than the one that is read from is never current, and that is logged', async (t) => {
  const { redis, proxy, store, warnings } = await build(t)
  const other = await startRedis(t)
  proxy.route('changes', other.port)
  const watched = watchStore(store)
  assert.equal(await isEverCurrent(watched, () => warnings.length > 0), false)
  assert.deepEqual(warnings, [{ event: 'changes_untold', reason: 'it is another server' }])
  proxy.route('changes', redis.port)
  await until(watched.isCurrent)
})

test('redis watch: a server that says yes and tells nothing is never current', async (t) => {
  const { proxy, store, warnings } = await build(t)
  proxy.mute('changes')
  const watched = watchStore(store)
  assert.equal(await isEverCurrent(watched, () => warnings.length > 0), false)
  assert.deepEqual(warnings, [{ event: 'changes_untold', reason: 'it tells nothing' }])
})

for (const [what, config, reason] of [
  ['does not know the command', ['--rename-command', 'CLIENT', ''], /^ERR unknown command 'client'/i],
  ['does not allow it', NO_CLIENT, /^NOPERM/],
  ['does not let us listen', ['--user', 'default', 'on', 'nopass', '~*', '&oten-bff:*', '+@all'], /^NOPERM/],
] as const) {
  test(`redis watch: a server that ${what} is asked once for each connection, and that is logged once; all else works`, async (t) => {
    const { redis, proxy, store, warnings } = await build(t, config)
    const watched = watchStore(store)
    await until(() => warnings.length > 0)
    assert.match(String(Reflect.get(warnings[0] ?? {}, 'reason')), reason)
    const connections = async () =>
      /total_connections_received:(\d+)/.exec(await askRedis(redis.port, 'INFO', 'stats'))?.[1]
    const before = Number(await connections())
    await sleep(500) // Another try would come sooner.
    assert.equal(Number(await connections()), before + 1, 'but for the one that asks')
    await store.set('watched:a', 'v', 10)
    assert.equal(await store.get('watched:a'), 'v')
    proxy.cut('commands')
    await recover(async () => assert.equal(await store.get('watched:a'), 'v'))
    await until(async () => Number(await connections()) > before + 3)
    assert.deepEqual([watched.told, watched.isCurrent(), warnings.length], [[], false, 1])
  })
}

test('redis watch: a server that refuses may be followed by one that does not', async (t) => {
  const { proxy, store, warnings } = await build(t, NO_CLIENT)
  const watched = watchStore(store)
  await until(() => warnings.length > 0)
  assert.equal(watched.isCurrent(), false)
  const other = await startRedis(t)
  for (const purpose of ['commands', 'changes'] as const) proxy.route(purpose, other.port)
  proxy.cut('commands')
  await until(watched.isCurrent)
})

test('redis watch: a store that is closed is not current any more, and stays so', async (t) => {
  const { store } = await build(t)
  const watched = watchStore(store)
  await until(watched.isCurrent)
  await store.close()
  assert.equal(watched.isCurrent(), false)
  await sleep(500) // Another connection would be there by now.
  assert.equal(watched.isCurrent(), false)
})
