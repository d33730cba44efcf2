import assert from 'node:assert/strict'
import { after, type TestContext } from 'node:test'
import type { Browser, BrowserContext, BrowserContextOptions, Cookie, Page } from 'playwright-core'
import { launchChromium } from './chromium.ts'
import type { DemoUrls } from './demo-process.ts'

/** Chromium says it by itself when a stream is asked for just as its session goes; the page deals with it. */
const REFUSED_STREAM = /401.*\/auth\/events$/

/** Generous, since two test files share the machine; nothing waits longer than it must. */
const WAIT_MS = 90_000

/** One person's browser: cookies and storage of its own. */
export interface Visitor {
  readonly context: BrowserContext
  readonly page: Page
  /** Cookies of the service as the browser keeps them. */
  cookies(): Promise<Cookie[]>
}

export interface VisitorOptions extends BrowserContextOptions {
  /** Console and page errors that belong to the test; any other fails it. */
  readonly expected?: readonly RegExp[]
}

export type Open = (t: TestContext, options?: VisitorOptions) => Promise<Visitor>

/**
 * One Chromium and one demo for a test file, closed after its last test.
 *
 * @param start starts the demo, or its pieces
 */
export async function setUp<D extends DemoUrls & { stop(): Promise<void> }>(
  start: () => Promise<D>,
): Promise<{ readonly demo: D; readonly open: Open }> {
  const browser = await launchChromium()
  after(() => browser.close())
  const demo = await start().catch(async (cause) => {
    await browser.close() // Or the open browser keeps a file alive whose tests were never known.
    throw cause
  })
  after(() => demo.stop())
  return { demo, open: (t, options) => openVisitor(t, browser, demo, options) }
}

async function openVisitor(
  t: TestContext,
  browser: Browser,
  { bff }: DemoUrls,
  { expected = [], ...options }: VisitorOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(WAIT_MS)
  const problems: string[] = []
  const note = (text: string): void => {
    if (![REFUSED_STREAM, ...expected].some((pattern) => pattern.test(text))) problems.push(text)
  }
  context.on('console', (message) => {
    if (message.type() === 'error') note(`${message.text()} ${message.location().url}`)
  })
  context.on('weberror', (error) => note(`uncaught: ${error.error().message}`))
  t.after(async () => {
    await context.close()
    assert.deepEqual(problems, [], 'errors on the console or in a page')
  })
  return { context, page: await context.newPage(), cookies: () => context.cookies(bff) }
}

/** The element that a page names for tests. */
export const at = (page: Page, testId: string) => page.getByTestId(testId)

/** Waits until a page of the demo says that it is signed in or out. */
export async function waitForState(page: Page, state: 'signed-in' | 'signed-out' | 'unknown'): Promise<void> {
  await page.locator(`body[data-state="${state}"]`).waitFor()
}

/** Waits for the IdP's one form, and answers it. */
export async function passIdp(page: Page, login: string, action: 'allow' | 'deny' = 'allow'): Promise<void> {
  await page.locator('input[name="login"]').fill(login)
  await page.locator(`button[name="action"][value="${action}"]`).click()
}

/** The whole way on the SPA: page, IdP, page. */
export async function signIn(page: Page, { spa }: DemoUrls, login: string): Promise<void> {
  await page.goto(`${spa}/`)
  await at(page, 'sign-in').click()
  await passIdp(page, login)
  await waitForState(page, 'signed-in')
}

/** Text that a page comes to show at an element. */
export async function readText(page: Page, testId: string): Promise<string> {
  const element = at(page, testId)
  await element.waitFor()
  return (await element.textContent()) ?? ''
}

/** What script on a page may say of a request; plain data, since it travels into the browser. */
export interface PageRequest {
  readonly method?: string
  readonly mode?: 'cors' | 'no-cors'
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** Runs in a page: asks with its cookies; `blocked` when the browser does not let script see the answer. */
export async function askInPage([target, options]: readonly [url: string, init: PageRequest]): Promise<string> {
  try {
    const answer = await fetch(target, { credentials: 'include', ...options })
    return `${answer.type} ${answer.status} ${await answer.text()}`
  } catch {
    return 'blocked'
  }
}

/** Asks the service as script on this page would; `blocked` when the browser does not let it see the answer. */
export const askFromPage = (page: Page, url: string, init: PageRequest = {}): Promise<string> =>
  page.evaluate(askInPage, [url, init] as const)

/** Whom the service knows in this browser: asked with its cookies, past its pages. */
export async function readSession({ context }: Visitor, { bff }: DemoUrls): Promise<Record<string, unknown>> {
  const answer = await context.request.get(`${bff}/auth/session`)
  return (await answer.json()) as Record<string, unknown>
}
