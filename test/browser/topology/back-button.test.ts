import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../support/until.ts'
import { makeExamplePages } from './build-examples.ts'
import { STEP_MS, type Tab } from './driver.ts'
import { passIdp, press, signIn, waitForState } from './example-page.ts'
import { setUp } from './set-up.ts'

const { topology, browsers } = await setUp(makeExamplePages('spa-vanilla'))
const page = `${topology.sites.sibling.spa}/`

/** Has this document note whether it comes out of the browser's page cache; one that is loaded again has no note. */
const leaveNote = (tab: Tab): Promise<void> =>
  tab.run(() => {
    const note = document.documentElement.dataset
    note.kept = 'no'
    addEventListener('pageshow', ({ persisted }) => {
      if (persisted) note.kept = 'yes'
    })
  }, undefined)

const readHistory = (tab: Tab): Promise<number> => tab.run(() => history.length, undefined)

/** Goes back to an address. @returns whether its page came out of the page cache */
async function goBack(tab: Tab, steps: number, url = page): Promise<boolean> {
  await tab.run((delta) => {
    document.documentElement.dataset.left = 'yes'
    history.go(delta)
  }, -steps)
  const isBack = (target: string): boolean =>
    location.href === target && document.documentElement.dataset.left === undefined
  await until(() => tab.run(isBack, url), STEP_MS)
  return tab.run(() => document.documentElement.dataset.kept === 'yes', undefined)
}

for (const { name, open } of browsers) {
  /** Firefox decides before the page hears that it is left: one that follows the events of a session is loaded again. */
  const keepsSignedIn = name === 'Chromium'

  test(`${name}: the page from before the sign-in comes out of the page cache, and is signed in`, async (t) => {
    const tab = await (await open(t)).openTab()
    await tab.goto(page)
    await waitForState(tab, 'signed-out')
    await leaveNote(tab)
    await press(tab, 'sign-in')
    await passIdp(tab, 'ada')
    await waitForState(tab, 'signed-in')
    assert.equal(await goBack(tab, 2), true) // The IdP's form lies between.
    await waitForState(tab, 'signed-in')
  })

  test(`${name}: a page from before the sign-out is signed out when it is back`, async (t) => {
    const tab = await (await open(t)).openTab()
    const earlier = `${page}?earlier`
    await signIn(tab, earlier, 'ada')
    await leaveNote(tab)
    const before = await readHistory(tab)
    await tab.goto(page)
    await waitForState(tab, 'signed-in')
    await leaveNote(tab)
    await press(tab, 'sign-out')
    await until(() => tab.run(() => document.documentElement.dataset.kept === undefined, undefined), STEP_MS)
    await waitForState(tab, 'signed-out')
    // Firefox puts the page after the sign-out in the place of the one before, since its address is the same.
    const isKept = await goBack(tab, (await readHistory(tab)) - before, earlier)
    assert.equal(isKept || !keepsSignedIn, true)
    await waitForState(tab, 'signed-out')
  })

  test(`${name}: a page whose session ended while it was not there is signed out when it is back`, async (t) => {
    const tab = await (await open(t)).openTab()
    await signIn(tab, page, 'grace')
    await leaveNote(tab)
    await tab.goto(`${topology.neighbour}/`)
    await topology.idp.endSession({ sub: 'grace' })
    assert.equal((await goBack(tab, 1)) || !keepsSignedIn, true)
    await waitForState(tab, 'signed-out')
  })
}
