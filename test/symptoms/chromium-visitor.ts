import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, type TestContext } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { launchChromium } from '../browser/chromium.ts'
import { passIdp } from '../browser/support.ts'
import { until } from '../support/until.ts'
import type { World } from '../support/world.ts'

/** Generous, since other tests share the machine; nothing waits longer than it must. */
const WAIT_MS = 60_000

/** Somebody in front of a browser with its console open. */
export interface Visitor {
  readonly context: BrowserContext
  readonly page: Page
  /** @returns the first error on the console that has these words, once it is there */
  findError(words: string | RegExp): Promise<string>
}

/** One Chromium for a test file, closed after its last test. */
export async function setUpChromium(): Promise<(t: TestContext) => Promise<Visitor>> {
  const browser = await launchChromium()
  after(() => browser.close())
  return async (t) => {
    const context = await browser.newContext()
    context.setDefaultTimeout(WAIT_MS)
    t.after(() => context.close())
    const errors: string[] = []
    context.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text())
    })
    const findError = async (words: string | RegExp): Promise<string> => {
      const find = () => errors.find((text) => (typeof words === 'string' ? text.includes(words) : words.test(text)))
      await until(() => find() !== undefined, WAIT_MS).catch((cause: unknown) => {
        throw new Error(`the console does not say ${words}, but ${JSON.stringify(errors)}`, { cause })
      })
      return find() ?? ''
    }
    return { context, page: await context.newPage(), findError }
  }
}

/** A frontend of a developer's: one page at every path, on either name of this machine. */
export interface Frontend {
  readonly url: string
  /** The same under the address, which is another site for a browser. */
  readonly otherSiteUrl: string
}

/** @param readScript gives what runs on the page, each time that it is asked for */
export async function startFrontend(t: TestContext, readScript = (): string => ''): Promise<Frontend> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
    response.end(`<!doctype html><link rel="icon" href="data:,"><body><script type="module">${readScript()}</script>`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo // Listening on TCP, so not a path.
  return { url: `http://localhost:${port}`, otherSiteUrl: `http://127.0.0.1:${port}` }
}

/** By a link on some page, and through the IdP's form, until the browser is back. */
export async function signIn(page: Page, { publicUrl }: Pick<World, 'publicUrl'>, returnTo: string): Promise<void> {
  await page.goto(`${publicUrl}/auth/start?return_to=${encodeURIComponent(returnTo)}`)
  await passIdp(page, 'ada')
  await page.waitForURL((url) => url.href.startsWith(returnTo))
}

/** Plain data, since it travels into the browser. */
export interface PageFetch {
  readonly credentials?: 'include'
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** What script on the page is answered, as `status body`; `blocked` when the browser hides it. */
export const fetchFrom = (page: Page, url: string, init: PageFetch = { credentials: 'include' }): Promise<string> =>
  page.evaluate(
    ([target, options]) =>
      fetch(target, options).then(
        async (answer) => `${answer.status} ${await answer.text()}`,
        () => 'blocked',
      ),
    [url, init] as const,
  )
