import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passIdp } from '../browser/support.ts'
import { createWorld } from '../support/world.ts'
import { fetchFrom, setUpChromium, signIn, startFrontend } from './chromium-visitor.ts'
import { assertQuoted } from './guide.ts'
import { createLoopbackWorld } from './loopback-world.ts'

const open = await setUpChromium()
const SIGNED_OUT = '{"authenticated":false}'

test('a page of another origin that fetches without credentials is told false, and with them who is signed in', async (t) => {
  const frontend = await startFrontend(t)
  const world = await createWorld(t, { env: { ALLOWED_ORIGINS: frontend.url } })
  const { page } = await open(t)
  await signIn(page, world, `${frontend.url}/`)
  const session = `${world.publicUrl}/auth/session`
  assert.equal(await fetchFrom(page, session, {}), `200 ${SIGNED_OUT}`)
  assert.match(await fetchFrom(page, session, { credentials: 'include' }), /^200 \{"authenticated":true/)
  assertQuoted(SIGNED_OUT)
})

test('a page on 127.0.0.1 is another site than localhost: its calls are signed out or 403, from localhost they are signed in', async (t) => {
  const { url, otherSiteUrl } = await startFrontend(t)
  const world = await createWorld(t, { env: { ALLOWED_ORIGINS: `${url},${otherSiteUrl}` } })
  const { page } = await open(t)
  await signIn(page, world, `${otherSiteUrl}/`)
  const session = `${world.publicUrl}/auth/session`
  assert.equal(await fetchFrom(page, session), `200 ${SIGNED_OUT}`)
  const refused = await fetchFrom(page, `${world.publicUrl}/auth/logout`, { method: 'POST', credentials: 'include' })
  assert.match(refused, /^403 .*"forbidden_origin"/)
  const [line] = world.events('refused')
  assert.match(String(line?.reason), /^listed Origin on another site than PUBLIC_URL/)
  assertQuoted(`"reason":"${line?.reason}"`)

  await page.goto(`${url}/`)
  assert.match(await fetchFrom(page, session), /^200 \{"authenticated":true/)
})

test('a sign-in that starts under another name than PUBLIC_URL ends on a page with 400, and one that starts there does not', async (t) => {
  const world = await createWorld(t)
  const otherName = world.publicUrl.replace('localhost', '127.0.0.1')
  const { page } = await open(t)
  await page.goto(`${otherName}/auth/start`)
  const arrived = page.waitForResponse((response) => response.url().startsWith(`${world.publicUrl}/auth/callback`))
  await passIdp(page, 'ada')
  assert.equal((await arrived).status(), 400)
  const words = await page.locator('main p').first().textContent()
  assertQuoted(`${words}`)
  const [line] = world.events('refused')
  assert.equal(line?.code, 'unknown_transaction')
  assertQuoted(`"code":"unknown_transaction","reason":"${line?.reason}"`)

  await page.getByRole('link', { name: 'Start again' }).click() // On PUBLIC_URL now.
  await page.waitForURL(`${world.publicUrl}/`)
  assert.match(await fetchFrom(page, `${world.publicUrl}/auth/session`), /^200 \{"authenticated":true/)
})

test('two deployments on one host take each other’s cookie; under another name each keeps its own', async (t) => {
  const first = await createWorld(t)
  const second = await createWorld(t)
  const { page, context } = await open(t)
  const isSignedIn = async ({ publicUrl }: { readonly publicUrl: string }): Promise<unknown> => {
    await page.goto(`${publicUrl}/auth/logged-out`) // Any page of that origin.
    return JSON.parse((await fetchFrom(page, `${publicUrl}/auth/session`)).slice(4)).authenticated
  }
  await signIn(page, first, `${first.publicUrl}/`)
  assert.equal(await isSignedIn(first), true)
  await signIn(page, second, `${second.publicUrl}/`)
  assert.equal(await isSignedIn(first), false)
  assert.equal(await isSignedIn(second), false) // The first one has cleared what it did not know.
  assert.deepEqual(
    (await context.cookies(first.publicUrl)).map(({ name }) => name),
    [],
  )

  const renamed = await createLoopbackWorld(t)
  await context.clearCookies()
  await signIn(page, first, `${first.publicUrl}/`)
  await signIn(page, renamed, `${renamed.publicUrl}/`)
  assert.deepEqual([await isSignedIn(first), await isSignedIn(renamed)], [true, true])
})
