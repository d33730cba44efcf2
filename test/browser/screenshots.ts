import { mkdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { launchChromium } from './chromium.ts'
import { type Demo, startDemo } from './demo-process.ts'
import { at, readText, signIn } from './support.ts'
import { signInOnPhone, waitForArrows } from './tour-support.ts'

const FOLDER = fileURLToPath(new URL('../../docs/images/', import.meta.url))
const OCTETS_MAX = 150 * 1024

const DESKTOP = { viewport: { width: 1280, height: 800 } } as const
const TALL = { viewport: { width: 1280, height: 960 } } as const
const HANDHELD = { viewport: { width: 390, height: 844 } } as const

interface Shot {
  readonly name: string
  readonly options: BrowserContextOptions
  /** Brings the page into the state to be shown. */
  readonly prepare: (page: Page, demo: Demo) => Promise<void>
  /** Id of what is to stand at the top; otherwise the page does. */
  readonly top?: string
}

async function signInOnSpa(page: Page, demo: Demo): Promise<void> {
  await signIn(page, demo, 'ada')
}

async function callApiOnSpa(page: Page, demo: Demo): Promise<void> {
  await signIn(page, demo, 'ada')
  await at(page, 'call-api').click()
  await readText(page, 'api-result')
}

async function lookUnderTheHood(page: Page, demo: Demo): Promise<void> {
  await signIn(page, demo, 'ada')
  await waitForArrows(page, 'GET /auth/session')
}

const SHOTS: readonly Shot[] = [
  { name: 'spa-desktop', options: DESKTOP, prepare: signInOnSpa },
  { name: 'spa-phone', options: HANDHELD, prepare: signInOnSpa },
  { name: 'spa-dark', options: { ...DESKTOP, colorScheme: 'dark' }, prepare: callApiOnSpa },
  { name: 'spa-hood', options: TALL, prepare: lookUnderTheHood, top: 'hood' },
  { name: 'phone', options: DESKTOP, prepare: (page, demo) => signInOnPhone(page, demo, 'ada') },
]

async function takeShot(browser: Browser, demo: Demo, { name, options, prepare, top }: Shot): Promise<void> {
  const context = await browser.newContext({
    deviceScaleFactor: 1,
    reducedMotion: 'reduce',
    locale: 'en-GB',
    ...options,
  })
  const page = await context.newPage()
  await prepare(page, demo)
  await page.evaluate((id) => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
    document.body.style.backgroundImage = 'none' // Its faint glow is dithered, which doubles the size of a picture.
    scrollTo(0, 0)
    if (id !== undefined) document.getElementById(id)?.scrollIntoView()
  }, top)
  const path = `${FOLDER}${name}.png`
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' })
  await context.close()
  const { size } = statSync(path)
  if (size > OCTETS_MAX) throw new Error(`${name}.png has ${size} octets, more than ${OCTETS_MAX}`)
  console.log(`docs/images/${name}.png ${Math.ceil(size / 1024)} kB`)
}

/** Takes the pictures of the README from the running demo. */
async function main(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true })
  const browser = await launchChromium()
  try {
    const demo = await startDemo({ DEMO_PORT: '3000' }) // As `npm run demo`, whose addresses the pictures show.
    try {
      for (const shot of SHOTS) await takeShot(browser, demo, shot)
    } finally {
      await demo.stop()
    }
  } finally {
    await browser.close()
  }
}

await main()
