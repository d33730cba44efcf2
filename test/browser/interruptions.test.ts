import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startPieces } from './pieces.ts'
import { at, passIdp, readText, setUp, signIn, waitForState } from './support.ts'

const { demo, open } = await setUp(startPieces)

/** What the browser says by itself while nobody answers, or somebody who has only just begun; what script throws is not among it. */
const expected = [
  /^Failed to load resource|^Access to (?:fetch|resource) at .* blocked by CORS policy|ERR_INCOMPLETE_CHUNKED_ENCODING/,
]

test('a user stays signed in when the service is killed and started again', async (t) => {
  const { page } = await open(t, { expected })
  await signIn(page, demo, 'ada')
  await demo.killBff()
  await page.reload()
  await waitForState(page, 'unknown') // Not "signed out", which would be false.
  await demo.startBff()
  await at(page, 'retry').click()
  await waitForState(page, 'signed-in')
  assert.equal(await readText(page, 'user-sub'), 'ada')
  await at(page, 'call-api').click()
  assert.match(await readText(page, 'api-result'), /Hello Ada/)
})

test('a list of devices and a call that nobody answers say so, and do it when somebody does again', async (t) => {
  const { page } = await open(t, { expected })
  await signIn(page, demo, 'ada')
  await demo.killBff()
  await at(page, 'reload-sessions').click()
  await page.getByTestId('devices-notice').filter({ hasText: 'did not answer' }).waitFor()
  await at(page, 'call-api').click()
  await at(page, 'problem').filter({ hasText: 'did not answer' }).waitFor()
  assert.match(await readText(page, 'api-result'), /no_answer/)
  await demo.startBff()
  await at(page, 'call-api').click()
  await page.getByTestId('api-result').filter({ hasText: 'Hello Ada' }).waitFor()
})

test('a sign-in completes when the service is killed while the user is at the IdP', async (t) => {
  const { page, cookies } = await open(t, { expected })
  await page.goto(`${demo.spa}/`)
  await at(page, 'sign-in').click()
  await page.locator('input[name="login"]').waitFor()
  await demo.killBff()
  await demo.startBff()
  await passIdp(page, 'ada')
  await waitForState(page, 'signed-in')
  assert.equal(await readText(page, 'user-sub'), 'ada')
  assert.deepEqual(
    (await cookies()).map(({ name }) => name),
    ['oten_session'],
  )
})

test('an app stays signed in when the service is killed and started again', async (t) => {
  const { page } = await open(t, { expected }) // The phone looks for its stream meanwhile.
  await page.goto(`${demo.phone}/`)
  await at(page, 'mode-token').check()
  await at(page, 'sign-in').click()
  await passIdp(page, 'ada')
  await waitForState(page, 'signed-in')
  await demo.killBff()
  await demo.startBff()
  await page.reload()
  await waitForState(page, 'signed-in')
  assert.equal(await readText(page, 'user-sub'), 'ada')
})

test('a page hears at once that its session was ended at the IdP, and says so', async (t) => {
  const { page, cookies } = await open(t)
  const watching = page.waitForResponse(
    (answer) => answer.url() === `${demo.bff}/auth/events` && answer.status() === 200,
  )
  await signIn(page, demo, 'ada')
  const [before] = await cookies()
  assert.equal(before?.name, 'oten_session')
  await watching
  await demo.idp.endSession({ sub: 'ada' })
  await waitForState(page, 'signed-out')
  assert.match(await readText(page, 'notice'), /You signed out of Oten/)
})
