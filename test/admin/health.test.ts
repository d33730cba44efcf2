import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildService, storeDown } from '../plugins/build-service.ts'
import { createWorld, getFreePort } from '../support/world.ts'

type Ready = { status: string; checks: Record<'store' | 'idp', { status: string; reason?: string }> }

const ask = async (adminUrl: string): Promise<{ status: number; body: Ready }> => {
  const response = await fetch(`${adminUrl}/health/ready`)
  return { status: response.status, body: (await response.json()) as Ready }
}

/** The IdP is asked in the background. */
async function waitFor(adminUrl: string, status: string): Promise<{ status: number; body: Ready }> {
  for (let tries = 0; tries < 200; tries++) {
    const answer = await ask(adminUrl)
    if (answer.body.checks.idp.status === status) return answer
    await sleep(20)
  }
  throw new Error(`the IdP never became ${status}`)
}

test('CF-07: with store and IdP in order it is ready', async (t) => {
  const world = await createWorld(t)
  world.idp.start()
  const { status, body } = await waitFor(world.adminUrl, 'ok')
  assert.equal(status, 200)
  assert.deepEqual(body, { status: 'ok', checks: { store: { status: 'ok' }, idp: { status: 'ok' } } })
})

test('CF-07: an IdP that was never reached is degraded, and ready: those signed in are served', async (t) => {
  const issuer = `http://127.0.0.1:${await getFreePort()}`
  const world = await createWorld(t, { env: { OTEN_ISSUER: issuer } })
  world.idp.start()
  await assert.rejects(world.idp.metadata.get())
  const { status, body } = await ask(world.adminUrl)
  assert.equal(status, 200)
  assert.equal(body.status, 'degraded')
  assert.equal(body.checks.idp.status, 'degraded')
  assert.ok((body.checks.idp.reason ?? '').length > 10)
})

for (const kind of ['wrong-issuer', 'no-s256', 'no-endpoints'] as const) {
  test(`CF-07: metadata that was fetched and is unusable (${kind}) is not ready, with the reason`, async (t) => {
    const world = await createWorld(t)
    world.simulator.faults.discovery = { kind }
    await assert.rejects(world.idp.metadata.get())
    const { status, body } = await ask(world.adminUrl)
    assert.equal(status, 503)
    assert.equal(body.status, 'unavailable')
    assert.equal(body.checks.store.status, 'ok')
    assert.equal(body.checks.idp.status, 'unusable')
    assert.ok((body.checks.idp.reason ?? '').length > 10)
    assert.equal((await fetch(`${world.adminUrl}/health/live`)).status, 200)
  })
}

test('CF-07: a store that does not answer is not ready, alive all the same, and ready again with it', async (t) => {
  const { admin, store } = await buildService(t)
  store.fault = storeDown()
  const down = await admin.inject({ url: '/health/ready' })
  assert.equal(down.statusCode, 503)
  const body = down.json() as Ready
  assert.equal(body.status, 'unavailable')
  assert.equal(body.checks.store.status, 'unavailable')
  assert.ok((body.checks.store.reason ?? '').length > 10)
  assert.equal(body.checks.idp.status, 'ok')
  const live = await admin.inject({ url: '/health/live' })
  assert.equal(live.statusCode, 200)
  assert.deepEqual(live.json(), { status: 'ok' })
  store.fault = undefined
  assert.equal((await admin.inject({ url: '/health/ready' })).statusCode, 200)
})

test('CF-07: a store that never answers is not ready, and is not waited for longer than a probe waits', async (t) => {
  const { admin, store } = await buildService(t)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  Object.assign(store, { ping: () => new Promise(() => {}) })
  const asked = admin.inject({ url: '/health/ready' })
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  t.mock.timers.tick(900)
  assert.equal((await asked).statusCode, 503)
})

test('HC-01: a probe answer is never cached', async (t) => {
  const { admin } = await buildService(t)
  for (const url of ['/health/live', '/health/ready', '/nowhere']) {
    assert.equal((await admin.inject({ url })).headers['cache-control'], 'no-store', url)
  }
})

test('contract §2: the inner listener is apart: no health on the main one, no /auth or /api on the inner one', async (t) => {
  const world = await createWorld(t)
  for (const path of ['/health/live', '/health/ready', '/metrics', '/auth/verify', '/admin/sessions/end']) {
    for (const method of ['GET', 'POST']) {
      assert.equal((await fetch(world.publicUrl + path, { method })).status, 404, path)
    }
  }
  for (const path of ['/auth/start', '/auth/session', '/auth/callback', '/auth/jwks.json', '/api/x']) {
    assert.equal((await fetch(world.adminUrl + path)).status, 404, path)
  }
})

test('ER-01: errors of the inner listener have the one shape', async (t) => {
  const { admin } = await buildService(t)
  const answer = await admin.inject({ url: '/nowhere?canary' })
  assert.equal(answer.statusCode, 404)
  assert.deepEqual(Object.keys(answer.json() as object).sort(), ['error', 'error_description', 'error_id'])
  assert.equal((await admin.inject({ method: 'POST', url: '/health/live' })).headers.allow, 'GET')
})
