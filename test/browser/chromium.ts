import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type LaunchOptions } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'] as const

const FLAGS = [
  '--no-sandbox', // Tests also run as root, where Chromium's sandbox cannot start.
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
] as const

/**
 * What Playwright turns off, and users have: the page cache, which may bring back a page that shows what is long past, and
 * the blocker of popups.
 */
const AS_USERS_HAVE_IT = ['--disable-back-forward-cache', '--disable-popup-blocking']

export interface ChromiumOptions {
  readonly flags?: readonly string[]
  /** A folder in whose `.pki/nssdb` it finds authorities to trust. */
  readonly home?: string
}

/**
 * Starts headless Chromium with a fresh profile.
 *
 * @throws {Error} saying what to install when there is none
 */
export const launchChromium = (options: ChromiumOptions = {}): Promise<Browser> =>
  chromium.launch(buildLaunchOptions(options))

/** The same on a profile that outlives it. */
export const launchChromiumOn = (profile: string, options: ChromiumOptions = {}): Promise<BrowserContext> =>
  chromium.launchPersistentContext(profile, buildLaunchOptions(options))

function buildLaunchOptions({ flags = [], home }: ChromiumOptions): LaunchOptions {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin']
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
  if (found === undefined) {
    throw new Error(
      'The browser tests need Chromium, and there is none: install it (Debian: apt-get install chromium).',
    )
  }
  return {
    executablePath: found,
    args: [...FLAGS, ...flags],
    ignoreDefaultArgs: AS_USERS_HAVE_IT,
    ...(home !== undefined && { env: { ...process.env, HOME: home } }),
  }
}
