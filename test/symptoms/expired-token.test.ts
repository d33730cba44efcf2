import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../support/api.ts'
import { createWorld } from '../support/world.ts'
import { assertQuoted } from './guide.ts'

test('without offline_access the API is 401 once the access token is over, though the session lives; with it the call goes on', async (t) => {
  const api = await startApi(t)
  const open = async (scope: string) => {
    const world = await createWorld(t, { env: { OTEN_SCOPE: scope, API_ROUTES: `/api/x=${api.url}` } })
    const browser = world.browser()
    await browser.signIn('ada')
    assert.equal((await browser.fetch('/api/x/1')).status, 200)
    const left = Number((await browser.session()).access_token_expires_in)
    // The clock of the whole process: the IdP's and the service's.
    for (const half of [left / 2, left / 2 + 1]) {
      world.simulator.clock.advance(half)
      await browser.fetch('/auth/session?touch=true') // Somebody is there all the time: it is not the idle limit.
    }
    return { world, browser }
  }
  const { browser, world } = await open('openid profile email')
  const { authenticated, access_token_expires_in } = await browser.session()
  assert.deepEqual([authenticated, access_token_expires_in], [true, 0])
  const refused = await browser.fetch('/api/x/1')
  assert.equal(refused.status, 401)
  const [line] = world.events('refused')
  assertQuoted(`"code":"${line?.code}","reason":"${line?.reason}"`)
  const renewal = await browser.fetch('/auth/refresh', { method: 'POST' })
  assert.equal(renewal.status, 409)
  assertQuoted(`{"error":"${renewal.json().error}","error_description":"${renewal.json().error_description}"`)

  world.simulator.clock.restore()
  const cured = await open('openid profile email offline_access')
  assert.equal((await cured.browser.fetch('/api/x/1')).status, 200)
})
