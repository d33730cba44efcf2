import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRedisStore } from '../../src/store/redis-store.ts'
import { askRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { recover } from './recover.ts'
import { startSentinel } from './redis-topologies.ts'
import { watchStore } from './watch-store.ts'

for (const fault of ['stop', 'pause'] as const) {
  const what = fault === 'stop' ? 'is killed' : 'hangs'
  test(`redis sentinel: when the primary ${what}, the replica takes over with what it has`, async (t) => {
    const { url, servers } = await startSentinel(t)
    const store = createRedisStore(`${url}&prefix=shop`)
    t.after(() => store.close())
    await store.set('kept', 'v', 100)
    const heard: string[] = []
    let gaps = 0
    const onGap = () => void gaps++
    await store.subscribe('c', (message) => void heard.push(message), onGap)
    await store.publish('c', 'before')
    await recover(() => assert.deepEqual(heard, ['before']))
    const [primary, replica] = servers
    assert.ok(primary !== undefined && replica !== undefined)
    // Replication does not wait: what was not passed on yet would be lost with the primary.
    await recover(async () => assert.equal(await askRedis(replica.port, 'GET', 'shop:kept'), 'v'))
    await primary[fault]()
    await assert.rejects(store.set('k', 'v', 100), { name: 'BffError', code: 'store_unavailable' })
    t.diagnostic(`writes work after ${Math.round(await recover(() => store.set('k', 'v', 100)))} ms`)
    assert.equal(await store.get('kept'), 'v')
    await recover(() => assert.ok(gaps > 0))
    await recover(async () => {
      await store.publish('c', 'after')
      await sleep(50)
      assert.ok(heard.includes('after'))
    })
  })
}

test('redis sentinel: after a failover the new primary tells of changes, and what the old one was asked is doubtful', async (t) => {
  const { url, servers } = await startSentinel(t)
  const [store, writer] = [createRedisStore(url), createRedisStore(url)]
  t.after(() => Promise.all([store.close(), writer.close()]))
  const watched = watchStore(store)
  await until(watched.isCurrent)
  const gaps = watched.gaps()
  await servers[0]?.stop()
  await until(() => watched.gaps() > gaps)
  await recover(() => writer.set('watched:a', 'v', 100))
  await until(watched.isCurrent)
  await writer.set('watched:b', 'v', 100)
  await until(() => watched.told.includes('watched:b'))
})

test('redis sentinel: no Sentinel answers is store_unavailable, and told', async (t) => {
  const store = createRedisStore('redis://:hunter2@127.0.0.1:1,127.0.0.1:2/0?sentinel=main&sentinel_password=hunter3')
  t.after(() => store.close())
  const startedAt = performance.now()
  await assert.rejects(store.get('k'), (error: Error) => {
    assert.match(String(error.cause), /All sentinels are unreachable/)
    assert.doesNotMatch(String(error.cause), /hunter/)
    return true
  })
  assert.ok(performance.now() - startedAt < 3_500)
})
