import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Example, makeExamplePages, PATHS } from './build-examples.ts'
import { callApi, press, signIn, waitForState, waitForText } from './example-page.ts'
import { readCookies, readSession } from './held-session.ts'
import { setUp } from './set-up.ts'
import { goAwayAndBack, readUrl } from './whereabouts.ts'

const EXAMPLES = Object.keys(PATHS) as Example[]

const { topology, browsers } = await setUp(makeExamplePages(...EXAMPLES))

for (const { name, open } of browsers) {
  for (const site of Object.values(topology.sites)) {
    for (const example of EXAMPLES) {
      test(`${name}, ${example} ${site.name}: sign in, see the name, call the API, sign out`, async (t) => {
        const visitor = await open(t)
        const tab = await visitor.openTab()
        const page = site.spa + PATHS[example]
        await signIn(tab, page, 'ada')
        await waitForText(tab, 'user-name', 'Ada')
        assert.equal(await readUrl(tab), page)
        assert.equal((await readSession(visitor, site)).authenticated, true)
        await callApi(tab)
        await tab.goto(page)
        await waitForState(tab, 'signed-in')

        await goAwayAndBack(tab, () => press(tab, 'sign-out'), page) // To the IdP, which ends its session, too.
        await waitForState(tab, 'signed-out')
        assert.deepEqual(await readCookies(visitor, site), [])
      })
    }
  }
}
