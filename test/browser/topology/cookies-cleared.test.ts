import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeExamplePages } from './build-examples.ts'
import type { Visitor } from './driver.ts'
import { callApi, passIdp, press, signIn, waitForIdp, waitForState } from './example-page.ts'
import { readCookies } from './held-session.ts'
import { setUp } from './set-up.ts'
import type { Site } from './topology.ts'
import { readStatus, readUrl, waitForUrl } from './whereabouts.ts'

const { topology, browsers } = await setUp(makeExamplePages('spa-vanilla'))

/** As users do it in the settings of their browser, and browsers by themselves after a while. */
async function clearCookies(visitor: Visitor, site: Site): Promise<void> {
  const cookies = await readCookies(visitor, site)
  assert.equal(cookies.length, 1)
  for (const cookie of cookies) await visitor.forget(cookie)
  assert.deepEqual(await readCookies(visitor, site), [])
}

for (const { name, open } of browsers) {
  for (const site of Object.values(topology.sites)) {
    test(`${name}, SPA ${site.name}: without its cookie the page asks once, is signed out, and signs in again`, async (t) => {
      const visitor = await open(t, [/401.*\/api\/demo\/hello$/])
      const tab = await visitor.openTab()
      await signIn(tab, `${site.spa}/`, 'ada')
      await clearCookies(visitor, site)
      const before = site.requests().length
      // By script: where the stream of events is opened only now, its refusal has already hidden the button.
      await tab.run(() => document.querySelector<HTMLElement>('[data-testid="call-api"]')?.click(), undefined)
      await waitForState(tab, 'signed-out')

      await press(tab, 'sign-in')
      await waitForState(tab, 'signed-in') // The IdP still knows the user.
      await callApi(tab)
      const asked = site.requests().slice(before)
      const count = (path: string, status: number): number =>
        asked.filter((request) => request.path === path && request.status === status).length
      assert.equal(count('/api/demo/hello', 401), 1)
      assert.ok(count('/auth/events', 401) <= 1)
      assert.equal(count('/auth/start', 200), 1)
      // Once after the refusal, and once each time that the user comes to look at a page.
      assert.ok(count('/auth/session', 200) <= 5, String(count('/auth/session', 200)))
    })

    test(`${name}, SPA ${site.name}: a sign-in whose cookie went missing at the IdP ends on a page that starts another`, async (t) => {
      const visitor = await open(t, [/400.*\/auth\/callback\?/])
      const tab = await visitor.openTab()
      await tab.goto(`${site.spa}/`)
      await press(tab, 'sign-in')
      await waitForIdp(tab)
      await clearCookies(visitor, site)
      await passIdp(tab, 'ada')
      await waitForUrl(tab, `${site.service}/auth/callback`)
      assert.equal(await readStatus(tab), 400)
      assert.match(await tab.run(() => document.body.innerText, undefined), /expired or was already finished/)
      await tab.click('a[href="/auth/start"]')
      await waitForState(tab, 'signed-in') // The IdP still knows the user.
      assert.equal(await readUrl(tab), `${site.spa}/`)
    })
  }
}
