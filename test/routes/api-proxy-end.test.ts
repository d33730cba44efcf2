import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import { createMetrics } from '../../src/metrics.ts'
import { errors } from '../../src/plugins/errors.ts'
import { apiProxy } from '../../src/routes/api-proxy.ts'
import { createSessionEvents } from '../../src/session/events.ts'
import { buildService, createTestStore, PUBLIC_URL, type Service } from '../plugins/build-service.ts'
import { until } from '../support/until.ts'

/** Promised for whatever ends a session, on whatever replica (contract §5). */
const NOTICED_MS = 2000

/** An API whose answers are the test's: each call is kept, by its path, until somebody leaves. */
async function startUpstream(t: TestContext) {
  const calls = new Map<string, ServerResponse>()
  const server = createServer((incoming: IncomingMessage, answer: ServerResponse) => {
    const path = incoming.url ?? ''
    incoming.resume()
    calls.set(path, answer)
    answer.once('close', () => calls.delete(path))
    if (path.startsWith('/quick')) answer.end('quick')
    if (path.startsWith('/stream'))
      answer.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n')
    if (path.startsWith('/silent')) answer.writeHead(200, { 'x-api': 'yes' }).flushHeaders()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { calls, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function build(t: TestContext) {
  const upstream = await startUpstream(t)
  // Other replicas write to the store, too: nothing is remembered.
  const service = await buildService(t, {
    env: { API_ROUTES: `/api/x=${upstream.url}` },
    store: createTestStore(false),
  })
  const base = await service.app.listen({ host: '127.0.0.1', port: 0 })
  const headersOf = (credential: string) => ({ cookie: `${service.cookieName}=${credential}`, origin: PUBLIC_URL })
  const credential = await service.plant()
  const ask = (path: string, as = credential): Promise<Response> =>
    fetch(`${base}/api/x${path}`, { headers: headersOf(as), keepalive: false })
  const end: Record<string, () => Promise<unknown>> = {
    'a sign-out here': () => service.inject({ method: 'POST', url: '/auth/logout', headers: headersOf(credential) }),
    'another replica': async () => {
      const session = await service.sessions.find(credential)
      return service.sessions.end(session?.key ?? '', 'revoked')
    },
  }
  return { service, upstream, credential, ask, end }
}

/** What a stream says until it breaks off or ends. */
async function readAll(answer: Response): Promise<{ text: string; ending: 'broken off' | 'complete' }> {
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  try {
    for (;;) {
      const chunk = await reader?.read()
      if (chunk === undefined || chunk.done) return { text, ending: 'complete' }
      text += chunk.value
    }
  } catch {
    return { text, ending: 'broken off' }
  }
}

const within = <T>(promise: Promise<T>, ms = NOTICED_MS): Promise<T> => {
  const late = sleep(ms, undefined, { ref: false }).then((): never => assert.fail(`not within ${ms} ms`))
  return Promise.race([promise, late])
}

const complaintsOf = (service: Service) =>
  service.entries().filter(({ level }) => level === 'error' || level === 'warn')

for (const how of ['a sign-out here', 'another replica']) {
  test(`SC-14: a stream of an API is broken off when ${how} ends the session, and the API is left`, async (t) => {
    const { upstream, ask, end } = await build(t)
    const stream = await ask('/stream')
    const read = readAll(stream)
    upstream.calls.get('/stream')?.write('data: second\n\n')
    await sleep(50)
    await end[how]?.()
    assert.deepEqual(await within(read), { text: 'data: first\n\ndata: second\n\n', ending: 'broken off' })
    await within(until(() => !upstream.calls.has('/stream')))
  })

  test(`SC-14: a call that the API has not answered yet is 401 when ${how} ends the session; its answer is dropped`, async (t) => {
    const { service, upstream, ask, end } = await build(t)
    const pending = ask('/pending')
    await until(() => upstream.calls.has('/pending'))
    await end[how]?.()
    const answer = await within(pending)
    assert.equal(answer.status, 401)
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    assert.equal(((await answer.json()) as { error: string }).error, 'unauthenticated')
    const late = upstream.calls.get('/pending')
    late?.setHeader('x-late', 'yes').end('late')
    await sleep(100)
    const other = await service.plant({ sub: 'bob' })
    assert.equal(await (await ask('/quick', other)).text(), 'quick', 'the service goes on')
    assert.deepEqual(complaintsOf(service), [])
  })
}

test("SC-14: an API that breaks off after the 401 is nobody's failure any more", async (t) => {
  const { service, upstream, ask, end } = await build(t)
  const pending = ask('/pending')
  await until(() => upstream.calls.has('/pending'))
  await end['another replica']?.()
  assert.equal((await within(pending)).status, 401)
  upstream.calls.get('/pending')?.destroy()
  await sleep(100)
  assert.equal((await ask('/quick', await service.plant({ sub: 'bob' }))).status, 200)
  assert.deepEqual(
    service.entries().filter(({ event }) => event === 'failed'),
    [],
  )
})

test('SC-14: a stream that has not said anything yet ends with its session, too', async (t) => {
  const { upstream, ask, end } = await build(t)
  const pending = ask('/silent').then(
    async (answer) => ({ status: answer.status, api: answer.headers.get('x-api'), ...(await readAll(answer)) }),
    () => 'broken off',
  )
  await until(() => upstream.calls.has('/silent'))
  await sleep(100) // The API's headers are here, and nothing else.
  await end['another replica']?.()
  await sleep(1000) // What is young is looked at soon, and not at once.
  upstream.calls.get('/silent')?.write('data: for whoever signed out\n\n')
  const outcome = await within(pending)
  if (typeof outcome === 'object') {
    assert.doesNotMatch(outcome.text, /signed out/)
    assert.ok(outcome.ending === 'broken off' || outcome.status === 401)
    assert.equal(outcome.status === 401 ? outcome.api : null, null, "a refusal of ours with the API's headers")
  }
  await within(until(() => !upstream.calls.has('/silent')))
})

test('SC-14: the streams and calls of other sessions go on, also of the same user', async (t) => {
  const { service, upstream, ask, end } = await build(t)
  const [same, bob] = [await service.plant(), await service.plant({ sub: 'bob', sid: 'idp-session-2' })]
  const streams = [await ask('/stream/same', same), await ask('/stream/bob', bob)].map(readAll)
  const pending = ask('/pending', bob)
  await until(() => upstream.calls.size === 3)
  await end['another replica']?.()
  await sleep(200)
  for (const path of ['/stream/same', '/stream/bob']) upstream.calls.get(path)?.end('data: last\n\n')
  for (const stream of streams) {
    assert.deepEqual(await within(stream), { text: 'data: first\n\ndata: last\n\n', ending: 'complete' })
  }
  upstream.calls.get('/pending')?.end('answered')
  assert.equal(await (await within(pending)).text(), 'answered')
})

test('SC-14: a session that ends while its tokens are renewed, before the API is asked, begins no stream that lasts', async (t) => {
  const { service, upstream, credential, ask } = await build(t)
  const { store } = service
  const session = await service.sessions.find(credential)
  service.time.now += 200 // Using it slides the idle limit: a write, during which it ends.
  const { expire } = store
  store.expire = async (...parts) => {
    const moved = await expire(...parts)
    if (parts[0] === session?.key) await service.sessions.end(session.key, 'revoked')
    return moved
  }
  const outcome = await within(
    ask('/stream').then(async (answer) => answer.status === 401 || (await readAll(answer)).ending === 'broken off'),
    2500,
  )
  assert.equal(outcome, true)
  await until(() => upstream.calls.size === 0)
})

test('a call that is over leaves no listener behind, however it went', async (t) => {
  const upstream = await startUpstream(t)
  const service = await buildService(t, { env: { API_ROUTES: `/api/x=${upstream.url}` } })
  const { config, sessions, store, time } = service
  const session = (await sessions.find(await service.plant())) ?? assert.fail()
  const real = createSessionEvents(store)
  let listening = 0
  const events: Pick<typeof real, 'listen'> = {
    listen: async (...parts) => {
      const stop = await real.listen(...parts)
      listening += 1
      return () => {
        listening -= 1
        stop()
      }
    },
  }
  const app = Fastify({ exposeHeadRoutes: false })
  t.after(() => app.close())
  await app.register(errors, { metrics: createMetrics() })
  app.decorateRequest('session', null)
  app.addHook('onRequest', async (incoming) => {
    incoming.session = session
  })
  const refresher = { isDue: () => false, ensureFresh: async () => session, refresh: async () => session }
  await app.register(apiProxy, { config, sessions, refresher, events, now: () => time.now, headersTimeoutMs: 200 })
  const base = await app.listen({ host: '127.0.0.1', port: 0 })
  const ask = (path: string, signal?: AbortSignal) =>
    fetch(`${base}/api/x${path}`, signal === undefined ? {} : { signal })
  await Promise.all(Array.from({ length: 20 }, async (_, n) => (await ask(`/quick/${n}`)).text()))
  await until(() => listening === 0)
  const left = new AbortController()
  const stream = await ask('/stream', left.signal)
  await until(() => listening === 1)
  left.abort()
  await stream.text().catch(() => {})
  await until(() => listening === 0)
  assert.equal((await ask('/pending')).status, 504)
  await until(() => listening === 0)
})
