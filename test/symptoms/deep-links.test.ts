import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { passIdp } from '../browser/support.ts'
import { createWorld, DEEP_LINK } from '../support/world.ts'
import { setUpChromium } from './chromium-visitor.ts'
import { assertQuoted } from './guide.ts'
import { createLoopbackWorld } from './loopback-world.ts'

const open = await setUpChromium()
const QUERY = `code_challenge_method=S256&code_challenge=${hash('sha256', 'v'.repeat(43), 'base64url')}`

test('a scheme that no app has taken leaves the browser at the IdP, where nothing happens; a claimed https link shows a page', async (t) => {
  const world = await createWorld(t, { env: { APPS: `demo=${DEEP_LINK}` } })
  const { page, context } = await open(t)
  await page.goto(`${world.publicUrl}/auth/start?app=demo&${QUERY}`)
  const failed = page.waitForEvent('requestfailed', (request) => request.url().startsWith(`${DEEP_LINK}?code=`))
  await passIdp(page, 'ada')
  assert.equal((await failed).failure()?.errorText, 'net::ERR_ABORTED')
  assert.equal(new URL(page.url()).origin, world.simulator.issuer)
  assertQuoted('net::ERR_ABORTED')

  const claimed = await createLoopbackWorld(t, (publicUrl) => ({ APPS: `demo=${publicUrl}/signed-in` }))
  const other = await context.newPage() // A page that was left hanging may drop its next form.
  await other.goto(`${claimed.publicUrl}/auth/start?app=demo&${QUERY}`)
  await passIdp(other, 'ada')
  await other.waitForURL((url) => url.href.startsWith(`${claimed.publicUrl}/signed-in?code=`))
  assertQuoted(`${await other.textContent('h1')}`)
})
