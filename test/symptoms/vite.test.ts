import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createServer } from 'vite'
import { passIdp } from '../browser/support.ts'
import { createWorld, getFreePort } from '../support/world.ts'
import { fetchFrom, setUpChromium, signIn } from './chromium-visitor.ts'
import { assertQuoted } from './guide.ts'

const open = await setUpChromium()

interface ViteOptions {
  /** Where `/auth` is sent on to, as Vite's guide shows it; nowhere when absent. */
  readonly service?: string
  /** A service worker that the page registers. */
  readonly worker?: string
}

const PAGE_HTML = '<!doctype html><link rel="icon" href="data:,"><p>a page</p>'
const REGISTER = `<script type="module">
  await navigator.serviceWorker.register('/worker.js')
  await navigator.serviceWorker.ready
  document.body.append('a worker is there')
</script>`

/** A page on Vite's own server. @returns its origin */
async function startVite(t: TestContext, port: number, { service, worker }: ViteOptions): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'vite-test-'))
  writeFileSync(join(root, 'index.html'), worker === undefined ? PAGE_HTML : PAGE_HTML + REGISTER)
  if (worker !== undefined) writeFileSync(join(root, 'worker.js'), worker)
  const target = service?.replace('localhost', '127.0.0.1') // Where tests have the service listen.
  const proxy = target === undefined ? {} : { '/auth': { target, changeOrigin: true } }
  const server = { host: '127.0.0.1', port, strictPort: true, proxy, hmr: false, watch: null }
  const vite = await createServer({ root, configFile: false, cacheDir: root, logLevel: 'silent', server })
  t.after(async () => {
    await vite.close()
    rmSync(root, { recursive: true, force: true })
  })
  await vite.listen()
  return `http://localhost:${port}`
}

/** The service as Vite's page knows it: under Vite's own address. */
async function openBehindVite(t: TestContext, options: Omit<ViteOptions, 'service'> = {}) {
  const port = await getFreePort()
  const publicUrl = `http://localhost:${port}`
  const client = { redirectUris: [`${publicUrl}/auth/callback`] }
  const world = await createWorld(t, { env: { PUBLIC_URL: publicUrl, ALLOWED_ORIGINS: '' }, client })
  await startVite(t, port, { ...options, service: world.publicUrl })
  return { publicUrl }
}

test('behind Vite’s proxy a PUBLIC_URL of the service’s port ends sign-ins on a 404 and makes POSTs 403; Vite’s own works', async (t) => {
  const port = await getFreePort()
  const frontend = `http://localhost:${port}`
  const world = await createWorld(t, { env: { ALLOWED_ORIGINS: '' } })
  await startVite(t, port, { service: world.publicUrl })
  const { page } = await open(t)
  await page.goto(`${frontend}/auth/start`)
  await passIdp(page, 'ada')
  await page.waitForURL(`${world.publicUrl}/`)
  const lost = (await page.textContent('body')) ?? ''
  assertQuoted(/^\{"error":"not_found","error_description":"[^"]+"/.exec(lost)?.[0] ?? lost)
  await page.goto(frontend)
  const refused = await fetchFrom(page, '/auth/logout', { method: 'POST' })
  assertQuoted(/^403 (\{"error":"forbidden_origin","error_description":"[^"]+")/.exec(refused)?.[1] ?? refused)
  const line = world.events('refused').find(({ code }) => code === 'forbidden_origin')
  assertQuoted(`"code":"forbidden_origin","reason":"${line?.reason}"`)

  const cured = await openBehindVite(t)
  await signIn(page, cured, `${cured.publicUrl}/`)
  assert.equal(await page.textContent('p'), 'a page')
  assert.match(await fetchFrom(page, '/auth/session'), /^200 \{"authenticated":true/)
  assert.match(await fetchFrom(page, '/auth/logout', { method: 'POST' }), /^200 /)
})

test('where nobody sends /auth on to the service, a page gets its own HTML instead of JSON; with the proxy it gets JSON', async (t) => {
  const { page } = await open(t)
  const readSession = (): Promise<string> =>
    page.evaluate(() => fetch('/auth/session').then((answer) => answer.json().then(JSON.stringify, String)))
  await page.goto(await startVite(t, await getFreePort(), {}))
  assertQuoted(await readSession())
  await page.goto((await openBehindVite(t)).publicUrl)
  assert.equal(await readSession(), '{"authenticated":false}')
})

/** A service worker of a single-page app: every navigation is answered with the page. @param except paths it leaves alone */
const buildWorker = (except: string): string => `
  addEventListener('install', () => skipWaiting())
  addEventListener('activate', (event) => event.waitUntil(clients.claim()))
  addEventListener('fetch', (event) => {
    if (event.request.mode !== 'navigate' || ${except}.test(new URL(event.request.url).pathname)) return
    event.respondWith(fetch('/index.html'))
  })`

test('a service worker that answers every navigation swallows the sign-in; one that leaves /auth/ alone does not', async (t) => {
  for (const [except, isSwallowed] of [
    ['/^$/', true],
    ['/^[/]auth[/]/', false],
  ] as const) {
    const { publicUrl } = await openBehindVite(t, { worker: buildWorker(except) })
    const { page } = await open(t)
    await page.goto(publicUrl)
    await page.getByText('a worker is there').waitFor()
    await page.goto(`${publicUrl}/auth/start`)
    await page
      .getByText(isSwallowed ? 'a page' : 'Sign in to Oten')
      .first()
      .waitFor()
    assert.equal(new URL(page.url()).origin === publicUrl, isSwallowed)
  }
})
