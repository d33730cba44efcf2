import type { TestContext } from 'node:test'
import { PROXIES, type ProxyKind, startProxy } from '../examples/proxies.ts'
import { createBrowser } from '../support/browser.ts'
import { createWorld, getFreePort, type World, type WorldOptions } from '../support/world.ts'

const [NGINX] = PROXIES
const LOCATION = 'location /auth/ {'
const UNBUFFERED = 'proxy_buffering off; # /auth/events'

/** nginx as in our example, but for directives that somebody put in the place of those for `/auth/`. */
function changeNginx(change: (config: string) => string): ProxyKind {
  if (NGINX?.name !== 'nginx') throw new Error('the first of the examples is not nginx')
  return { ...NGINX, adapt: (config, places, folder) => change(NGINX.adapt(config, places, folder)) }
}

/** Adds directives to the location of `/auth/`. */
export const withDirectives = (directives: string): ProxyKind =>
  changeNginx((config) => config.replace(LOCATION, `${LOCATION}\n${directives}`))

/** Without the line of the example that turns buffering off. */
export const withBuffering = (directives: string): ProxyKind =>
  changeNginx((config) => {
    if (!config.includes(UNBUFFERED)) throw new Error('the example does not turn buffering off')
    return config.replace(UNBUFFERED, directives)
  })

/** The service behind that nginx, as browsers know it, and where it listens itself. */
export async function openBehindNginx(t: TestContext, nginx: ProxyKind, options: WorldOptions = {}) {
  const port = await getFreePort()
  const publicUrl = `http://localhost:${port}`
  const world = await createWorld(t, {
    ...options,
    client: { redirectUris: [`${publicUrl}/auth/callback`], postLogoutRedirectUris: [`${publicUrl}/auth/logged-out`] },
    env: { PUBLIC_URL: publicUrl, TRUSTED_PROXIES: '127.0.0.1/32', ...options.env },
  })
  const main = new URL(world.publicUrl).host.replace('localhost', '127.0.0.1')
  const inner = new URL(world.adminUrl).host
  await startProxy(t, nginx, { proxy: `127.0.0.1:${port}`, main, inner, app: main })
  const behind: World = { ...world, publicUrl, browser: () => createBrowser(publicUrl) }
  return { world: behind, direct: world.publicUrl }
}
