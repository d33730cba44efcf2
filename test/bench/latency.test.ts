import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { measureLatency } from '../../bench/cases/latency.ts'
import { buildRequest, cycle } from '../../bench/load/requests.ts'

test('latency: each round sends at the given rate for twice a slice; every wrong answer of all rounds is told', async (t) => {
  let asked = 0
  const server = createServer((_request, response) => {
    asked += 1
    response.statusCode = asked % 10 === 0 ? 500 : 200
    response.end('hello')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  const contender = {
    port,
    next: cycle([buildRequest({ path: '/' })]),
    expected: { status: 200 },
    usage: async () => ({ cpuUs: 0, rssMb: 0, counts: {} }),
    stop: async () => {},
  }
  const latency = await measureLatency('a case', contender, 500, { rounds: 3, seconds: 0.1 })
  assert.equal(asked, 300)
  assert.deepEqual(
    latency.rounds.map(({ answered }) => answered),
    [100, 100, 100],
  )
  const { case: name, per_second, failed, p50, p99, p999, max } = latency
  assert.deepEqual({ name, per_second, failed }, { name: 'a case', per_second: 500, failed: 30 })
  assert.ok(0 < p50 && p50 <= p99 && p99 <= p999 && p999 <= max)
})
