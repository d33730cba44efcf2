import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Browser } from '../support/browser.ts'
import { createWorld, type World } from '../support/world.ts'
import { assertQuoted } from './guide.ts'

/** Whether the IdP signs the next user of this browser in as before, without a form. */
async function isKnownAtIdp(browser: Browser): Promise<boolean> {
  const started = await browser.fetch('/auth/start')
  const answer = await browser.navigate(String(started.json().authorization_url))
  return answer.text.includes('<form') === false && new URL(String(answer.location)).pathname === '/auth/callback'
}

async function signOut({ browser, publicUrl }: { browser: Browser; publicUrl: string }): Promise<string> {
  const answer = await browser.fetch('/auth/logout', { method: 'POST' })
  assert.equal((await browser.session()).authenticated, false)
  assert.ok(String(answer.json().logout_url).startsWith(publicUrl))
  return String(answer.json().logout_url)
}

async function openSignedIn(world: World) {
  const browser = world.browser()
  await browser.signIn('ada')
  return { browser, publicUrl: world.publicUrl }
}

test('a page that does not go to logout_url leaves its user signed in at the IdP, and one that goes does not', async (t) => {
  const world = await createWorld(t)
  const careless = await openSignedIn(world)
  await signOut(careless)
  assert.equal(await isKnownAtIdp(careless.browser), true)

  const careful = await openSignedIn(world)
  const atIdp = await careful.browser.navigate(await signOut(careful))
  await careful.browser.navigate(String(atIdp.location))
  assert.equal(await isKnownAtIdp(careful.browser), false)
})

test('a logout URI that is not registered ends the sign-out at the IdP, with the user signed in there; registered, the user is back', async (t) => {
  const strange = await openSignedIn(await createWorld(t, { client: { postLogoutRedirectUris: [] } }))
  const sent = await strange.browser.navigate(await signOut(strange))
  const shown = await strange.browser.navigate(String(sent.location), { headers: { accept: 'application/json' } })
  assert.equal(shown.status, 400)
  const { error, error_description } = shown.json()
  assertQuoted(`${error}: ${error_description}`)
  assert.equal(await isKnownAtIdp(strange.browser), true)

  const known = await openSignedIn(await createWorld(t))
  const on = await known.browser.navigate(await signOut(known))
  const back = await known.browser.navigate(String(on.location))
  assert.ok(back.location?.startsWith(`${known.publicUrl}/auth/logged-out`))
  assert.equal(await isKnownAtIdp(known.browser), false)
})
