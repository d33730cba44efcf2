import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBrowser } from '../flows/steps.ts'
import { createWorld } from '../support/world.ts'

test('LO-09: there is no front-channel logout: no frame of the IdP ends a session, and none of our pages can be framed', async (t) => {
  const world = await createWorld(t)
  const browser = openBrowser(world)
  let sid = ''
  world.simulator.faults.alterIdToken = (claims) => {
    sid = String(claims.sid)
    return {}
  }
  await browser.signIn('ada')
  const frame = { 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'cross-site' }
  const query = new URLSearchParams({ iss: world.simulator.issuer, sid })
  for (const path of ['/auth/frontchannel-logout', '/auth/front-channel-logout']) {
    assert.equal((await browser.navigate(`${path}?${query}`, { headers: frame })).status, 404)
  }
  const logout = await browser.navigate(`/auth/logout?${query}`, { headers: frame })
  assert.equal(logout.status, 405)
  const page = await browser.navigate(`/auth/callback?${query}`, { headers: frame })
  assert.match(String(page.headers.get('content-security-policy')), /frame-ancestors 'none'/)
  assert.equal((await browser.session()).authenticated, true)
})
