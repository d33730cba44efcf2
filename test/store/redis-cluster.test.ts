import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { createRedisStore } from '../../src/store/redis-store.ts'
import type { Store } from '../../src/store/store.ts'
import { askRedis, startRedis } from '../support/redis.ts'
import { recover } from './recover.ts'
import { startCluster, type Topology } from './redis-topologies.ts'
import { testStore } from './store-contract.ts'
import { assertAllFail, UNAVAILABLE } from './subject.ts'

const cluster = await startCluster({ after })
let tests = 0

function open(t: TestContext, url = `${cluster.url}&prefix=test-${++tests}`): Store {
  const store = createRedisStore(url)
  t.after(() => store.close())
  return store
}

/** Begins to move the slot of a key, which is there, to another node. */
async function startMigration({ servers }: Topology, key: string) {
  const ports = servers.map(({ port }) => port)
  const answers = await Promise.all(ports.map((port) => askRedis(port, 'EXISTS', key)))
  const from = ports[answers.indexOf('1')] ?? 0
  const to = ports.find((port) => port !== from) ?? 0
  const [fromId, toId] = [await askRedis(from, 'CLUSTER', 'MYID'), await askRedis(to, 'CLUSTER', 'MYID')]
  const slot = await askRedis(from, 'CLUSTER', 'KEYSLOT', key)
  await askRedis(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId)
  await askRedis(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId)
  return { slot, from, to, toId }
}

testStore('redis cluster', 'never', (t) => ({ store: open(t), advance: (seconds) => sleep(seconds * 1000) }))

test('redis cluster: keys are spread over the nodes, those with one hash tag lie together', async (t) => {
  const store = open(t, `${cluster.url}&prefix=spread`)
  for (let n = 0; n < 60; n++) {
    await store.set(`session:{${n}}`, 'v', 100)
    await store.set(`session:{${n}}:used`, 'v', 100)
    await store.addMember(`sub:{${n}}`, 'm', 100)
  }
  assert.equal(new Set(await Array.fromAsync(store.scan(''))).size, 180)
  const places = await Promise.all(cluster.servers.map(({ port }) => askRedis(port, 'KEYS', 'spread:*')))
  for (const place of places) {
    const tags = Map.groupBy(place.split('\n'), (key) => /{\d+}/.exec(key)?.[0])
    assert.ok(tags.size > 5)
    for (const [tag, keys] of tags) assert.equal(keys.length, 3, tag)
  }
})

test('redis cluster: one node is enough to find the others', async (t) => {
  const store = open(t, `redis://127.0.0.1:${cluster.servers[1]?.port}?cluster=true&prefix=one`)
  for (let n = 0; n < 20; n++) await store.set(`k${n}`, 'v', 100)
  assert.equal(new Set(await Array.fromAsync(store.scan(''))).size, 20)
})

test('redis cluster: a slot that moves takes its keys along, unnoticed', async (t) => {
  const store = open(t, `${cluster.url}&prefix=move`)
  await store.set('{k}', 'v', 100)
  const { slot, from, to, toId } = await startMigration(cluster, 'move:{k}')
  await store.set('{k}:new', 'asked', 100) // ASK: not there any more, and written to the other node.
  assert.equal(await store.get('{k}:new'), 'asked')
  assert.equal(await store.increment('{k}:count', 100), 1)
  assert.equal(await store.get('{k}'), 'v')
  const keys = await askRedis(from, 'CLUSTER', 'GETKEYSINSLOT', slot, '1000')
  for (const key of keys.split('\n')) await askRedis(from, 'MIGRATE', '127.0.0.1', `${to}`, key, '0', '1000')
  for (const port of [to, from]) await askRedis(port, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId)
  assert.equal(await store.get('{k}'), 'v') // MOVED
  assert.equal(await store.increment('{k}:count', 100), 2)
})

test('redis cluster: a node that dies while a slot moves to it does not take us along', async (t) => {
  const own = await startCluster(t)
  const store = open(t, own.url)
  await store.set('{k}', 'v', 100)
  const { to } = await startMigration(own, 'oten-bff:{k}')
  await own.servers.find(({ port }) => port === to)?.stop()
  await assert.rejects(store.set('{k}:new', 'asked', 100), UNAVAILABLE)
})

test('redis cluster: a node that is killed and comes back is used again, and so is the whole', async (t) => {
  const own = await startCluster(t)
  const store = open(t, own.url)
  const heard: string[] = []
  let gaps = 0
  const onGap = () => void gaps++
  await store.subscribe('c', (message) => void heard.push(message), onGap)
  const writeAll = () => Promise.all(Array.from({ length: 30 }, (_, n) => store.set(`k${n}`, 'v', 100)))
  await writeAll()
  await own.servers[0]?.stop()
  await assert.rejects(writeAll(), UNAVAILABLE)
  await own.servers[0]?.restart()
  t.diagnostic(`one node: back after ${Math.round(await recover(writeAll))} ms`)

  for (const server of own.servers) server.pause()
  await assertAllFail(store)
  for (const server of own.servers) server.resume()
  t.diagnostic(`all hung: back after ${Math.round(await recover(writeAll))} ms`)

  await Promise.all(own.servers.map((server) => server.stop()))
  await sleep(1200)
  await assertAllFail(store)
  await Promise.all(own.servers.map((server) => server.restart()))
  t.diagnostic(`all killed: back after ${Math.round(await recover(writeAll))} ms`)
  await recover(() => assert.ok(gaps > 0))
  heard.length = 0
  await recover(async () => {
    await store.publish('c', 'after')
    await sleep(50)
    assert.ok(heard.includes('after'))
  })
  assert.equal(new Set(await Array.fromAsync(store.scan('k'))).size, 30)
})

test('redis cluster: opens while the cluster is down, and works when it comes', async (t) => {
  const own = await startCluster(t)
  await Promise.all(own.servers.map((server) => server.stop()))
  const store = open(t, own.url)
  await assertAllFail(store)
  await Promise.all(own.servers.map((server) => server.restart()))
  await recover(() => store.set('k', 'v', 100))
})

test('redis cluster: scan fails rather than leaving out a node that is gone', async (t) => {
  const own = await startCluster(t)
  const store = open(t, own.url)
  for (let n = 0; n < 30; n++) await store.set(`k${n}`, 'v', 100)
  await own.servers[2]?.stop()
  await assert.rejects(Array.fromAsync(store.scan('')), UNAVAILABLE)
  await sleep(500)
  await assert.rejects(Array.fromAsync(store.scan('')), UNAVAILABLE)
})

test('redis cluster: a server that is no cluster is store_unavailable, and told', async (t) => {
  const single = await startRedis(t)
  const store = open(t, `${single.url}?cluster=true`)
  await assert.rejects(store.get('k'), UNAVAILABLE)
  await assert.rejects(store.get('k'), (error: Error) => /cluster support disabled/.test(String(error.cause)))
})

test('redis cluster: the wrong password is told, and not shown', async (t) => {
  const node = await startRedis(t, ['--cluster-enabled', 'yes', '--requirepass', 'right'])
  const store = open(t, `redis://:hunter2@127.0.0.1:${node.port}?cluster=true`)
  await assert.rejects(store.get('k'), (error: Error) => {
    assert.match(String(error.cause), /WRONGPASS/)
    assert.doesNotMatch(inspect(error, { depth: Infinity, showHidden: true }), /hunter2/)
    return true
  })
})
