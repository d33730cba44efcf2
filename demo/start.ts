import type { Server } from 'node:http'
import { startApi } from './api/server.ts'
import { createRegistration, readAlg, startBff } from './bff-process.ts'
import { createHood, type Hood, watchOtherEnds } from './hood/hood.ts'
import { startSimulator } from './idp/simulator.ts'
import { startPages } from './pages.ts'
import { type Ports, readPorts, requireFreePorts, SERVICES, type ServiceName } from './ports.ts'

/** How long all services together may take to answer. */
const READY_MS = 30_000
const POLL_MS = 50
const PARENT_POLL_MS = 300

type Urls = Readonly<Record<ServiceName, string>>

/**
 * `localhost` is the site of the page and the service; the issuer and the phone are on `127.0.0.1`, another site, so that
 * `SameSite` means here what it means in production.
 */
const toUrls = (ports: Ports): Urls => ({
  spa: `http://localhost:${ports.spa}`,
  bff: `http://localhost:${ports.bff}`,
  admin: `http://127.0.0.1:${ports.admin}`,
  simulator: `http://127.0.0.1:${ports.simulator}`,
  api: `http://127.0.0.1:${ports.api}`,
  phone: `http://127.0.0.1:${ports.phone}`,
})

const ABOUT: Readonly<Record<ServiceName, string>> = {
  spa: 'a page with "Log in with Oten"; begin here',
  bff: 'oten-bff, which keeps every secret and token',
  admin: 'its inner listener: /health/ready',
  simulator: 'plays Oten; any name signs in',
  api: 'an API behind the proxy, at /api/demo of the BFF',
  phone: 'a page that plays a mobile app',
}

/** Closing of everything that was started, last first. */
const closers: (() => Promise<unknown>)[] = []

function closeWithDemo(server: Server): void {
  closers.push(async () => {
    server.close()
    server.closeAllConnections()
  })
}

let ending = false

/** Ends once, whatever else happens meanwhile: a terminal and npm both pass Ctrl-C on. */
async function end(exitCode: number, problem?: string): Promise<void> {
  if (ending) return
  ending = true
  if (problem !== undefined) console.error(`demo: ${problem}`)
  for (const close of closers.reverse()) await close().catch((error: Error) => console.error(`demo: ${error.message}`))
  process.exit(exitCode)
}

async function startAll(urls: Urls, ports: Ports, hood: Hood): Promise<void> {
  const { client, env } = createRegistration({ bffUrl: urls.bff, alg: readAlg(process.env) })
  const simulator = await startSimulator({ port: ports.simulator, clients: [client] })
  closers.push(() => simulator.close())
  closeWithDemo(await startApi({ port: ports.api, issuer: urls.simulator }))
  watchOtherEnds(hood, urls.simulator)
  for (const server of await startPages(urls, hood)) closeWithDemo(server)

  const service = startBff({ ...env, ...buildSettings(urls, ports) }, process.env, hood.take)
  closers.push(() => service.stop())
  service.ended.then(
    (how) => end(1, `the BFF has ended (${how}); what it said stands above`),
    () => undefined,
  )
}

const buildSettings = (urls: Urls, ports: Ports): Record<string, string> => ({
  PUBLIC_URL: urls.bff,
  HOST: '127.0.0.1',
  PORT: String(ports.bff),
  ADMIN_PORT: String(ports.admin),
  OTEN_ISSUER: urls.simulator,
  ALLOW_INSECURE_ISSUER: 'true',
  OTEN_SCOPE: 'openid profile email offline_access',
  ALLOWED_ORIGINS: urls.spa,
  APPS: `demo=${urls.phone}/signed-in`,
  API_ROUTES: `/api/demo=${urls.api}`,
})

/** Waits until each service answers as it should; the admin listener does so once the issuer's metadata are there. */
async function waitUntilReady(urls: Urls): Promise<void> {
  const expected: [url: string, status: number][] = [
    [urls.spa, 200],
    [`${urls.bff}/auth/session`, 200],
    [`${urls.admin}/health/ready`, 200],
    [`${urls.simulator}/.well-known/openid-configuration`, 200],
    [urls.api, 401],
    [urls.phone, 200],
  ]
  const deadline = Date.now() + READY_MS
  for (const [url, status] of expected) {
    while (!ending && (await askForStatus(url)) !== status) {
      if (Date.now() > deadline) throw new Error(`${url} did not answer within ${READY_MS / 1000} s`)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }
}

const askForStatus = (url: string): Promise<number | undefined> =>
  fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(2000) }).then(
    async (response) => {
      await response.arrayBuffer()
      return response.status
    },
    () => undefined,
  )

function describe(urls: Urls): string {
  const wide = Math.max(...Object.values(urls).map((url) => url.length))
  const lines = SERVICES.map(([name, label]) => `  ${label.padEnd(11)}${urls[name].padEnd(wide + 2)}${ABOUT[name]}`)
  return ['', ...lines, '', '  Ctrl-C stops all of it.', ''].join('\n')
}

/**
 * A signal to `npm run demo` alone reaches the shell in between, which dies of it and tells nobody. What shows it is that
 * this process then has another parent.
 */
function endWithNpm(): void {
  if (process.env.npm_lifecycle_event === undefined) return
  const shell = process.ppid
  setInterval(() => {
    if (process.ppid !== shell) void end(0)
  }, PARENT_POLL_MS).unref()
}

async function main(): Promise<void> {
  const ports = readPorts(process.env)
  readAlg(process.env)
  await requireFreePorts(ports)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0))
  endWithNpm()
  const urls = toUrls(ports)
  const hood = createHood()
  await startAll(urls, ports, hood)
  await waitUntilReady(urls)
  if (ending) return
  hood.forget() // So far only this process has asked.
  console.log(describe(urls))
  console.log(`demo ready: ${urls.spa}`)
}

main().catch((error: Error) => end(1, error.message))
