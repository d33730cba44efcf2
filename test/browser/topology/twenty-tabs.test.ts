import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeEnd } from '../../../examples/spa-vanilla/src/words.ts'
import { makeExamplePages } from './build-examples.ts'
import { press, signIn, waitForState, waitForText, watchForSignedOut } from './example-page.ts'
import { assertInTime } from './in-time.ts'
import { setUp } from './set-up.ts'

/** Browsers open six connections to a host over HTTP/1.1. */
const TABS = 20

const { topology, browsers } = await setUp(makeExamplePages('spa-vanilla'))
const site = topology.sites.sibling

for (const { name, open } of browsers) {
  test(`${name}: of twenty tabs each can call the API, and when one signs out all others show it in time`, async (t) => {
    const visitor = await open(t)
    const leaving = await visitor.openTab()
    await signIn(leaving, `${site.spa}/`, 'ada')
    const tabs = await Promise.all(Array.from({ length: TABS - 1 }, () => visitor.openTab()))
    await Promise.all(tabs.map((tab) => tab.goto(`${site.spa}/`)))
    for (const tab of tabs) await waitForState(tab, 'signed-in')

    const click = (): void => document.querySelector<HTMLElement>('[data-testid="call-api"]')?.click()
    await Promise.all(tabs.map((tab) => tab.run(click, undefined))) // All at once, as no user could.
    for (const tab of tabs) await waitForText(tab, 'api-result', 'No cookie arrived.')

    const seen = tabs.map(watchForSignedOut)
    await press(leaving, 'sign-out')
    const times = await Promise.all(seen)
    const answer = site.requests().findLast(({ method, path }) => method === 'POST' && path === '/auth/logout')
    assert.ok(answer)
    assertInTime(t, answer.time, times)
    for (const tab of tabs) await waitForText(tab, 'notice', describeEnd('logout'))
    await waitForState(leaving, 'signed-out')
  })
}
