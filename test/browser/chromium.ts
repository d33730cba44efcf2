import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

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
 * Starts headless Chromium with a fresh profile.
 *
 * @throws {Error} saying what to install when there is none
 */
export async function launchChromium(): Promise<Browser> {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin']
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
  if (found === undefined) {
    throw new Error(
      'The browser tests need Chromium, and there is none: install it (Debian: apt-get install chromium).',
    )
  }
  // Playwright turns the page cache off. Users have it, and a page that it brings back may show what is long past.
  const ignoreDefaultArgs = ['--disable-back-forward-cache']
  return chromium.launch({ executablePath: found, args: [...FLAGS], ignoreDefaultArgs })
}
