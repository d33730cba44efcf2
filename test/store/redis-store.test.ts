import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRedisStore } from '../../src/store/redis-store.ts'
import { askRedis, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { testStore } from './store-contract.ts'
import { watchStore } from './watch-store.ts'

const server = await startRedis({ after })
let tests = 0

function open(t: TestContext, suffix = `?prefix=test-${++tests}`) {
  const store = createRedisStore(server.url + suffix)
  t.after(() => store.close())
  return store
}

const ask = (...command: string[]): Promise<string> => askRedis(server.port, ...command)

testStore('redis', 'told', (t) => ({ store: open(t), advance: (seconds) => sleep(seconds * 1000) }))

test('redis store: is one of several writers', (t) => {
  assert.equal(open(t).exclusive, false)
})

test('redis store: every key begins with oten-bff: or the prefix, also what scan finds', async (t) => {
  const ours = open(t, '')
  const other = open(t, '?prefix=other.shop-2_x')
  for (const store of [ours, other]) {
    await store.set('session:{a}', 'v', 10)
    await store.addMember('user:{b}', 'm', 10)
    await store.increment('fence:{a}', 10)
    assert.deepEqual((await Array.fromAsync(store.scan(''))).sort(), ['fence:{a}', 'session:{a}', 'user:{b}'])
  }
  assert.deepEqual((await ask('KEYS', 'o*{[ab]}')).split('\n').sort(), [
    'oten-bff:fence:{a}',
    'oten-bff:session:{a}',
    'oten-bff:user:{b}',
    'other.shop-2_x:fence:{a}',
    'other.shop-2_x:session:{a}',
    'other.shop-2_x:user:{b}',
  ])
  await ours.delete('session:{a}')
  assert.equal(await other.get('session:{a}'), 'v')
})

test('redis store: nothing is written without an end', async (t) => {
  const store = open(t)
  await store.set('set', 'v', 100)
  await store.add('add', 'v', 100)
  await store.set('replace', 'v', 1000)
  await store.replace('replace', 'w', 100)
  await store.set('swap', 'v', 1000)
  await store.swap('swap', 'v', 'w', 100)
  await store.increment('increment', 1000)
  await store.increment('increment', 100)
  await store.set('expire', 'v', 1000)
  await store.expire('expire', 100)
  await store.addMember('members', 'a', 100)
  await store.addMember('members', 'b', 10)
  await store.addMember('removed', 'a', 1000)
  await store.addMember('removed', 'b', 100)
  await store.removeMember('removed', 'a')
  await store.removeMember('never there', 'a')
  const keys = await Array.fromAsync(store.scan(''))
  assert.equal(keys.length, 8)
  for (const key of keys) {
    const ttlMs = Number(await ask('PTTL', `test-${tests}:${key}`))
    assert.ok(ttlMs > 98_000 && ttlMs <= 100_000, `${key}: ${ttlMs} ms`)
  }
})

test('redis store: a set gives back the room of members that have ended', async (t) => {
  const store = open(t)
  const count = () => ask('ZCARD', `test-${tests}:s`)
  for (let n = 0; n < 10; n++) await store.addMember('s', `short ${n}`, 1)
  await store.addMember('s', 'long', 100)
  assert.equal(await count(), '11')
  await sleep(1100)
  await store.addMember('s', 'another', 100)
  assert.equal(await count(), '2')
})

test('redis store: two databases of one Redis know nothing of each other, messages included', async (t) => {
  const [zero, three] = [open(t, '/0'), open(t, '/3')]
  const heard: string[] = []
  const arrived = Promise.withResolvers<void>()
  await zero.subscribe('c', (message) => void heard.push(message))
  await three.subscribe('c', () => arrived.resolve())
  await three.set('k', 'v', 10)
  await three.publish('c', 'to three')
  await arrived.promise
  assert.equal(await zero.get('k'), undefined)
  assert.deepEqual(heard, [])
})

test('redis store: a message reaches the other replicas', async (t) => {
  const [one, two] = [open(t, ''), open(t, '')]
  const arrived = Promise.withResolvers<string>()
  await two.subscribe('c', arrived.resolve)
  await one.publish('c', 'hello')
  assert.equal(await arrived.promise, 'hello')
})

test('redis store: a database that does not exist is store_unavailable, not database 0', async (t) => {
  const store = open(t, '/9999')
  await assert.rejects(store.set('k', 'v', 10), { code: 'store_unavailable' })
  await assert.rejects(store.set('k', 'v', 10), (error: Error) => /out of range/.test(String(error.cause)))
  assert.equal(await ask('EXISTS', 'oten-bff:k'), '0')
})

test('redis store: signs in with user and password, percent-encoded in the URL', async (t) => {
  const secret = 'p@ss:w/rd?#[]&=%ü'
  const locked = await startRedis(t, [
    '--requirepass',
    secret,
    '--user',
    'bff',
    'on',
    `>${secret}`,
    '~*',
    '&*',
    '+@all',
  ])
  for (const user of ['', 'bff']) {
    const store = createRedisStore(`redis://${user}:${encodeURIComponent(secret)}@127.0.0.1:${locked.port}`)
    t.after(() => store.close())
    await store.set('k', user, 10)
    assert.equal(await store.get('k'), user)
    await store.subscribe('c', () => {})
  }
})

test('redis store: works with no more rights than it needs, on its own keys and channels', async (t) => {
  const commands =
    'get set getdel del expire incr zadd zrem zrange zrevrange zremrangebyscore pexpireat time scan publish'
  const connection = [
    'subscribe',
    'unsubscribe',
    'ping',
    'info',
    'select',
    'eval',
    'evalsha',
    'client|id',
    'client|tracking',
  ]
  const rights = [...commands.split(' '), ...connection]
  const rules = ['~oten-bff:*', '&oten-bff:*', '&__redis__:invalidate', ...rights.map((command) => `+${command}`)]
  const strict = await startRedis(t, ['--user', 'default', 'off', '--user', 'bff', 'on', '>hunter2', ...rules])
  const store = createRedisStore(`redis://bff:hunter2@127.0.0.1:${strict.port}/1`)
  t.after(() => store.close())
  await store.set('k', 'v', 10)
  await store.replace('k', 'w', 10)
  await store.swap('k', 'w', 'x', 10)
  await store.expire('k', 10)
  assert.equal(await store.take('k'), 'x')
  await store.add('k', 'v', 10)
  await store.deleteIf('k', 'v')
  await store.delete('k')
  assert.equal(await store.increment('n', 10), 1)
  await store.addMember('s', 'm', 10)
  assert.deepEqual(await store.members('s'), ['m'])
  await store.removeMember('s', 'm')
  assert.deepEqual(await Array.fromAsync(store.scan('')), ['n'])
  const leave = await store.subscribe('c', () => {})
  await store.publish('c', 'm')
  leave()
  await store.ping()
  const watched = watchStore(store)
  await until(watched.isCurrent)
  await store.set('watched:a', 'v', 10)
  await until(() => watched.told.includes('watched:a'))
})

test('redis store: a forgotten script is sent again', async (t) => {
  const store = open(t)
  assert.equal(await store.increment('n', 10), 1)
  assert.equal(await store.increment('n', 10), 2)
  await ask('SCRIPT', 'FLUSH')
  assert.equal(await store.increment('n', 10), 3)
})

test('redis store: ten thousand callers at once are all served', async (t) => {
  const store = open(t)
  const numbers = await Promise.all(Array.from({ length: 10_000 }, () => store.increment('n', 10)))
  assert.equal(new Set(numbers).size, 10_000)
  assert.equal(await store.get('n'), '10000')
})

test('redis store: the first to listen is served, however long the store was open before', async (t) => {
  const redis = await startRedis(t)
  const store = createRedisStore(redis.url)
  t.after(() => store.close())
  await store.set('k', 'v', 10)
  await sleep(1200) // Longer than a connection may be missing before callers are refused at once.
  const arrived = Promise.withResolvers<string>()
  await store.subscribe('c', arrived.resolve)
  await store.publish('c', 'heard')
  assert.equal(await arrived.promise, 'heard')
})
