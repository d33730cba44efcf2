import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWorld } from '../support/world.ts'
import { ask, headerOf } from './raw.ts'

test('what the IdP says of a user when it renews the tokens takes the place of what it said at the sign-in', async (t) => {
  const world = await createWorld(t)
  const browser = world.browser()
  await browser.signIn('ada')
  const before = (await browser.session()) as { readonly user: Record<string, unknown> }
  world.simulator.faults.alterIdToken = (claims) => ({
    claims: { ...claims, email: 'ada@new.example.com', email_verified: false, name: 'Ada Newly-Named' },
  })
  const renewed = await browser.fetch('/auth/refresh', { method: 'POST' })
  assert.equal(renewed.status, 200)
  const { user } = renewed.json() as { readonly user: Record<string, unknown> }
  assert.equal(user.sub, before.user.sub)
  assert.deepEqual([user.email, user.email_verified, user.name], ['ada@new.example.com', false, 'Ada Newly-Named'])
  // An app behind the proxy may decide by the address: it must not see one that the user has lost.
  const cookie = await browser.jar.getCookieString(world.publicUrl)
  const verified = await ask(Number(new URL(world.adminUrl).port), '/auth/verify', { headers: { cookie } })
  assert.equal(headerOf(verified, 'x-auth-email'), 'ada@new.example.com')
})
