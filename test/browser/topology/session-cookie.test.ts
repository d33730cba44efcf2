import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeExamplePages } from './build-examples.ts'
import { passIdp, press, waitForIdp, waitForState } from './example-page.ts'
import { readCookies } from './held-session.ts'
import { setUp } from './set-up.ts'

const { topology, browsers } = await setUp(makeExamplePages('spa-vanilla'))

for (const { name, open } of browsers) {
  for (const site of Object.values(topology.sites)) {
    test(`${name}, SPA ${site.name}: the cookies that the browser holds are as promised, and script sees none`, async (t) => {
      const visitor = await open(t)
      const tab = await visitor.openTab()
      await tab.goto(`${site.spa}/`)
      await press(tab, 'sign-in')
      await waitForIdp(tab)
      const common = { domain: new URL(site.service).hostname, path: '/', httpOnly: true, secure: true }
      const nowS = Date.now() / 1000
      const [transaction, ...more] = await readCookies(visitor, site)
      assert.ok(transaction)
      assert.deepEqual(more, [])
      const { name: ownName, value: _, expires, ...rest } = transaction
      assert.match(ownName, /^__Host-Http-oten_tx_[\w-]{8}$/)
      assert.deepEqual(rest, { ...common, sameSite: 'Lax' })
      assert.ok(expires > nowS && expires <= nowS + 601, 'ends with the sign-in')

      await passIdp(tab, 'ada')
      await waitForState(tab, 'signed-in')
      const [session, ...others] = await readCookies(visitor, site)
      assert.ok(session)
      assert.deepEqual(others, [])
      const { value, expires: end, ...ofSession } = session
      // No subdomain gets it: a domain that begins with a dot would say so.
      assert.deepEqual(ofSession, { ...common, name: '__Host-Http-oten_session', sameSite: 'Strict' })
      assert.ok(value.length >= 40 && value.length <= 64, String(value.length))
      assert.ok(Math.abs(end - nowS - 43_200) < 60, 'ends with the session')
      assert.equal(await tab.run(() => document.cookie, undefined), '')
    })
  }
}
