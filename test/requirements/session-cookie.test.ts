import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBrowser, reachCallback, sendPlain } from '../flows/steps.ts'
import { createWorld } from '../support/world.ts'

test('SC-03: with Strict a sign-in completes though no session cookie comes from the IdP, and a fetch after it is signed in', async (t) => {
  const world = await createWorld(t)
  const browser = openBrowser(world)
  await browser.signIn('ada') // So that there is a Strict cookie that could come.
  const { url } = await reachCallback(world, { browser, query: 'prompt=login&return_to=/inbox', login: 'grace' })

  // As a browser follows a redirect that another site began: Lax cookies come along, Strict ones do not.
  const crossSite = await browser.jar.getCookies(url.href, { sameSiteContext: 'lax' })
  const names = crossSite.map(({ key }) => key)
  assert.ok(!names.includes('oten_session'))
  assert.ok(names.some((name) => name.startsWith('oten_tx_')))
  const answer = await sendPlain(world, url.href, {
    headers: { cookie: crossSite.join('; '), accept: 'text/html', 'sec-fetch-mode': 'navigate' },
  })
  assert.equal(answer.headers.get('location'), '/inbox')
  for (const line of answer.setCookies) await browser.jar.setCookie(line, url.href)

  // The page has landed: its own fetch is same-origin, and carries the new cookie.
  const session = await browser.session()
  assert.equal(session.authenticated, true)
  assert.equal((session.user as { sub: string }).sub, 'grace')
})
