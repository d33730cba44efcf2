import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDemo } from './demo-process.ts'
import { at, setUp, signIn, waitForState } from './support.ts'
import { waitForEvent } from './tour-support.ts'

// A minute before the end is a moment after the beginning, and no test waits for the end.
const { demo, open } = await setUp(() => startDemo({ SESSION_IDLE_S: '62' }))

test('the log shows that a session begins, and says a minute before that it will end', async (t) => {
  const { page } = await open(t)
  await signIn(page, demo, 'ada')
  assert.match(await waitForEvent(page, 'session'), /^\d\d:\d\d:\d\dsessionends in 11:59:\d\d|12:00:00/)
  assert.match(await waitForEvent(page, 'expiring'), /ends in (1:00|0:\d\d)$/)
  await waitForState(page, 'signed-in')
})

test('the log of another tab shows that the session was ended, and why', async (t) => {
  const { page, context } = await open(t, { expected: [/401.*\/auth\/events/] })
  await signIn(page, demo, 'grace')
  await waitForEvent(page, 'session')
  const other = await context.newPage()
  await other.goto(`${demo.spa}/`)
  await waitForState(other, 'signed-in')
  await at(other, 'sign-out').click()
  assert.match(await waitForEvent(page, 'ended'), /reason: logout/)
  await waitForState(page, 'signed-out')
})
