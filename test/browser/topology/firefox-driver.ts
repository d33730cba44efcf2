import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'puppeteer-core'
import { endWithUs } from '../../support/end-with-us.ts'
import { launchFirefox } from '../firefox.ts'
import { trustAuthority } from './authority.ts'
import { type Driver, STEP_MS, type Surroundings, type Tab, type Visitor } from './driver.ts'

export const firefoxDriver: Driver = {
  name: 'Firefox',
  async launch(surroundings) {
    const browser = await launch(surroundings)
    return {
      openVisitor: async () => {
        const context = await browser.createBrowserContext()
        return createVisitor(context, () => context.close())
      },
      close: () => browser.close(),
    }
  },
  launchOnProfile: async (surroundings) => visitDefault(await launch(surroundings)),
  launchPrivate: async (surroundings) => visitDefault(await launch(surroundings, true)),
}

async function launch({ hosts, certificates, folder }: Surroundings, isPrivate = false): Promise<Browser> {
  const profile = join(folder, 'profile')
  trustAuthority(profile, certificates)
  const home = join(folder, 'home')
  mkdirSync(home, { recursive: true })
  const browser = await launchFirefox({ profile, home, hosts, isPrivate })
  const child = browser.process()
  if (child !== null) endWithUs(child)
  return browser
}

const visitDefault = (browser: Browser): Visitor =>
  createVisitor(browser.defaultBrowserContext(), () => browser.close())

function createVisitor(context: BrowserContext, close: () => Promise<void>): Visitor {
  const problems: string[] = []
  return {
    problems,
    async openTab() {
      const page = await context.newPage()
      page.setDefaultTimeout(STEP_MS)
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(`${message.text()} ${message.location().url}`)
      })
      page.on('pageerror', (error) =>
        problems.push(`uncaught: ${error instanceof Error ? error.message : String(error)}`),
      )
      return createTab(page)
    },
    cookies: async () =>
      (await context.cookies()).map(({ name, value, domain, path, httpOnly = false, secure, sameSite, expires }) => {
        return { name, value, domain, path, httpOnly, secure, sameSite, expires }
      }),
    forget: async (cookie) => context.deleteMatchingCookies({ name: cookie.name, domain: cookie.domain }),
    close,
  }
}

const createTab = (page: Page): Tab => {
  // In front, as for a user: a page behind others is drawn rarely, and what is to be clicked must lie still when drawn.
  const find = async (selector: string) => {
    await page.bringToFront()
    return page.locator(selector)
  }
  return {
    goto: async (url) => void (await page.goto(url)),
    run: (script, argument) => page.evaluate(script as never, argument as never) as never,
    prepare: async (script) => void (await page.evaluateOnNewDocument(script)),
    click: async (selector) => (await find(selector)).click(),
    type: async (selector, text) => (await find(selector)).fill(text),
  }
}
