import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startApi } from '../demo/api/server.ts'
import { type Collector, type Span, startCollector } from './support/collector.ts'
import { createWorld, getFreePort, type World } from './support/world.ts'

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const PAGE_SPAN = 'b7ad6b7169203331'

async function build(t: TestContext, env = {}): Promise<{ world: World; collector: Collector }> {
  const collector = await startCollector(t)
  const world = await createWorld(t, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, ...env } })
  return { world, collector }
}

const attributesOf = ({ attributes }: Span): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

function requireSpan({ spans }: Collector, name: string): Span {
  const found = spans.find((span) => span.name === name)
  assert.ok(found, `${name}, of ${spans.map((span) => span.name)}`)
  return found
}

test('a trace leads from the browser over the callback to the calls of the IdP', async (t) => {
  const { world, collector } = await build(t)
  const browser = world.browser()
  const started = (await browser.fetch('/auth/start')).json()
  const callback = await browser.passIdp(String(started.authorization_url), 'ada')
  await browser.navigate(callback, { headers: { traceparent: `00-${TRACE_ID}-${PAGE_SPAN}-01` } })
  await world.restart() // The service sends what it has when it stops.
  const request = requireSpan(collector, 'GET /auth/callback')
  assert.deepEqual([request.traceId, request.parentSpanId, request.kind], [TRACE_ID, PAGE_SPAN, 2])
  const token = requireSpan(collector, 'idp token')
  assert.deepEqual([token.traceId, token.parentSpanId, token.kind], [TRACE_ID, request.spanId, 3])
  assert.deepEqual(attributesOf(token), {
    'http.request.method': 'POST',
    'server.address': '127.0.0.1',
    'url.path': new URL((await world.idp.metadata.get()).as.token_endpoint ?? '').pathname,
    'http.response.status_code': 200,
  })
  assert.equal(requireSpan(collector, 'idp jwks').parentSpanId, request.spanId)
})

test('the error id that a user is shown is in the trace, and a failure is marked as one', async (t) => {
  const { world, collector } = await build(t)
  const browser = world.browser()
  await browser.signIn('ada')
  world.simulator.faults.token = { kind: 'status', status: 503 }
  const refused = (await browser.fetch('/auth/refresh', { method: 'POST' })).json()
  await world.restart()
  const span = requireSpan(collector, 'POST /auth/refresh')
  assert.equal(attributesOf(span)['oten_bff.request_id'], refused.error_id)
  assert.equal(attributesOf(span)['http.route'], '/auth/refresh')
  assert.equal(span.status.code, 2)
})

test("an API behind the proxy gets the request's own span as its parent", async (t) => {
  const simulatorPort = await getFreePort()
  const apiPort = await getFreePort()
  const collector = await startCollector(t)
  const world = await createWorld(t, {
    simulator: { port: simulatorPort },
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      API_ROUTES: `/api/demo=http://127.0.0.1:${apiPort}`,
    },
  })
  const seen: unknown[] = []
  const api = await startApi({ port: apiPort, issuer: world.simulator.issuer })
  api.on('request', ({ headers }) => seen.push(headers.traceparent))
  t.after(() => api.close())
  const browser = world.browser()
  await browser.signIn('ada')
  await browser.fetch('/api/demo', { headers: { traceparent: `00-${TRACE_ID}-${PAGE_SPAN}-01` } })
  await world.restart()
  const span = requireSpan(collector, 'GET /api/*')
  assert.deepEqual(seen, [`00-${TRACE_ID}-${span.spanId}-01`])
})

test('a collector that is away delays neither an answer nor the end of the process', async (t) => {
  const world = await createWorld(t, {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await getFreePort()}` },
  })
  assert.equal((await world.browser().signIn('ada')).status, 303)
  const stoppedAt = performance.now()
  await world.restart()
  assert.ok(performance.now() - stoppedAt < 9000)
})
