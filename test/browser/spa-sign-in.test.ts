import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { startDemo } from './demo-process.ts'
import { at, passIdp, readText, setUp, signIn, waitForState } from './support.ts'

const { demo, open } = await setUp(startDemo)
const home = `${demo.spa}/`

const readSeconds = async (page: Page): Promise<number> =>
  Number(await at(page, 'session-expires').getAttribute('data-seconds'))

test('a user signs in with the button, and the page shows who it is and how long it lasts', async (t) => {
  const { page } = await open(t)
  await page.goto(home)
  await waitForState(page, 'signed-out')
  await at(page, 'sign-in').click()
  await page.locator('input[name="login"]').waitFor()
  assert.equal(new URL(page.url()).origin, demo.simulator)

  await passIdp(page, 'ada')
  await waitForState(page, 'signed-in')
  assert.equal(page.url(), home)
  assert.equal(await readText(page, 'user-name'), 'Ada')
  assert.equal(await readText(page, 'user-sub'), 'ada')
  const atFirst = await readSeconds(page)
  assert.ok(atFirst > 43_000 && atFirst <= 43_200, String(atFirst))
  const later = ([id, than]: readonly [string, number]) =>
    Number(document.querySelector<HTMLElement>(`[data-testid="${id}"]`)?.dataset.seconds) < than
  await page.waitForFunction(later, ['session-expires', atFirst] as const)
})

test('a user signs in by a plain link and comes back to the page, its query and nothing more', async (t) => {
  const { page } = await open(t)
  await page.goto(`${home}?view=orders`)
  await at(page, 'sign-in-link').click()
  await passIdp(page, 'grace')
  await waitForState(page, 'signed-in')
  assert.equal(await readText(page, 'user-sub'), 'grace')
  assert.equal(page.url(), `${home}?view=orders`)
})

test('the request object that the browser carries is signed with EdDSA, and all that it carries', async (t) => {
  const { page } = await open(t)
  await page.goto(home)
  await at(page, 'sign-in').waitFor()
  const asked = page.waitForRequest((request) => request.url().startsWith(`${demo.simulator}/`))
  await at(page, 'sign-in').click()
  const { searchParams } = new URL((await asked).url())
  assert.deepEqual([...searchParams.keys()].sort(), ['client_id', 'request'])
  const [header = ''] = (searchParams.get('request') ?? '').split('.')
  assert.equal(JSON.parse(Buffer.from(header, 'base64url').toString()).alg, 'EdDSA')
})

test('a user who declines at the IdP is told so kindly, once, and can sign in after all', async (t) => {
  const { page, cookies } = await open(t)
  await page.goto(`${home}?view=orders`)
  await at(page, 'sign-in').click()
  await passIdp(page, 'ada', 'deny')
  assert.match(await readText(page, 'auth-error'), /You declined/)
  await waitForState(page, 'signed-out')
  assert.equal(page.url(), `${home}?view=orders`)
  assert.deepEqual(await cookies(), [])

  await page.reload()
  await waitForState(page, 'signed-out')
  assert.equal(await at(page, 'auth-error').isVisible(), false)
  await at(page, 'sign-in').click()
  await passIdp(page, 'ada')
  await waitForState(page, 'signed-in')
})

test('a silent sign-in of someone whom the IdP does not know says that it wants to see them', async (t) => {
  const { page, cookies } = await open(t)
  await page.goto(home)
  await at(page, 'sign-in-silent').click()
  assert.match(await readText(page, 'auth-error'), /Oten wants to see you/)
  await waitForState(page, 'signed-out')
  assert.equal(page.url(), home)
  assert.deepEqual(await cookies(), [])
})

test('a silent sign-in of someone who is signed in at the IdP needs no form', async (t) => {
  const { page, context } = await open(t)
  await signIn(page, demo, 'ada')
  await context.clearCookies({ name: 'oten_session' })
  await page.reload()
  await waitForState(page, 'signed-out')
  await at(page, 'sign-in-silent').click()
  await waitForState(page, 'signed-in')
  assert.equal(await readText(page, 'user-sub'), 'ada')
  assert.equal(page.url(), home)
})

test('the cookies are as promised: one of a transaction while it is under way, one of the session after it', async (t) => {
  const { page, cookies } = await open(t)
  await page.goto(home)
  await at(page, 'sign-in').click()
  await page.locator('input[name="login"]').waitFor()
  const nowS = Date.now() / 1000
  const [transaction, ...more] = await cookies()
  assert.deepEqual(more, [])
  assert.match(transaction?.name ?? '', /^oten_tx_[\w-]{8}$/)
  const common = { domain: 'localhost', path: '/', httpOnly: true, secure: false }
  const { name: _name, value: _value, expires: transactionEnd = 0, ...ofTransaction } = transaction ?? {}
  assert.deepEqual(ofTransaction, { ...common, sameSite: 'Lax' })
  assert.ok(transactionEnd > nowS && transactionEnd <= nowS + 600, 'Max-Age of the transaction')

  await passIdp(page, 'ada')
  await waitForState(page, 'signed-in')
  const [session, ...others] = await cookies()
  assert.deepEqual(others, [])
  const { value = '', expires: sessionEnd = 0, ...ofSession } = session ?? {}
  assert.deepEqual(ofSession, { ...common, name: 'oten_session', sameSite: 'Strict' })
  assert.ok(value.length >= 40 && value.length <= 64, String(value.length))
  assert.ok(Math.abs(sessionEnd - nowS - 43_200) < 60, 'Max-Age of the session')
  assert.equal(await page.evaluate(() => document.cookie), '')
})
