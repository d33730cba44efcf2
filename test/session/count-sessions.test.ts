import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../src/metrics.ts'
import { countSessions } from '../../src/session/count-sessions.ts'
import { buildService, newSession } from '../plugins/build-service.ts'

test('a session is counted once at its beginning and once at its end, also when two ask for its end', async (t) => {
  const { sessions, time } = await buildService(t)
  const metrics = createMetrics()
  const counted = countSessions(sessions, metrics)
  const { key } = await counted.create(newSession(time.now, { kind: 'app-token' }))
  assert.deepEqual([await counted.end(key, 'backchannel'), await counted.end(key, 'logout')], [true, false])
  const read = async (counter: 'sessionsStarted' | 'sessionsEnded'): Promise<Record<string, number>> =>
    Object.fromEntries(
      (await metrics[counter].get()).values.map(({ labels, value }) => [Object.values(labels)[0], value]),
    )
  assert.equal((await read('sessionsStarted'))['app-token'], 1)
  assert.deepEqual(await read('sessionsEnded'), { logout: 0, backchannel: 1, revoked: 0 })
})
