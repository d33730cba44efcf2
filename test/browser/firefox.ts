import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import puppeteer, { type Browser } from 'puppeteer-core'

const NAMES = ['firefox-esr', 'firefox'] as const

/** As users have it, where the driver sets something else for its own tests. */
const AS_USERS_HAVE_IT = {
  'browser.contentblocking.features.standard': '-tp,tpPrivate,cookieBehavior5,cookieBehaviorPBM5,cryptoTP,fp',
  'network.cookie.cookieBehavior': 5, // Total Cookie Protection: the cookies of a foreign site are kept apart by the page's own.
  'dom.disable_open_during_load': true, // Blocks popups that nobody clicked for.
} as const

export interface FirefoxOptions {
  /** An existing folder: settings, certificates, cookies. Whoever made it removes it. */
  readonly profile: string
  /** An existing folder of its own; Firefox writes beside the profile, too. */
  readonly home: string
  /** Names that stand for this machine. */
  readonly hosts?: readonly string[]
  /** Every window is a private one. */
  readonly isPrivate?: boolean
}

/**
 * Starts headless Firefox.
 *
 * @throws {Error} saying what to install when there is none
 */
export async function launchFirefox({
  profile,
  home,
  hosts = [],
  isPrivate = false,
}: FirefoxOptions): Promise<Browser> {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin']
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
  if (found === undefined) {
    throw new Error(
      'The browser tests need Firefox, and there is none: install it (Debian: apt-get install firefox-esr).',
    )
  }
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: found,
    userDataDir: profile,
    env: { ...process.env, HOME: home },
    extraPrefsFirefox: {
      ...AS_USERS_HAVE_IT,
      'browser.chrome.site_icons': false, // It would complain on the console about each page that forbids its own icon.
      'network.dns.localDomains': hosts.join(),
      'browser.privatebrowsing.autostart': isPrivate,
    },
  })
}
