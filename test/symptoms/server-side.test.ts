import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sendPlain } from '../flows/steps.ts'
import { createWorld } from '../support/world.ts'
import { assertQuoted } from './guide.ts'

test('a program that shows a browser’s cookie without saying where it calls from is 403, and with an Origin of ours it is not', async (t) => {
  const world = await createWorld(t)
  const browser = world.browser()
  await browser.signIn('ada')
  const cookie = await browser.jar.getCookieString(world.publicUrl)
  const refused = await sendPlain(world, '/auth/refresh', { method: 'POST', headers: { cookie } })
  assert.equal(refused.status, 403)
  assertQuoted(String(refused.json().error_description))
  assertQuoted(`"reason":"${world.events('refused')[0]?.reason}"`)
  const headers = { cookie, origin: world.publicUrl }
  assert.equal((await sendPlain(world, '/auth/refresh', { method: 'POST', headers })).status, 200)
})
