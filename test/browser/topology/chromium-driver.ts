import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { type ChromiumOptions, launchChromium, launchChromiumOn } from '../chromium.ts'
import { trustAuthority } from './authority.ts'
import { type Driver, STEP_MS, type Surroundings, type Tab, type Visitor } from './driver.ts'

export const chromiumDriver: Driver = {
  name: 'Chromium',
  async launch(surroundings) {
    const browser = await launchChromium(toOptions(surroundings))
    return {
      openVisitor: async () => createVisitor(await browser.newContext()),
      close: () => browser.close(),
    }
  },
  launchOnProfile: async (surroundings) => createVisitor(await launchOn(surroundings)),
  async launchPrivate(surroundings) {
    const context = await launchOn(surroundings, ['--incognito'])
    // The window that it begins with is the private one; more would be the profile's own.
    return createVisitor(context, async () => context.pages()[0] ?? context.newPage())
  },
}

const launchOn = (surroundings: Surroundings, flags: readonly string[] = []): Promise<BrowserContext> =>
  launchChromiumOn(join(surroundings.folder, 'profile'), toOptions(surroundings, flags))

/** Debian's Chromium looks for authorities in its user's home. */
function toOptions({ hosts, certificates, folder }: Surroundings, flags: readonly string[] = []): ChromiumOptions {
  trustAuthority(join(folder, '.pki/nssdb'), certificates)
  const rules = hosts.map((host) => `MAP ${host} 127.0.0.1`).join()
  return { home: folder, flags: [`--host-resolver-rules=${rules}`, ...flags] }
}

function createVisitor(context: BrowserContext, openPage = () => context.newPage()): Visitor {
  context.setDefaultTimeout(STEP_MS)
  const problems: string[] = []
  context.on('console', (message) => {
    if (message.type() === 'error') problems.push(`${message.text()} ${message.location().url}`)
  })
  context.on('weberror', (error) => problems.push(`uncaught: ${error.error().message}`))
  return {
    problems,
    openTab: async () => createTab(await openPage()),
    cookies: () => context.cookies(),
    forget: ({ name, domain }) => context.clearCookies({ name, domain }),
    close: () => context.close(),
  }
}

const createTab = (page: Page): Tab => ({
  goto: async (url) => void (await page.goto(url)),
  run: (script, argument) => page.evaluate(script as never, argument) as never, // Playwright unwraps handles; there are none.
  prepare: async (script) => void (await page.addInitScript(script)),
  click: (selector) => page.locator(selector).click(),
  type: (selector, text) => page.locator(selector).fill(text),
})
