import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { MAIN, type Replica, startFleet } from '../support/fleet.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { getFreePort } from '../support/world.ts'
import { startBalancer } from './balancer.ts'
import { checkOutEarlier } from './earlier-version.ts'
import { type Experience, startUser } from './user.ts'

const USERS = 6

/** How long a platform takes to send no more calls to a replica that it is about to stop (`preStop`). */
const PRE_STOP_MS = 500

test('a rolling upgrade and a rollback, under load: no failed request, nobody is signed out, drained within 10 s', async (t) => {
  const owner = { after }
  const redis = await startRedis(owner)
  const earlier = checkOutEarlier(owner)
  const publicPort = await getFreePort()
  const balancer = await startBalancer(owner, publicPort)
  const fleet = await startFleet(owner, { store: redis.url, main: earlier, publicPort })
  for (const { url } of fleet.replicas) balancer.add(url)

  const experience: Experience = { signIns: 0, refreshes: 0, calls: 0, streams: 0, faults: [] }
  const users = Array.from({ length: USERS }, (_, at) => startUser(fleet, `user-${at}`, experience))
  await sleep(2000)

  const replace = async (replica: Replica, main: string): Promise<void> => {
    balancer.remove(replica.url)
    await sleep(PRE_STOP_MS)
    const stoppedAt = performance.now()
    assert.equal(await replica.end('SIGTERM'), 0)
    const drainedMs = Math.round(performance.now() - stoppedAt)
    t.diagnostic(`drained in ${drainedMs} ms`)
    assert.ok(drainedMs <= 10_000)
    await replica.start(main)
    await until(async () => (await fetch(`${replica.adminUrl}/health/ready`)).ok)
    balancer.add(replica.url)
    await sleep(2000) // Both versions serve, side by side.
  }
  for (const main of [MAIN, earlier]) for (const replica of fleet.replicas) await replace(replica, main)

  await Promise.all(users.map((user) => user.leave()))
  const { faults, ...done } = experience
  t.diagnostic(JSON.stringify(done))
  assert.deepEqual(faults, [])
  assert.deepEqual(balancer.failures, [])
  assert.ok(done.signIns > 20 && done.refreshes > 20 && done.calls > 200)
  assert.ok(done.streams > USERS, 'streams were cut and opened again')
})
