import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { startStage, waitToHear } from '../client/stage.ts'
import { until } from '../support/until.ts'
import { setUp, signIn, waitForState } from './support.ts'

const { demo, open } = await setUp(startStage)

const SESSION = `${demo.bff}/auth/session`
const COOKIE = 'oten_session'

/** Ends the session at the service, past the browser, which keeps its cookie and hears of it by the stream alone. */
async function signOutElsewhere(context: BrowserContext): Promise<void> {
  const [cookie] = (await context.cookies(demo.bff)).filter(({ name }) => name === COOKIE)
  const headers = { cookie: `${COOKIE}=${cookie?.value}`, origin: demo.spa }
  const answer = await fetch(`${demo.bff}/auth/logout`, { method: 'POST', headers })
  assert.equal(answer.status, 200)
}

/** The next question is answered by the service now; the page gets to see that when it is let through. */
async function holdAnswer(page: Page): Promise<{ readonly isHeld: () => boolean; letThrough(): void }> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let isHeld = false
  const hold = async (route: import('playwright-core').Route): Promise<void> => {
    const response = await route.fetch()
    isHeld = true
    await promise
    await route.fulfill({ response })
  }
  await page.route(SESSION, hold, { times: 1 })
  return { isHeld: () => isHeld, letThrough: resolve }
}

test('an answer from before a sign-out signs nobody in again', async (t) => {
  const { page } = await open(t)
  await signIn(page, demo, 'ada')
  const answer = await holdAnswer(page)
  await page.evaluate(() => Object.assign(window, { asked: window.bff.getSession() }))
  await until(answer.isHeld)
  await page.route('**/auth/logout', async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, json: { logout_url: null } }) // The page stays.
  })
  await page.evaluate(() => window.bff.signOut())
  answer.letThrough()
  await page.evaluate(() => Reflect.get(window, 'asked'))
  assert.deepEqual(await page.evaluate(() => window.heard), [{ who: 'ada' }, { who: null, reason: 'logout' }])
})

test('an answer from before the news of another tab is not taken for an answer to it', async (t) => {
  const { page, context } = await open(t, { expected: [/ERR_FAILED/] })
  await page.route('**/auth/events', (route) => route.abort())
  await signIn(page, demo, 'ada')
  const other = await context.newPage()
  await other.goto(`${demo.spa}/silent`)
  const answer = await holdAnswer(page)
  await page.evaluate(() => void window.bff.getSession())
  await until(answer.isHeld)
  const isTold = page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        new BroadcastChannel(`oten-bff ${new URL(window.bff.signInUrl()).origin}`).onmessage = () => resolve()
      }),
  )
  await other.evaluate(() => void window.bff.signOut())
  await isTold
  answer.letThrough()
  await waitForState(page, 'signed-out')
  assert.deepEqual(await page.evaluate(() => window.heard), [{ who: 'ada' }, { who: null, reason: 'logout' }])
})

for (const next of ['grace', null]) {
  test(`an end by sign-out waits a moment for the session that may take its place: ${next ?? 'none'}`, async (t) => {
    const { page, context } = await open(t)
    await context.clock.install()
    await signIn(page, demo, 'ada')
    await until(async () => (await demo.countStreams()) === 1)
    await context.clock.pauseAt(Date.now() + 5000)
    await signOutElsewhere(context)
    await until(async () => (await demo.countStreams()) === 0)
    await page.evaluate(() => fetch('/')) // What came before this answer has been dealt with.
    if (next !== null) {
      const browser = demo.world.browser()
      await browser.signIn(next)
      await context.addCookies([{ name: COOKIE, value: `${await browser.cookie(COOKIE)}`, url: demo.bff }])
    }
    assert.deepEqual(await page.evaluate(() => window.heard), [{ who: 'ada' }])
    for (let seconds = 0; seconds < 10; seconds++) await context.clock.fastForward(1000)
    const wanted = next === null ? { who: null, reason: 'logout' } : { who: next }
    assert.deepEqual(await waitToHear(page, wanted), [{ who: 'ada' }, wanted])
  })
}
