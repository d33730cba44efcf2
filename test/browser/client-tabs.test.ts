import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { startStage, waitToHear } from '../client/stage.ts'
import { until } from '../support/until.ts'
import { passIdp, setUp, signIn, waitForState } from './support.ts'

const TABS = 8

const { demo, open } = await setUp(startStage)
const home = `${demo.spa}/`

async function openTab(context: BrowserContext, state: 'signed-in' | 'signed-out' = 'signed-in'): Promise<Page> {
  const page = await context.newPage()
  await page.goto(home)
  await waitForState(page, state)
  return page
}

const isOneStream = async (): Promise<boolean> => (await demo.countStreams()) === 1

/** All that each has heard of since it opened. */
const hearAll = (tabs: readonly Page[]) => Promise.all(tabs.map((tab) => tab.evaluate(() => window.heard)))

test('many tabs share one stream, and another one takes it over when its tab is closed', async (t) => {
  const { page, context } = await open(t)
  await signIn(page, demo, 'ada')
  const others: Page[] = []
  while (others.length < TABS) others.push(await openTab(context))
  await until(isOneStream)

  const takenOver = context.waitForEvent('response', (response) => response.url() === `${demo.bff}/auth/events`)
  await page.close() // It opened the stream, being first.
  await takenOver
  await until(isOneStream)
  await demo.world.simulator.endSession({ sub: 'ada' })
  const end = { who: null, reason: 'backchannel' } as const
  await Promise.all(others.map((tab) => waitToHear(tab, end)))
  for (const heard of await hearAll(others)) assert.deepEqual(heard, [{ who: 'ada' }, end])
})

for (const [what, path] of [
  ['a tab', ''],
  ['a tab on which nobody listens', 'silent'],
]) {
  test(`a sign-out in ${what} reaches the others at once, without any stream and before they ask again`, async (t) => {
    const { page, context } = await open(t, { expected: [/ERR_FAILED/] })
    await context.route('**/auth/events', (route) => route.abort())
    await context.clock.install()
    await signIn(page, demo, 'ada')
    const other = await openTab(context)
    await page.goto(`${home}${path}`)
    await page.waitForFunction(() => window.bff)
    await context.clock.pauseAt(Date.now() + 10_000) // From now on nothing is done by the clock.
    await page.evaluate(() => void window.bff.signOut())
    await waitToHear(other, { who: null, reason: 'logout' })
  })
}

test('a sign-in in one tab shows in the others, and so does that of somebody else', async (t) => {
  const { page, context } = await open(t)
  await page.goto(home)
  const other = await openTab(context, 'signed-out')
  await signIn(page, demo, 'ada')
  assert.deepEqual(await waitToHear(other, { who: 'ada' }), [{ who: null }, { who: 'ada' }])

  await context.clearCookies({ domain: '127.0.0.1' }) // The IdP has forgotten her.
  await page.evaluate(() => void window.bff.signIn())
  await passIdp(page, 'grace')
  await waitForState(page, 'signed-in')
  const heard = await waitToHear(other, { who: 'grace' })
  assert.deepEqual(heard, [{ who: null }, { who: 'ada' }, { who: 'grace' }], 'and nobody was signed out in between')
  await until(isOneStream)
})

test('a page on which nobody listens any more lets go of the stream, and takes it up for the next listener', async (t) => {
  const { page } = await open(t)
  await signIn(page, demo, 'ada')
  await until(isOneStream)
  await page.evaluate(() => window.stopListening())
  await until(async () => (await demo.countStreams()) === 0)
  await page.evaluate(() => void window.bff.onChange(() => {}))
  await until(isOneStream)
})

test('where a browser has no locks, each tab has a stream of its own', async (t) => {
  const { page, context } = await open(t)
  await context.addInitScript(() => Object.defineProperty(navigator, 'locks', { value: undefined }))
  await signIn(page, demo, 'ada')
  await openTab(context)
  await until(async () => (await demo.countStreams()) === 2)
})
