import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeExamplePages } from './build-examples.ts'
import { passIdp, waitForState } from './example-page.ts'
import { setUp } from './set-up.ts'

const { topology, browsers } = await setUp(makeExamplePages('spa-vanilla'))

for (const { name, open } of browsers) {
  test(`${name}: where popups are blocked, signing in works without one, also when no user clicked just before`, async (t) => {
    const tab = await (await open(t)).openTab()
    await tab.prepare(() => {
      const openWindow = window.open
      window.open = (...given) => {
        sessionStorage.opened = 'yes'
        return openWindow.apply(window, given)
      }
      addEventListener('DOMContentLoaded', () => {
        // To know that this browser blocks.
        sessionStorage.blocked ??= openWindow.call(window, 'about:blank') === null ? 'yes' : 'no'
        // A click by script is no user's: what it opens is blocked, and so is what a user's click opens after a wait.
        const press = (): void => {
          const button = document.querySelector<HTMLElement>('[data-state="signed-out"] [data-testid="sign-in"]')
          if (button === null) return
          observer.disconnect()
          sessionStorage.clicked = 'by script'
          button.click()
        }
        const observer = new MutationObserver(press)
        observer.observe(document.body, { subtree: true, attributes: true })
      })
    })
    await tab.goto(`${topology.sites.sibling.spa}/`)
    await passIdp(tab, 'ada')
    await waitForState(tab, 'signed-in')
    const seen = await tab.run(() => ({ ...sessionStorage }), undefined)
    assert.deepEqual(seen, { blocked: 'yes', clicked: 'by script' })
  })
}
