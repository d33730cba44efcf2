import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeExamplePages } from './build-examples.ts'
import { signIn, waitForState } from './example-page.ts'
import { askByEventSource, askByFetch, loadInElement, sendForm } from './foreign-page.ts'
import { readSession } from './held-session.ts'
import { setUp } from './set-up.ts'
import { readStatus, waitForUrl } from './whereabouts.ts'

const { topology, browsers } = await setUp(makeExamplePages('spa-vanilla'))
const site = topology.sites.sibling

/** A `Strict` cookie stays away from a foreign site; to a neighbour on the same site it is only the service that says no. */
const PLACES = { 'on a foreign site': topology.foreign, 'on the same site': topology.neighbour } as const

/** What browsers say on the console about all that they and the service refuse here. */
const expected = [
  /blocked by CORS policy|Cross-Origin Request Blocked/,
  /can.t establish a connection to the server/,
  /Failed to load resource/,
  /blocked due to its Cross-Origin-Resource-Policy header/,
]

const READABLE = ['/auth/session', '/auth/session?touch=true', '/auth/sessions', '/auth/start', '/api/demo/hello']

for (const { name, open } of browsers) {
  test(`${name}: what the foreign pages below try works from the page that may`, async (t) => {
    const tab = await (await open(t)).openTab()
    await signIn(tab, `${site.spa}/`, 'ada')
    for (const path of READABLE) assert.match(await askByFetch(tab, site.service + path), /^cors 200 /, path)
    assert.match(await askByEventSource(tab, `${site.service}/auth/events`), /"sub":"ada"/)
  })

  for (const [place, foreign] of Object.entries(PLACES)) {
    test(`${name}: a page ${place} can read nothing: not by fetch, element, frame or event stream`, async (t) => {
      const tab = await (await open(t, expected)).openTab()
      await signIn(tab, `${site.spa}/`, 'ada')
      await tab.goto(`${foreign}/`)
      for (const path of READABLE) {
        assert.equal(await askByFetch(tab, site.service + path), 'blocked', path)
        assert.equal(await askByFetch(tab, site.service + path, { mode: 'no-cors' }), 'blocked', path)
      }
      assert.equal(await askByEventSource(tab, `${site.service}/auth/events`), 'blocked')

      const session = `${site.service}/auth/session`
      const before = site.requests().length
      for (const tag of ['img', 'script'] as const) assert.equal(await loadInElement(tab, tag, session), false, tag)
      await loadInElement(tab, 'iframe', session)
      const asked = site.requests().slice(before)
      const statuses = asked.filter(({ path }) => path === '/auth/session').map(({ status }) => status)
      assert.deepEqual(statuses, [403, 403, 403])
    })

    test(`${name}: a page ${place} cannot sign the user out`, async (t) => {
      const visitor = await open(t, expected)
      const tab = await visitor.openTab()
      await signIn(tab, `${site.spa}/`, 'ada')
      await tab.goto(`${foreign}/`)
      const logout = `${site.service}/auth/logout`
      const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
      assert.equal(await askByFetch(tab, logout, json), 'blocked')
      assert.equal(await askByFetch(tab, logout, { method: 'POST' }), 'blocked')
      assert.equal(await askByFetch(tab, logout, { method: 'POST', mode: 'no-cors' }), 'blocked')
      assert.equal(await askByFetch(tab, `${site.service}/auth/sessions`, { method: 'DELETE' }), 'blocked')
      await sendForm(tab, logout)
      await waitForUrl(tab, logout)
      assert.equal(await readStatus(tab), 403)
      assert.equal((await readSession(visitor, site)).authenticated, true)
      await tab.goto(`${site.spa}/`)
      await waitForState(tab, 'signed-in')
    })
  }
}
