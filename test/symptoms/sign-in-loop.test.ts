import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWorld } from '../support/world.ts'
import { setUpChromium, startFrontend } from './chromium-visitor.ts'
import { assertQuoted } from './guide.ts'

const open = await setUpChromium()

/** Low, so that the loop ends soon: what ends it is this limit. */
const LIMIT = 10

/** A page that signs in by itself, unseen; `guard` is what it asks before it does. */
const buildScript = (start: string, guard: string): string => `
  const session = await fetch('${start.replace('/start', '/session')}', { credentials: 'include' })
  const { authenticated } = await session.json()
  if (authenticated || ${guard}) document.body.append('at rest')
  else location.replace('${start}?prompt=none&return_to=' + encodeURIComponent(location.origin + '/'))`

test('a page that signs in whenever nobody is loops until it is 429; one that looks at auth_error first stops at once', async (t) => {
  let script = ''
  const frontend = await startFrontend(t, () => script)
  const env = { ALLOWED_ORIGINS: frontend.url, RATE_LIMIT_PER_MINUTE: `${LIMIT}` }
  const world = await createWorld(t, { env })
  const start = `${world.publicUrl}/auth/start`
  const countStarts = (): number => world.simulator.stats.authorizeRequests

  script = buildScript(start, 'false')
  const { page } = await open(t)
  await page.goto(frontend.url)
  await page.getByText('Too many requests').waitFor()
  assert.equal(countStarts(), LIMIT)
  assertQuoted(`${await page.locator('main p').first().textContent()}`)

  script = buildScript(start, "new URLSearchParams(location.search).has('auth_error')")
  const cured = await createWorld(t, { env })
  script = script.replaceAll(world.publicUrl, cured.publicUrl)
  await page.goto(frontend.url)
  await page.getByText('at rest').waitFor()
  assert.equal(cured.simulator.stats.authorizeRequests, 1)
  assertQuoted(`?auth_error=${new URL(page.url()).searchParams.get('auth_error')}`)
})
