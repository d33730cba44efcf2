import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { createBrowser } from '../support/browser.ts'
import { createWorld, getFreePort, type World, type WorldOptions } from '../support/world.ts'
import { startEchoApp } from './echo-app.ts'
import { type ProxyKind, startProxy } from './proxies.ts'

/** Of a WebSocket (RFC 6455 §4.1), as a browser sends it. */
export const HANDSHAKE = [
  ['Connection', 'keep-alive, Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
] as const

/** The service, the application, and before both the proxy as the example has it. */
export async function openBehind(kind: ProxyKind, t: TestContext, options: WorldOptions = {}) {
  const port = await getFreePort()
  const url = `http://localhost:${port}`
  const service = await createWorld(t, {
    ...options,
    client: { redirectUris: [`${url}/auth/callback`], postLogoutRedirectUris: [`${url}/auth/logged-out`] },
    env: { PUBLIC_URL: url, TRUSTED_PROXIES: '127.0.0.1/32', ...options.env },
  })
  const app = await startEchoApp(t)
  const main = new URL(service.publicUrl).host.replace('localhost', '127.0.0.1')
  const inner = new URL(service.adminUrl).host
  await startProxy(t, kind, { proxy: `127.0.0.1:${port}`, main, inner, app: app.address })
  const world: World = { ...service, publicUrl: url, browser: () => createBrowser(url) }
  return { url, world, app }
}

/** The same, and Ada is signed in through the proxy. */
export async function openSignedIn(kind: ProxyKind, t: TestContext, options: WorldOptions = {}) {
  const opened = await openBehind(kind, t, options)
  const browser = opened.world.browser()
  assert.equal((await browser.signIn('ada')).status, 303)
  const cookie = await browser.jar.getCookieString(opened.url)
  /** `Authorization` with the session's access token now, asked for past the proxy. */
  const readAuthorization = async (): Promise<string> =>
    (await fetch(`${opened.world.adminUrl}/auth/verify`, { headers: { cookie } })).headers.get('authorization') ?? ''
  return { ...opened, browser, cookie, readAuthorization }
}
