import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startApi } from '../../demo/api/server.ts'
import { createRegistration, spawnBff } from '../../demo/bff-process.ts'
import type { Exchange } from '../../demo/hood/exchange.ts'
import { createHood, watchOtherEnds } from '../../demo/hood/hood.ts'
import { type Simulator, startSimulator } from '../../demo/idp/simulator.ts'
import { startPages } from '../../demo/pages.ts'
import { collect, type DemoUrls, findFreePorts, urlsOf } from './demo-process.ts'

/**
 * The demo taken apart, where a test must stop one piece alone or look inside of another. The service is a process of its
 * own, on an embedded store that outlives it.
 */
export interface Pieces extends DemoUrls {
  readonly idp: Simulator
  readonly clientSecret: string
  /** Access tokens that reached the API, in order. */
  readonly accessTokens: readonly string[]
  /** As a crash or an out-of-memory kill ends the service: no word of warning (SIGKILL). */
  killBff(): Promise<void>
  startBff(): Promise<void>
  stop(): Promise<void>
}

export async function startPieces(): Promise<Pieces> {
  const ports = await findFreePorts()
  const urls = urlsOf(ports)
  const folder = mkdtempSync(join(tmpdir(), 'oten-bff-browser-'))
  const registration = createRegistration({ bffUrl: urls.bff, alg: 'EdDSA' })
  const idp = await startSimulator({ port: ports.simulator, clients: [registration.client] })
  const api = await startApi({ port: ports.api, issuer: urls.simulator })
  const accessTokens: string[] = []
  api.on('request', ({ headers }) => accessTokens.push((headers.authorization ?? '').replace('Bearer ', '')))
  const hood = createHood()
  watchOtherEnds(hood, urls.simulator)
  const pages = await startPages(urls, hood)

  const settings = {
    ...registration.env,
    PUBLIC_URL: urls.bff,
    HOST: '127.0.0.1',
    PORT: String(ports.bff),
    ADMIN_PORT: String(ports.admin),
    OTEN_ISSUER: urls.simulator,
    ALLOW_INSECURE_ISSUER: 'true',
    OTEN_SCOPE: 'openid profile email offline_access',
    ALLOWED_ORIGINS: urls.spa,
    APPS: `demo=${urls.phone}/signed-in`,
    API_ROUTES: `/api/demo=http://127.0.0.1:${ports.api}`,
    SESSION_STORE: `file:${join(folder, 'sessions.db')}`,
    SESSION_KEYS: randomBytes(32).toString('base64url'),
    LOG_LEVEL: 'warn',
  }
  const bff = createBffProcess(urls.bff, settings, hood.take)
  await bff.start()
  return {
    ...urls,
    idp,
    clientSecret: registration.env.OTEN_CLIENT_SECRET ?? '',
    accessTokens,
    startBff: bff.start,
    killBff: () => bff.end('SIGKILL'),
    async stop() {
      await bff.end('SIGTERM')
      for (const server of [...pages, api]) close(server)
      await idp.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function close(server: Server): void {
  server.close()
  server.closeAllConnections()
}

function createBffProcess(
  url: string,
  settings: Readonly<Record<string, string>>,
  onExchange: (exchange: Exchange) => void,
) {
  let child: ChildProcess | undefined
  return {
    async start(): Promise<void> {
      const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...settings }
      const started = spawnBff(env, 'pipe', onExchange)
      child = started
      const output = collect(started)
      while (!(await answers(`${url}/auth/session`))) {
        if (started.exitCode !== null) throw new Error(`the service did not start:\n${output.text()}`)
      }
    },

    async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill(signal)
      await ended
    },
  }
}

const answers = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    async (response) => {
      await response.arrayBuffer()
      return response.ok
    },
    () => new Promise<boolean>((resolve) => setTimeout(resolve, 25, false)), // Nobody listens yet: ask again soon.
  )
