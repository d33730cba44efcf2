import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { startApi } from '../../demo/api/server.ts'
import type { DemoUrls } from '../browser/demo-process.ts'
import { createTestStore, type TestStore } from '../plugins/build-service.ts'
import { CLIENT_SECRET } from '../support/env.ts'
import { createWorld, getFreePort, type World } from '../support/world.ts'

/** What the page of the stage has heard, in order. */
export interface Heard {
  readonly who: string | null
  readonly reason?: string
  readonly error?: string
}

declare global {
  interface Window {
    bff: typeof import('../../client/src/index.ts')
    heard: Heard[]
    stopListening: () => void
  }
}

/** A page that uses the client as the service serves it, from another origin of the same site. */
const buildPage = (bff: string): string => `<!doctype html>
<meta charset="utf-8"><title>client</title><link rel="icon" href="data:,">
<body data-state="loading">
<button data-testid="sign-in">Sign in</button>
<script type="module">
  import * as bff from '${bff}/auth/client.js'
  window.bff = bff
  window.heard = []
  const listen = (session, reason) => {
    document.body.dataset.state = session.authenticated ? 'signed-in' : 'signed-out'
    window.heard.push({ who: session.authenticated ? session.user.sub : null, ...(reason && { reason }) })
  }
  const fail = (error) => {
    if (document.body.dataset.state === 'loading') document.body.dataset.state = 'unknown'
    window.heard.push({ who: null, error: error.code })
  }
  document.querySelector('button').onclick = () => bff.signIn().catch(() => {})
  if (location.pathname !== '/silent') window.stopListening = bff.onChange(listen, fail)
</script>`

/** The real service and the simulator in this process, an API behind them, and the page at every path of its origin. */
export interface Stage extends DemoUrls {
  readonly world: World
  readonly store: TestStore
  /** Event streams that are open at the service. */
  countStreams(): Promise<number>
  stop(): Promise<void>
}

export async function startStage(env: Readonly<Record<string, string>> = {}): Promise<Stage> {
  const [port, apiPort] = [await getFreePort(), await getFreePort()]
  const spa = `http://localhost:${port}`
  const owner = { after: (end: () => Promise<void>) => after(end) } as unknown as TestContext // All that a world asks of it.
  const store = createTestStore(false)
  const given = { ALLOWED_ORIGINS: spa, API_ROUTES: `/api/demo=http://127.0.0.1:${apiPort}`, LOG_LEVEL: 'info', ...env }
  const world = await createWorld(owner, { alg: 'HS256', store, env: given })
  await world.simulator.addClient({
    clientId: 'bff',
    clientSecret: CLIENT_SECRET,
    requestObjectAlg: 'HS256',
    tokenAuth: 'client_secret_basic',
    redirectUris: [`${world.publicUrl}/auth/callback`],
    postLogoutRedirectUris: [`${world.publicUrl}/auth/logged-out`],
    backchannelLogoutUri: `${world.publicUrl}/auth/backchannel-logout`,
  })
  const api = await startApi({ port: apiPort, issuer: world.simulator.issuer })
  const html = buildPage(world.publicUrl)
  const pages = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html)
  })
  await once(pages.listen(port, 'localhost'), 'listening')
  return {
    spa,
    bff: world.publicUrl,
    phone: '',
    simulator: world.simulator.issuer,
    world,
    store,
    async countStreams() {
      const metrics = await (await fetch(`${world.adminUrl}/metrics`)).text()
      return Number(/^oten_bff_event_streams (\d+)$/m.exec(metrics)?.[1])
    },
    async stop() {
      for (const server of [pages, api]) {
        server.closeAllConnections()
        server.close()
      }
    },
  }
}

/** Waits until the page has heard something that fits, after what it had heard before. @returns all of it */
export async function waitToHear(page: Page, wanted: Heard, after = 0): Promise<Heard[]> {
  const expected = JSON.stringify(wanted)
  const isHeard = ([expected, from]: readonly [string, number]) =>
    window.heard?.slice(from).some((heard) => JSON.stringify(heard) === expected)
  await page.waitForFunction(isHeard, [expected, after] as const).catch(async (cause: Error) => {
    const heard = await page.evaluate(() => JSON.stringify(window.heard))
    throw new Error(`${page.url()} did not hear ${expected}, but ${heard}`, { cause })
  })
  return page.evaluate(() => window.heard)
}

/** As the back button: whatever comes up then, out of the page cache where it can be. */
export const goBack = (page: Page): Promise<void> => page.evaluate(() => void setTimeout(() => history.back())) // Later, or the script would end with its page.
