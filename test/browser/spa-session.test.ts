import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { startDemo } from './demo-process.ts'
import { at, passIdp, readSession, readText, setUp, signIn, waitForState } from './support.ts'

const TABS = 20

const { demo, open } = await setUp(startDemo)
const home = `${demo.spa}/`

/** Goes back to an earlier page, which the browser brings out of its page cache where it can. */
async function goBack(page: Page, steps: number): Promise<void> {
  await page.evaluate(() => document.body.setAttribute('data-left', ''))
  // A moment later: the page could be gone before it has answered.
  await page.evaluate((delta) => void setTimeout(() => history.go(delta)), -steps)
  await page.locator('body:not([data-left])').waitFor()
  assert.equal(page.url(), home)
}

test('the API is called with the token of the session, and no cookie reaches it', async (t) => {
  const { page } = await open(t)
  await signIn(page, demo, 'ada')
  await at(page, 'call-api').click()
  const answer = JSON.parse(await readText(page, 'api-result')) as Record<string, unknown>
  assert.equal(answer.message, 'Hello Ada. No cookie arrived.')
  assert.equal(answer.sub, 'ada')
  assert.equal(answer.path, '/hello')
  assert.equal(answer.authorizationScheme, 'Bearer')
  assert.ok(Array.isArray(answer.receivedHeaders) && !answer.receivedHeaders.includes('cookie'))
})

test('who asks to stay signed in is told so, and one idle limit starts again', async (t) => {
  const { page } = await open(t)
  await signIn(page, demo, 'ada')
  const touched = page.waitForResponse((response) => response.url() === `${demo.bff}/auth/session?touch=true`)
  await at(page, 'touch').click()
  assert.equal((await touched).status(), 200)
  assert.match(await readText(page, 'notice'), /You stay signed in/)
})

test('signing out ends the session here and at the IdP, which asks for the name the next time', async (t) => {
  const visitor = await open(t)
  const { page, cookies } = visitor
  await signIn(page, demo, 'ada')
  const atIdp = page.waitForRequest((request) => request.url().startsWith(`${demo.simulator}/`))
  await at(page, 'sign-out').click()
  assert.ok(new URL((await atIdp).url()).searchParams.has('id_token_hint'))
  await waitForState(page, 'signed-out')
  assert.equal(page.url(), home)
  assert.deepEqual(await cookies(), [])
  assert.deepEqual(await readSession(visitor, demo), { authenticated: false })

  await at(page, 'sign-in').click()
  await passIdp(page, 'grace')
  await waitForState(page, 'signed-in')
  assert.equal(await readText(page, 'user-sub'), 'grace')
})

test('signing in as somebody else takes the place of the first session', async (t) => {
  const { page, cookies, context } = await open(t)
  await signIn(page, demo, 'ada')
  const [first] = await cookies()
  await context.clearCookies({ domain: '127.0.0.1' }) // The IdP has forgotten; the service has not.
  await page.goto(`${demo.bff}/auth/start?return_to=${encodeURIComponent(home)}`)
  await passIdp(page, 'grace')
  await waitForState(page, 'signed-in')
  assert.equal(await readText(page, 'user-sub'), 'grace')
  const [second, ...more] = await cookies()
  assert.deepEqual(more, [])
  assert.notEqual(second?.value, first?.value)
  const headers = { cookie: `oten_session=${first?.value}` }
  const answer = await fetch(`${demo.bff}/auth/session`, { headers })
  assert.deepEqual(await answer.json(), { authenticated: false })
})

test('the back button after a sign-in shows no page that believes itself signed out', async (t) => {
  const { page } = await open(t)
  await signIn(page, demo, 'ada')
  await goBack(page, 2) // The IdP's form lies between.
  await waitForState(page, 'signed-in')
  assert.equal(await readText(page, 'user-sub'), 'ada')
})

test('the back button after a sign-out shows no page that believes itself signed in', async (t) => {
  const { page } = await open(t)
  await signIn(page, demo, 'ada')
  await at(page, 'sign-out').click()
  await waitForState(page, 'signed-out')
  await goBack(page, 1)
  await waitForState(page, 'signed-out')
  assert.equal(await at(page, 'user-name').isVisible(), false)
})

test('twenty tabs that sign in at once all end up signed in, with one session cookie', async (t) => {
  const visitor = await open(t)
  const { context, page, cookies } = visitor
  const tabs = [page, ...(await Promise.all(Array.from({ length: TABS - 1 }, () => context.newPage())))]
  await Promise.all(tabs.map((tab) => tab.goto(home)))
  await Promise.all(tabs.map((tab) => at(tab, 'sign-in').click()))
  await Promise.all(tabs.map((tab) => tab.locator('input[name="login"]').fill('ada')))
  assert.equal((await cookies()).length, TABS)

  await Promise.all(tabs.map((tab) => tab.locator('button[value="allow"]').click()))
  await Promise.all(tabs.map((tab) => tab.waitForURL(home)))
  await Promise.all(tabs.map((tab) => waitForState(tab, 'signed-in')))
  assert.deepEqual(
    (await cookies()).map(({ name }) => name),
    ['oten_session'],
  )
  assert.equal((await readSession(visitor, demo)).authenticated, true)
  // The sign-ins took each other's place; no tab has come to believe that it was signed out by that.
  for (const tab of tabs) assert.equal(await tab.locator('body').getAttribute('data-state'), 'signed-in')
})

test('signing out in one tab signs out the others, whichever it is', async (t) => {
  const { page, context } = await open(t, { expected: [/401.*\/auth\/events/] })
  const other = await context.newPage()
  for (const [leaving, staying] of [
    [page, other],
    [other, page],
  ] as const) {
    await signIn(page, demo, 'ada')
    await other.goto(home)
    await waitForState(other, 'signed-in')
    await at(leaving, 'sign-out').click()
    await waitForState(staying, 'signed-out')
    assert.match(await readText(staying, 'notice'), /You signed out in another tab/)
    await waitForState(leaving, 'signed-out')
    assert.equal(await at(leaving, 'notice').isVisible(), false)
  }
})
