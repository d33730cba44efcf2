import { type TestContext, test } from 'node:test'
import { makeExamplePages } from './build-examples.ts'
import type { Surroundings, Visitor } from './driver.ts'
import { callApi, signIn, waitForState } from './example-page.ts'
import { createOwner, createSurroundings, DRIVERS, leave, setUpTopology } from './set-up.ts'

const topology = await setUpTopology(makeExamplePages('spa-vanilla'))
const page = `${topology.sites.sibling.spa}/`

type Launch = (surroundings: Surroundings) => Promise<Visitor>

/** Opens the browser in one and the same folder, each time it is called; it is closed by `leave`, or with the test. */
function createOpener(t: TestContext, launch: Launch): () => Promise<Visitor> {
  const { owner, end } = createOwner()
  t.after(end)
  const surroundings = createSurroundings(owner, topology)
  return async () => {
    const visitor = await launch(surroundings)
    owner.after(() => visitor.close())
    return visitor
  }
}

for (const driver of DRIVERS) {
  test(`${driver.name}: who closes the browser and opens it again is still signed in`, async (t) => {
    const open = createOpener(t, driver.launchOnProfile)
    const before = await open()
    await signIn(await before.openTab(), page, 'ada')
    await leave(before)
    const after = await open()
    const tab = await after.openTab()
    await tab.goto(page)
    await waitForState(tab, 'signed-in')
    await callApi(tab)
    await leave(after)
  })

  test(`${driver.name}: a private window signs in and calls the API, and leaves no session behind`, async (t) => {
    const open = createOpener(t, driver.launchPrivate)
    const before = await open()
    const first = await before.openTab()
    await signIn(first, page, 'ada')
    await callApi(first)
    await leave(before)
    const after = await open()
    const tab = await after.openTab()
    await tab.goto(page)
    await waitForState(tab, 'signed-out')
    await leave(after)
  })
}
