import type { Locator, Page } from 'playwright-core'
import type { DemoUrls } from './demo-process.ts'
import { at, passIdp, waitForState } from './support.ts'

/** The whole way on the phone: app, IdP, app. */
export async function signInOnPhone(page: Page, { phone }: DemoUrls, login: string): Promise<void> {
  await page.goto(`${phone}/`)
  await at(page, 'sign-in').click()
  await passIdp(page, login)
  await waitForState(page, 'signed-in')
}

/** Sessions in the list of a page, of one kind or of both. */
export const devices = (page: Page, kind?: 'browser' | 'app'): Locator =>
  at(page, 'session-list').locator(kind === undefined ? 'li' : `li[data-kind="${kind}"]`)

/** Waits until the list has so many sessions; the page looks again when it is asked to. */
export async function waitForDevices(page: Page, count: number): Promise<void> {
  await at(page, 'reload-sessions').click()
  await devices(page)
    .nth(count - 1)
    .waitFor()
  await devices(page).nth(count).waitFor({ state: 'detached' })
}

/** Waits for a line of the log. @returns all of it */
export async function waitForEvent(page: Page, name: string): Promise<string> {
  const line = at(page, 'event-log').locator(`li[data-event="${name}"]`).first()
  await line.waitFor()
  return (await line.textContent()) ?? ''
}

/**
 * Waits until the picture shows this request, and each request in it has its answer.
 *
 * @returns its arrows from top to bottom, such as `bff > browser 303 + session cookie`
 */
export async function waitForArrows(page: Page, request: string): Promise<string[]> {
  await page.waitForFunction((label) => {
    const count = (selector: string): number => document.querySelectorAll(`svg .arrow${selector}`).length
    return count(`[data-label="${label}"]`) > 0 && count('.request') === count('.answer')
  }, request)
  return at(page, 'sequence')
    .locator('svg .arrow')
    .evaluateAll((arrows) =>
      arrows.map((arrow) => {
        const { from, to, label, carried } = (arrow as SVGGElement).dataset
        return `${from} > ${to} ${label}${carried === '' ? '' : ` + ${carried}`}`
      }),
    )
}
