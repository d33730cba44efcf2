import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { startDemo } from './demo-process.ts'
import { at, passIdp, readText, setUp, signIn, waitForState } from './support.ts'
import { signInOnPhone, waitForArrows, waitForDevices, waitForEvent } from './tour-support.ts'

const { demo, open } = await setUp(startDemo)

/** Given to the page by the browser's debugger: the page's own policy would not let it in. */
const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

const LOOKS = [
  { colorScheme: 'light', size: { width: 1280, height: 900 } },
  { colorScheme: 'dark', size: { width: 1280, height: 900 } },
  { colorScheme: 'light', size: { width: 390, height: 844 } },
  { colorScheme: 'dark', size: { width: 390, height: 844 } },
] as const

/** Still: colours that are on their way to others would be measured as they pass. */
const still = { reducedMotion: 'reduce' } as const

interface Result {
  readonly passes: number
  readonly violations: readonly string[]
}

async function examine(page: Page): Promise<Result> {
  await page.evaluate(AXE)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') } // The script above has set it.
    const { passes, violations } = await axe.run()
    const describe = ({ id, nodes }: (typeof violations)[number]): string =>
      `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`
    return { passes: passes.length, violations: violations.map(describe) }
  })
}

/** No rule of axe is broken, in either colour scheme, on a desk and in a hand; and nothing has to be moved sideways. */
async function assertAccessible(page: Page, state: string): Promise<void> {
  for (const { colorScheme, size } of LOOKS) {
    await page.emulateMedia({ colorScheme, ...still })
    await page.setViewportSize(size)
    const { passes, violations } = await examine(page)
    assert.deepEqual(violations, [], `${state}, ${colorScheme}, ${size.width} wide`)
    assert.ok(passes > 20, 'the rules were applied')
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${state} is too wide`)
  }
}

test('the single-page app is accessible when nobody is signed in, and after an error', async (t) => {
  const { page } = await open(t, still)
  await page.goto(`${demo.spa}/`)
  await waitForState(page, 'signed-out')
  await assertAccessible(page, 'signed out')
  await at(page, 'sign-in').click()
  await passIdp(page, 'ada', 'deny')
  await readText(page, 'auth-error')
  await assertAccessible(page, 'declined')
})

test('the single-page app is accessible with everything that it can show', async (t) => {
  const { page } = await open(t, still)
  const { page: phone } = await open(t, still)
  await signInOnPhone(phone, demo, 'ada')
  await signIn(page, demo, 'ada')
  await waitForDevices(page, 2)
  await waitForEvent(page, 'session')
  await at(page, 'touch').click()
  await readText(page, 'notice')
  await at(page, 'call-api').click()
  await readText(page, 'api-result')
  await at(page, 'signature').getByText('valid').waitFor()
  await waitForArrows(page, 'GET /api/demo/hello')
  await page.getByText('The same as a list').click()
  await at(page, 'session-list').getByTestId('end-session').click()
  await readText(page, 'devices-notice')
  await assertAccessible(page, 'signed in')
})

test('the single-page app is accessible when the service does not answer', async (t) => {
  const { page, context } = await open(t, { ...still, expected: [/ERR_FAILED/] })
  await context.route(`${demo.bff}/**`, (route) => route.abort())
  await page.goto(`${demo.spa}/`)
  await waitForState(page, 'unknown')
  await assertAccessible(page, 'unknown')
})

test('the phone is accessible in each of its states', async (t) => {
  const { page } = await open(t, still)
  await page.goto(`${demo.phone}/`)
  await waitForState(page, 'signed-out')
  await assertAccessible(page, 'phone, signed out')
  await at(page, 'sign-in').click()
  await passIdp(page, 'ada', 'deny')
  await readText(page, 'error')
  await assertAccessible(page, 'phone, declined')
  await signInOnPhone(page, demo, 'ada')
  await at(page, 'call-api').click()
  await readText(page, 'api-result')
  await assertAccessible(page, 'phone, signed in')
  await at(page, 'sign-out').click()
  await readText(page, 'notice')
  await assertAccessible(page, 'phone, signed out again')
})
