import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDemo } from './demo-process.ts'
import { at, readText, setUp, signIn, waitForState } from './support.ts'
import { devices, signInOnPhone, waitForDevices, waitForEvent } from './tour-support.ts'

const { demo, open } = await setUp(startDemo)

/** What the browser says when a session goes just as it is used. */
const expected = [/401.*\/(native\/)?auth\/(events|sessions)/]

test('the list shows every session of the user, and which one this is', async (t) => {
  const { page } = await open(t)
  const { page: other } = await open(t, {
    userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1',
  })
  const { page: phone } = await open(t)
  const { page: stranger } = await open(t)
  await signIn(page, demo, 'ada')
  await waitForDevices(page, 1)
  assert.equal(await at(page, 'end-others').isVisible(), false)

  await signIn(other, demo, 'ada')
  await signInOnPhone(phone, demo, 'ada')
  await signIn(stranger, demo, 'grace')
  await waitForDevices(page, 3)
  assert.equal(await devices(page, 'browser').count(), 2)
  assert.match((await devices(page, 'app').textContent()) ?? '', /App “demo” on a phone.*signed in just now.*Sign out/)
  const [own = '', ...others] = await devices(page).allTextContents()
  assert.match(own, /Chrome on Linux.*This one/)
  assert.ok(others.some((text) => text.includes('Safari on iOS')))
  for (const text of others) assert.doesNotMatch(text, /This one/)
  const sessionId = await readText(page, 'session-id')
  assert.equal(
    await at(page, 'session-list').locator('[data-current="true"]').getAttribute('data-session-id'),
    sessionId,
  )
  await waitForDevices(stranger, 1)
})

test('a phone that is signed out from the list says so at once, and is gone from the list', async (t) => {
  const { page } = await open(t)
  const { page: phone } = await open(t, { expected })
  await signIn(page, demo, 'bea')
  const following = phone.waitForResponse((response) => response.url().endsWith('/native/auth/events'))
  await signInOnPhone(phone, demo, 'bea')
  await following
  await waitForDevices(page, 2)
  await devices(page, 'app').getByTestId('end-session').click()
  await waitForState(phone, 'signed-out')
  assert.match(await readText(phone, 'notice'), /signed this phone out from another device/)
  assert.match(await readText(page, 'devices-notice'), /App “demo” on a phone is signed out/)
  assert.equal(await devices(page).count(), 1)
  await phone.reload()
  await waitForState(phone, 'signed-out')
})

test('another browser that is signed out from the list says so at once', async (t) => {
  const { page } = await open(t)
  const { page: other } = await open(t, { expected })
  await signIn(page, demo, 'cleo')
  await signIn(other, demo, 'cleo')
  await waitForEvent(other, 'session')
  await waitForDevices(page, 2)
  await at(page, 'session-list').getByTestId('end-session').click()
  await waitForState(other, 'signed-out')
  assert.match(await readText(other, 'notice'), /Your session was ended/)
  assert.match(await waitForEvent(other, 'ended'), /reason: revoked/)
  assert.equal(await devices(page).count(), 1)
  assert.equal(await page.locator('body').getAttribute('data-state'), 'signed-in')
})

test('all others are signed out with one button, and this one stays', async (t) => {
  const { page } = await open(t)
  const { page: other } = await open(t, { expected })
  const { page: phone } = await open(t, { expected })
  await signIn(page, demo, 'dana')
  await signIn(other, demo, 'dana')
  await signInOnPhone(phone, demo, 'dana')
  await waitForDevices(page, 3)
  await at(page, 'end-others').click()
  assert.match(await readText(page, 'devices-notice'), /2 other devices are signed out/)
  await waitForState(other, 'signed-out')
  await waitForState(phone, 'signed-out')
  assert.equal(await devices(page).count(), 1)
  await page.reload()
  await waitForState(page, 'signed-in')
})

test('the list of who signs in next shows nothing of who was here before', async (t) => {
  const { page, context } = await open(t)
  await signIn(page, demo, 'eve')
  await devices(page).first().waitFor()
  await at(page, 'sign-out').click()
  await at(page, 'sign-in').waitFor()
  assert.equal(await at(page, 'session-list').isVisible(), false)
  await context.clearCookies()
  await signIn(page, demo, 'frida')
  await waitForDevices(page, 1)
})

test('the link to the phone opens it beside the page, which stays', async (t) => {
  const { page, context } = await open(t)
  await page.goto(`${demo.spa}/`)
  const opened = context.waitForEvent('page')
  await at(page, 'open-phone').click()
  const phone = await opened
  await waitForState(phone, 'signed-out')
  assert.equal(phone.url(), `${demo.phone}/`)
  await waitForState(page, 'signed-out')
})
