import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWorld } from '../support/world.ts'
import { fetchFrom, setUpChromium, signIn, startFrontend } from './chromium-visitor.ts'
import { assertQuoted, SERVICE } from './guide.ts'

const open = await setUpChromium()

test('a hidden frame that would sign in silently is refused; a top-level sign-in with prompt=none comes back signed in', async (t) => {
  const { url } = await startFrontend(t)
  const world = await createWorld(t, { env: { ALLOWED_ORIGINS: url } })
  const { page, context, findError } = await open(t)
  await signIn(page, world, `${url}/`)
  await context.clearCookies({ name: 'oten_session' }) // Over here, while the IdP still knows who it is.
  const silent = `${world.publicUrl}/auth/start?prompt=none&return_to=${encodeURIComponent(`${url}/`)}`
  const framed = page.waitForResponse(silent)
  await page.evaluate((src) => document.body.append(Object.assign(document.createElement('iframe'), { src })), silent)
  assert.equal((await framed).status(), 403)
  assertQuoted(await findError('frame'), { [world.publicUrl]: SERVICE })
  const [line] = world.events('refused')
  assertQuoted(`"reason":"${line?.reason}"`)

  await page.goto(silent)
  await page.waitForURL(`${url}/`)
  assert.match(await fetchFrom(page, `${world.publicUrl}/auth/session`), /^200 \{"authenticated":true/)
})
