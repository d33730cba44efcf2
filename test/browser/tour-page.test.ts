import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { startDemo } from './demo-process.ts'
import { at, readText, setUp, signIn, waitForState } from './support.ts'
import { devices, signInOnPhone, waitForArrows, waitForDevices, waitForEvent } from './tour-support.ts'

const { demo, open } = await setUp(startDemo)

const TABS_MAX = 60

/** What has the focus, as someone who hears the page would be told. */
const readFocus = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const { activeElement: focused } = document
    return focused?.getAttribute('data-testid') ?? focused?.id ?? ''
  })

/** Goes on with the tabulator until this has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let tabs = 0; tabs < TABS_MAX; tabs++) {
    await page.keyboard.press('Tab')
    if ((await readFocus(page)) === name) return
  }
  assert.fail(`the keyboard does not get to ${name}`)
}

test('nothing is asked of any host but those of the demo, whatever the user does', async (t) => {
  const { page, context } = await open(t)
  const { page: phone, context: ofPhone } = await open(t)
  const asked = new Set<string>()
  for (const each of [context, ofPhone]) each.on('request', (request) => asked.add(new URL(request.url()).origin))
  await signInOnPhone(phone, demo, 'ada')
  await signIn(page, demo, 'ada')
  await waitForDevices(page, 2)
  await waitForEvent(page, 'session')
  await at(page, 'call-api').click()
  await waitForArrows(page, 'GET /api/demo/hello')
  await at(page, 'sign-out').click()
  await waitForState(page, 'signed-out')
  const { spa, bff, simulator } = demo
  assert.deepEqual([...asked].sort(), [spa, bff, demo.phone, simulator].sort())
})

test('the page takes scripts and styles from files alone, and its scripts from two origins', async (t) => {
  const { page } = await open(t)
  const loaded = page.waitForResponse(`${demo.spa}/`)
  await signIn(page, demo, 'ada')
  const policy = (await (await loaded).allHeaders())['content-security-policy'] ?? ''
  assert.match(policy, /^default-src 'none'; script-src 'self' http:\/\/localhost:\d+; style-src 'self';/)
  assert.doesNotMatch(policy, /unsafe|\*/)
  const inline = await page.evaluate(
    () => document.querySelectorAll('script:not([src]), style').length + document.querySelectorAll('[onclick]').length,
  )
  assert.equal(inline, 0)
  const scripts = await page.evaluate(() =>
    performance.getEntriesByType('resource').flatMap(({ name }) => (/\.js$/.test(name) ? [new URL(name).origin] : [])),
  )
  assert.deepEqual([...new Set(scripts)].sort(), [demo.spa, demo.bff].sort())
})

test('a small phone shows all of the page without moving it sideways', async (t) => {
  const { page } = await open(t, { viewport: { width: 320, height: 640 } })
  const { page: phone } = await open(t)
  const assertFits = async (state: string): Promise<void> => {
    const width = await page.evaluate(() => document.documentElement.scrollWidth)
    assert.ok(width <= 320, `${state}: ${width}`)
  }
  await page.goto(`${demo.spa}/`)
  await waitForState(page, 'signed-out')
  await assertFits('signed out')
  await signInOnPhone(phone, demo, 'bea')
  await signIn(page, demo, 'bea')
  await waitForDevices(page, 2)
  await at(page, 'call-api').click()
  await readText(page, 'api-result')
  await page.getByText('The same as a list').click()
  for (const journey of ['sign-in', 'api-call', 'sign-out', 'all']) {
    await at(page, `journey-${journey}`).check()
    await assertFits(journey)
  }
  await page.goto(`${demo.phone}/`)
  await assertFits('phone')
})

test('the keyboard alone goes the whole way, and the focus is never lost', async (t) => {
  const { page } = await open(t)
  const { page: phone } = await open(t)
  await signInOnPhone(phone, demo, 'cleo')
  await page.goto(`${demo.spa}/`)
  await waitForState(page, 'signed-out')
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'To the content')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  assert.equal(await readFocus(page), 'sign-in')
  await page.keyboard.press('Enter')
  await page.locator('input[name="login"]').waitFor()
  await page.keyboard.type('cleo')
  await page.keyboard.press('Enter')
  await waitForState(page, 'signed-in')

  await tabTo(page, 'call-api')
  await page.keyboard.press('Enter')
  await readText(page, 'api-result')
  assert.equal(await readFocus(page), 'call-api')

  await waitForDevices(page, 2)
  await tabTo(page, 'end-session')
  await page.keyboard.press('Enter')
  await waitForState(phone, 'signed-out')
  await readText(page, 'devices-notice')
  assert.equal(await readFocus(page), 'devices') // The button is gone; the next key goes on from here.
  assert.equal(await devices(page).count(), 1)

  await page.locator('input[value="newest"]').focus()
  await page.keyboard.press('ArrowRight')
  assert.equal(await at(page, 'journey-sign-in').isChecked(), true)
  assert.equal((await waitForArrows(page, 'GET /auth/callback'))[0], 'browser > bff GET /auth/start')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  assert.equal(await at(page, 'sequence-list').isVisible(), true)
})
