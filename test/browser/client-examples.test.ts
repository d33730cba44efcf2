import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { startExample } from '../client/example-stage.ts'
import { at, passIdp, readText, setUp } from './support.ts'

const waitFor = (page: Page, state: string): Promise<void> =>
  page.locator(`[data-testid="state"][data-state="${state}"]`).waitFor()

for (const name of ['spa-vanilla', 'spa-react']) {
  const findProject = (serviceUrl: string): string => {
    process.env.BFF_URL = serviceUrl // As for `npm run dev`.
    return fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))
  }
  const { demo, open } = await setUp(() => startExample({ findProject }))

  test(`${name}, on Vite's development server: sign in, call the API, sign out`, async (t) => {
    const { page, cookies } = await open(t)
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    await page.goto(`${demo.spa}/?view=all#part-2`)
    await waitFor(page, 'signed-out')
    assert.equal(asked.filter((path) => path === '/auth/session').length, 1)
    assert.equal(await at(page, 'notice').textContent(), '')
    await at(page, 'sign-in').click()
    await passIdp(page, 'ada')
    await waitFor(page, 'signed-in')
    assert.equal(await readText(page, 'user-name'), 'Ada')
    assert.equal(page.url(), `${demo.spa}/?view=all#part-2`)

    await at(page, 'call-api').click()
    await page.getByText('Hello Ada. No cookie arrived.').waitFor()
    await at(page, 'sign-out').click()
    await waitFor(page, 'signed-out')
    assert.deepEqual(await cookies(), [])
  })

  test(`${name}: who declines is told so, once`, async (t) => {
    const { page } = await open(t)
    await page.goto(`${demo.spa}/`)
    await at(page, 'sign-in').click()
    await passIdp(page, 'ada', 'deny')
    await waitFor(page, 'signed-out')
    assert.match(await readText(page, 'notice'), /You declined/)
    assert.equal(page.url(), `${demo.spa}/`)
    await page.reload()
    await waitFor(page, 'signed-out')
    assert.equal(await at(page, 'notice').textContent(), '')
  })

  test(`${name}: a session that was ended at the IdP is over on the page, which says so`, async (t) => {
    const { page } = await open(t)
    await page.goto(`${demo.spa}/`)
    await at(page, 'sign-in').click()
    const following = page.waitForResponse(`${demo.spa}/auth/events`)
    await passIdp(page, 'grace')
    await waitFor(page, 'signed-in')
    await following
    await demo.world.simulator.endSession({ sub: 'grace' })
    await waitFor(page, 'signed-out')
    assert.match(await readText(page, 'notice'), /You signed out of Oten/)
  })

  test(`${name}: a service that cannot be reached signs nobody out, and is said`, async (t) => {
    const { page } = await open(t, { expected: [/ERR_FAILED/] })
    await page.route('**/auth/session', (route) => route.abort())
    await page.goto(`${demo.spa}/`)
    await waitFor(page, 'unknown')
    assert.match(await readText(page, 'notice'), /cannot be reached/)
    await page.unroute('**/auth/session')
    await page.reload()
    await at(page, 'sign-in').click()
    await passIdp(page, 'ada')
    await waitFor(page, 'signed-in')
    await page.route('**/{auth,api}/**', (route) => route.abort())
    await at(page, 'sign-out').click()
    await page.getByText('The service cannot be reached.').waitFor()
    await waitFor(page, 'signed-in')
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`${name}, ${colorScheme}: no page of it has a barrier that axe knows of`, async (t) => {
      const { page } = await open(t, { colorScheme })
      await page.addInitScript({ path: fileURLToPath(import.meta.resolve('axe-core')) })
      const findBarriers = () =>
        page.evaluate(async () => {
          const { violations } = await (Reflect.get(window, 'axe') as typeof import('axe-core')).run()
          return violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])
        })
      await page.goto(`${demo.spa}/?auth_error=access_denied`)
      await waitFor(page, 'signed-out')
      assert.deepEqual(await findBarriers(), [])
      await at(page, 'sign-in').click()
      await passIdp(page, 'ada')
      await waitFor(page, 'signed-in')
      await at(page, 'call-api').click()
      await page.getByText('Hello Ada').waitFor()
      assert.deepEqual(await findBarriers(), [])
    })
  }
}
