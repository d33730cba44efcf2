import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeEnd } from '../../../examples/spa-vanilla/src/words.ts'
import { askInPage } from '../support.ts'
import { makeExamplePages } from './build-examples.ts'
import type { Tab, Visitor } from './driver.ts'
import { signIn, waitForState, waitForText, watchForSignedOut } from './example-page.ts'
import { readSession } from './held-session.ts'
import { assertInTime } from './in-time.ts'
import { setUp } from './set-up.ts'
import type { Site } from './topology.ts'

const { topology, browsers } = await setUp(makeExamplePages('spa-vanilla'))

/** Two tabs of one browser, of which one follows the stream of events. */
async function openTabs(visitor: Visitor, { spa }: Site, login: string): Promise<readonly [Tab, Tab]> {
  const tabs = [await visitor.openTab(), await visitor.openTab()] as const
  await signIn(tabs[0], `${spa}/`, login)
  await tabs[1].goto(`${spa}/`)
  await waitForState(tabs[1], 'signed-in')
  return tabs
}

for (const { name, open } of browsers) {
  for (const site of Object.values(topology.sites)) {
    test(`${name}, SPA ${site.name}: a session that another device ends is over on the page in time`, async (t) => {
      const visitor = await open(t)
      const tabs = await openTabs(visitor, site, 'ada')
      const { session_id: id } = await readSession(visitor, site)
      const other = await (await open(t)).openTab()
      await signIn(other, `${site.spa}/`, 'ada')

      const seen = tabs.map(watchForSignedOut)
      const sessions = `${site.service}/auth/sessions`
      assert.match(await other.run(askInPage, [`${sessions}/${id}`, { method: 'DELETE' }] as const), /^\w+ 204 /)
      const times = await Promise.all(seen)
      const answer = site.requests().findLast(({ method }) => method === 'DELETE')
      assert.ok(answer)
      assertInTime(t, answer.time, times)
      for (const tab of tabs) await waitForText(tab, 'notice', describeEnd('revoked'))
      assert.match(await other.run(askInPage, [sessions, {}] as const), /^\w+ 200 /)
    })

    test(`${name}, SPA ${site.name}: a session that the IdP ends is over on the page in time`, async (t) => {
      const visitor = await open(t)
      const tabs = await openTabs(visitor, site, 'grace')
      const seen = tabs.map(watchForSignedOut)
      await topology.idp.endSession({ sub: 'grace' })
      const times = await Promise.all(seen)
      const answer = site.requests().findLast(({ path }) => path === '/auth/backchannel-logout')
      assert.ok(answer)
      assertInTime(t, answer.time, times)
      for (const tab of tabs) await waitForText(tab, 'notice', describeEnd('backchannel'))
    })
  }
}
