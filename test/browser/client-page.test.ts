import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { goBack, startStage, waitToHear } from '../client/stage.ts'
import { until } from '../support/until.ts'
import { at, passIdp, setUp, signIn, waitForState } from './support.ts'

const { demo, open } = await setUp(startStage)
const inbox = `${demo.spa}/inbox?view=all`

/** Notes what routers hear, before any script of the page runs. */
const noteHashes = (page: Page): Promise<unknown> =>
  page.addInitScript(() => {
    const hashes: string[] = []
    Object.assign(window, { hashes })
    addEventListener('hashchange', () => hashes.push(location.hash))
  })

test('the fragment of the page is there again after a sign-in, once, and never left the browser', async (t) => {
  const { page } = await open(t)
  const sent: string[] = []
  page.on('request', (request) => sent.push(`${request.url()} ${request.postData()}`))
  await noteHashes(page)
  await page.goto(`${inbox}#part-7`)
  await at(page, 'sign-in').click()
  await passIdp(page, 'ada')
  await waitForState(page, 'signed-in')
  assert.equal(page.url(), `${inbox}#part-7`)
  assert.deepEqual(await page.evaluate(() => Reflect.get(window, 'hashes')), ['#part-7'], 'routers hear of it')
  assert.ok(sent.length > 5)
  assert.deepEqual(
    sent.filter((text) => text.includes('part-7')),
    [],
  )
  assert.ok(!demo.world.logs.some((line) => line.includes('part-7')))

  await page.goto(`${demo.spa}/other`)
  await page.goto(inbox)
  await waitForState(page, 'signed-in')
  assert.equal(page.url(), inbox)
})

test('the fragment is there again after a sign-in that failed, beside its error', async (t) => {
  const { page } = await open(t)
  await page.goto(`${inbox}#part-7`)
  await at(page, 'sign-in').click()
  await passIdp(page, 'ada', 'deny')
  await waitForState(page, 'signed-out')
  assert.equal(page.url(), `${inbox}&auth_error=access_denied#part-7`)
  assert.equal(await page.evaluate(() => window.bff.authError()), 'access_denied')
  assert.equal(page.url(), `${inbox}#part-7`)
})

test('a fragment that the page has by itself stands', async (t) => {
  const { page } = await open(t)
  await page.goto(`${inbox}#part-7`)
  await at(page, 'sign-in').click()
  await page.locator('input[name="login"]').waitFor()
  await page.goto(`${inbox}#other`)
  await waitForState(page, 'signed-out')
  assert.equal(page.url(), `${inbox}#other`)
})

test('the fragment of one page comes up on no other, nor later, nor in another tab', async (t) => {
  const { page, context } = await open(t)
  await page.goto(`${inbox}#part-7`)
  await at(page, 'sign-in').click()
  await page.locator('input[name="login"]').waitFor()
  const other = await context.newPage()
  await other.goto(inbox)
  await waitForState(other, 'signed-out')
  assert.equal(other.url(), inbox)

  await page.goto(`${demo.spa}/other`)
  await waitForState(page, 'signed-out')
  assert.equal(page.url(), `${demo.spa}/other`)
  await page.goto(inbox)
  await waitForState(page, 'signed-out')
  assert.equal(page.url(), inbox)
})

test('who comes back from the IdP by the back button has the fragment, and keeps it for no later visit', async (t) => {
  const { page } = await open(t)
  await page.goto(`${inbox}#part-7`)
  await at(page, 'sign-in').click()
  await page.locator('input[name="login"]').waitFor()
  await goBack(page)
  await waitForState(page, 'signed-out')
  assert.equal(page.url(), `${inbox}#part-7`)
  await page.goto(inbox)
  await waitForState(page, 'signed-out')
  assert.equal(page.url(), inbox)
})

test('a fragment is kept until the browser has left the page, whatever the page asks meanwhile', async (t) => {
  const { page } = await open(t)
  const silent = `${demo.spa}/silent`
  await page.goto(`${silent}#part-7`)
  await page
    .evaluate(async () => {
      await window.bff.signIn()
      dispatchEvent(new PageTransitionEvent('pageshow', { persisted: false })) // Of a page that is left before it was complete.
      await window.bff.getSession().catch(() => {}) // Or the page is gone before the answer.
    })
    .catch(() => {}) // Then this script is, too.
  await passIdp(page, 'ada')
  await page.waitForURL(silent)
  await page.waitForFunction(() => window.bff)
  await page.evaluate(() => window.bff.restoreHash())
  assert.equal(page.url(), `${silent}#part-7`)
})

test('a page that comes out of the page cache asks again who is signed in, and follows the stream again', async (t) => {
  const { page } = await open(t)
  await signIn(page, demo, 'ada')
  await until(async () => (await demo.countStreams()) === 1)
  await page.evaluate(() => {
    addEventListener('pageshow', ({ persisted }) => document.body.setAttribute('data-persisted', `${persisted}`))
  })
  await page.goto(`${demo.spa}/silent`)
  await until(async () => (await demo.countStreams()) === 0)
  await goBack(page)
  await page.locator('body[data-persisted="true"]').waitFor() // Kept whole, though it had listened to a stream.
  await until(async () => (await demo.countStreams()) === 1)
  assert.deepEqual(await page.evaluate(() => window.heard), [{ who: 'ada' }])

  await page.goto(`${demo.spa}/silent`)
  await demo.world.simulator.endSession({ sub: 'ada' })
  await goBack(page)
  await waitForState(page, 'signed-out')
  assert.deepEqual(await page.evaluate(() => window.heard), [{ who: 'ada' }, { who: null }])
})

test('a page that is looked at again asks again', async (t) => {
  const { page } = await open(t, { expected: [/ERR_FAILED/] })
  await page.route('**/auth/events', (route) => route.abort())
  await signIn(page, demo, 'ada')
  await demo.world.simulator.endSession({ sub: 'ada' })
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  await waitToHear(page, { who: null })
})
