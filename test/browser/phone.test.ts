import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { startDemo } from './demo-process.ts'
import { at, passIdp, readText, setUp, waitForState } from './support.ts'

const { demo, open } = await setUp(startDemo)
const home = `${demo.phone}/`

type Mode = 'cookie' | 'token'

async function signInOnPhone(page: Page, mode: Mode, action: 'allow' | 'deny' = 'allow'): Promise<void> {
  await page.goto(home)
  await at(page, `mode-${mode}`).check()
  await at(page, 'sign-in').click()
  await passIdp(page, 'ada', action)
}

for (const mode of ['cookie', 'token'] as const) {
  test(`an app that keeps its session as ${mode} signs in, calls the API and signs out`, async (t) => {
    const { page } = await open(t, { expected: [/401.*\/native\//] })
    await signInOnPhone(page, mode)
    await waitForState(page, 'signed-in')
    assert.equal(await readText(page, 'user-name'), 'Ada')
    assert.equal(await readText(page, 'user-sub'), 'ada')
    assert.equal(page.url(), home)

    await at(page, 'call-api').click()
    assert.match(await readText(page, 'api-result'), /Hello Ada\. No cookie arrived\./)
    await page.reload()
    await waitForState(page, 'signed-in')

    await at(page, 'sign-out').click()
    await waitForState(page, 'signed-out')
    await page.reload()
    await waitForState(page, 'signed-out')
  })

  test(`an app that would keep its session as ${mode} leaves none in the system's browser`, async (t) => {
    const { page, context, cookies } = await open(t)
    await signInOnPhone(page, mode)
    await waitForState(page, 'signed-in')
    assert.deepEqual(await cookies(), [])
    const spa = await context.newPage()
    await spa.goto(`${demo.spa}/`)
    await waitForState(spa, 'signed-out')
  })
}

test('a token in the hands of the app is nowhere in the browser but there; a cookie is nowhere at all', async (t) => {
  for (const [mode, hasToken] of [
    ['cookie', false],
    ['token', true],
  ] as const) {
    const { page } = await open(t)
    await signInOnPhone(page, mode)
    await waitForState(page, 'signed-in')
    const [stored, cookie] = await page.evaluate(() => [JSON.stringify({ ...sessionStorage }), document.cookie])
    assert.equal(/token\W+[\w-]{40,}/.test(stored), hasToken, stored)
    assert.doesNotMatch(stored, /eyJ/)
    assert.equal(cookie, '')
  }
})

test('a user who declines comes back to an app that says so kindly, and can sign in after all', async (t) => {
  const { page, cookies } = await open(t)
  await signInOnPhone(page, 'cookie', 'deny')
  assert.match(await readText(page, 'error'), /You declined/)
  await waitForState(page, 'signed-out')
  assert.equal(page.url(), home)
  assert.deepEqual(await cookies(), [])

  await at(page, 'sign-in').click()
  await passIdp(page, 'ada')
  await waitForState(page, 'signed-in')
})

test('a deep link that this app did not ask for signs nobody in', async (t) => {
  const { page } = await open(t)
  await page.goto(`${home}signed-in?code=${'A'.repeat(43)}&state=${'B'.repeat(43)}`)
  assert.match(await readText(page, 'error'), /not for this app/)
  await waitForState(page, 'signed-out')
  assert.equal(page.url(), home)
})

test('an app that signs out can sign out of the IdP too, which then asks for the name again', async (t) => {
  const { page, context } = await open(t)
  await signInOnPhone(page, 'token')
  await waitForState(page, 'signed-in')
  await at(page, 'sign-out').click()
  await waitForState(page, 'signed-out')
  const opened = context.waitForEvent('page')
  await page.getByRole('link', { name: 'Sign out of Oten too' }).click()
  const spa = await opened
  await waitForState(spa, 'signed-out')

  await at(page, 'sign-in').click()
  await page.locator('input[name="login"]').waitFor()
})
