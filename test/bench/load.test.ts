import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { runBurst } from '../../bench/load/burst.ts'
import { runClosed } from '../../bench/load/closed.ts'
import { runOpen } from '../../bench/load/open.ts'
import { buildRequest, cycle, once as eachOnce } from '../../bench/load/requests.ts'

async function serve(t: TestContext, listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close().closeAllConnections())
  return (server.address() as AddressInfo).port
}

const HELLO = { status: 200, contains: 'hello' }
const next = cycle([buildRequest({ path: '/', cookie: 'a=b' })])

test('closed loop: counts every answer, and each that is not as expected', async (t) => {
  let asked = 0
  const port = await serve(t, (request, response) => {
    assert.equal(request.headers.cookie, 'a=b')
    asked += 1
    const fault = asked % 4
    response.statusCode = fault === 1 ? 500 : 200
    response.end(fault === 2 ? 'signed out' : 'hello')
  })
  const result = await runClosed({ port, next, expected: HELLO, connections: 4, durationMs: 200 })
  assert.equal(result.answered, asked)
  assert.ok(Math.abs(result.failed - asked / 2) <= 2, `${result.failed} of ${asked}`)
  assert.ok(result.perSecond > 0)
})

test('closed loop: an answer that comes in pieces is one answer', async (t) => {
  let asked = 0
  const port = await serve(t, (_request, response) => {
    asked += 1
    response.setHeader('content-length', 5)
    response.write('he')
    setTimeout(() => response.end('llo'), 20)
  })
  const { answered, failed } = await runClosed({ port, next, expected: HELLO, connections: 2, durationMs: 100 })
  assert.deepEqual({ answered, failed }, { answered: asked, failed: 0 })
})

test('closed loop: a server that ends its connections, or too few requests, fails the run', async (t) => {
  const port = await serve(t, (request) => request.socket.destroy())
  await assert.rejects(runClosed({ port, next, expected: HELLO, connections: 1, durationMs: 100 }))
  const fine = await serve(t, (_request, response) => response.end('hello'))
  const few = eachOnce([buildRequest({ path: '/' })])
  await assert.rejects(
    runClosed({ port: fine, next: few, expected: HELLO, connections: 1, durationMs: 5000 }),
    /more than/,
  )
})

test('open loop: sends what was due, and no more', async (t) => {
  let asked = 0
  const port = await serve(t, (_request, response) => {
    asked += 1
    response.end('hello')
  })
  const result = await runOpen({ port, next, expected: HELLO, connections: 8, perSecond: 500, durationMs: 400 })
  assert.equal(asked, 200)
  assert.deepEqual([result.answered, result.failed], [200, 0])
  assert.ok(0 < result.p50 && result.p50 <= result.p99 && result.p99 <= result.p999 && result.p999 <= result.max)
})

test('open loop: one stall is charged to all that were due meanwhile, not to the one that was asked', async (t) => {
  const STALL_MS = 300
  let asked = 0
  const port = await serve(t, async (_request, response) => {
    asked += 1
    if (asked === 1) await sleep(STALL_MS)
    response.end('hello')
  })
  // One connection: all of the second half of the stall's length waits behind it.
  const { p50, max } = await runOpen({
    port,
    next,
    expected: HELLO,
    connections: 1,
    perSecond: 200,
    durationMs: STALL_MS,
  })
  assert.ok(max >= STALL_MS - 5, `${max}`)
  assert.ok(p50 >= STALL_MS / 2 - 20, `${p50}: latency counts from when a request was sent, not from when it was due`)
})

test('open loop: a wrong answer and one that does not come in time are failures; a lost connection ends the run', async (t) => {
  let asked = 0
  const partly = await serve(t, (_request, response) => {
    asked += 1
    if (asked <= 4) response.end('signed out')
    else if (asked <= 10) response.end('hello')
  })
  const load = { next, expected: HELLO, connections: 1, perSecond: 100, durationMs: 200 }
  const { answered, failed } = await runOpen({ ...load, port: partly, graceMs: 500 })
  assert.deepEqual({ answered, failed }, { answered: 10, failed: 4 + 10 })
  const port = await serve(t, (request) => request.socket.destroy())
  await assert.rejects(runOpen({ port, next, expected: HELLO, connections: 1, perSecond: 10, durationMs: 100 }))
})

test('burst: sends each request a single time, shared out among the servers', async (t) => {
  const seen: string[][] = [[], []]
  const ports = [
    await serve(t, (request, response) => {
      seen[0]?.push(request.url ?? '')
      response.end('hello')
    }),
    await serve(t, (request, response) => {
      seen[1]?.push(request.url ?? '')
      response.writeHead(503).end()
    }),
  ]
  const requests = Array.from({ length: 10 }, (_, index) => buildRequest({ path: `/${index}` }))
  const result = await runBurst({ ports, requests, expected: HELLO, connections: 3 })
  assert.deepEqual(
    seen.map((paths) => paths.toSorted()),
    [
      ['/0', '/2', '/4', '/6', '/8'],
      ['/1', '/3', '/5', '/7', '/9'],
    ],
  )
  assert.deepEqual([result.answered, result.failed], [10, 5])
})
