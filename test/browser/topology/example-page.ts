import { until } from '../../support/until.ts'
import { STEP_MS, type Tab } from './driver.ts'

/** What a user clicks on a page of the examples. */
export type Button = 'sign-in' | 'call-api' | 'sign-out'

export type State = 'signed-in' | 'signed-out'

const find = (testId: string): string => `[data-testid="${testId}"]`

/** Runs in the page. */
const isState = (state: string): boolean =>
  document.querySelector(`[data-testid="state"][data-state="${state}"]`) !== null

export const press = (tab: Tab, button: Button): Promise<void> => tab.click(find(button))

/** Waits until the page says that the user is signed in or out. */
export async function waitForState(tab: Tab, state: State): Promise<void> {
  await until(() => tab.run(isState, state), STEP_MS)
}

/** Waits until the page shows a text under a name. */
export async function waitForText(tab: Tab, testId: string, text: string): Promise<void> {
  const shows = ([selector, words]: readonly [string, string]): boolean =>
    document.querySelector(selector)?.textContent?.includes(words) === true
  await until(() => tab.run(shows, [find(testId), text] as const), STEP_MS)
}

const LOGIN = 'input[name="login"]'

/** Waits for the IdP's one form. */
export async function waitForIdp(tab: Tab): Promise<void> {
  await until(() => tab.run((selector) => document.querySelector(selector) !== null, LOGIN), STEP_MS)
}

/** Answers the IdP's one form. */
export async function passIdp(tab: Tab, login: string): Promise<void> {
  await tab.type(LOGIN, login)
  await tab.click('button[name="action"][value="allow"]')
}

/** The whole way: page, IdP, page. */
export async function signIn(tab: Tab, page: string, login: string): Promise<void> {
  await tab.goto(page)
  await press(tab, 'sign-in')
  await passIdp(tab, login)
  await waitForState(tab, 'signed-in')
}

/** Calls the API, and waits for its answer. */
export async function callApi(tab: Tab): Promise<void> {
  await press(tab, 'call-api')
  await waitForText(tab, 'api-result', 'No cookie arrived.')
}

/** @returns when the page comes to show that nobody is signed in, epoch milliseconds */
export const watchForSignedOut = (tab: Tab): Promise<number> =>
  tab.run(
    (selector) =>
      new Promise<number>((resolve) => {
        const look = (): void => {
          if (document.querySelector(selector) !== null) resolve(Date.now())
        }
        new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true })
        look()
      }),
    '[data-testid="state"][data-state="signed-out"]',
  )
