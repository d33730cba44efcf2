import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWorld } from '../support/world.ts'

test('TX-11: the line that calls the operator says in the log, too, with which word the IdP refused this client', async (t) => {
  const world = await createWorld(t, { env: { OTEN_SCOPE: 'openid offline_access' } })
  const browser = world.browser()
  await browser.signIn('ada')
  world.simulator.faults.token = { kind: 'invalid_client' }
  assert.equal((await browser.fetch('/auth/refresh', { method: 'POST' })).status, 503)
  const lines = world.logs.map((line) => JSON.parse(line) as Record<string, unknown>)
  const alert = lines.find((line) => line.alert === 'idp_client_refused')
  assert.ok(alert)
  assert.ok(Object.values(alert).includes('invalid_client'), JSON.stringify(alert))
})
