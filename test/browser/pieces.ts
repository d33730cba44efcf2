import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startApi } from '../../demo/api/server.ts'
import { createRegistration } from '../../demo/bff-process.ts'
import { type Simulator, startSimulator } from '../../demo/idp/simulator.ts'
import { createNativeClient } from '../../demo/phone/native-client.ts'
import { startStaticServer } from '../../demo/static.ts'
import { collect, type DemoUrls, findFreePorts, urlsOf } from './demo-process.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const END_WITH_PARENT = new URL('../../demo/end-with-parent.ts', import.meta.url).href

/**
 * The demo taken apart, where a test must stop one piece alone or look inside of another. The service is a process of its
 * own, on an embedded store that outlives it.
 */
export interface Pieces extends DemoUrls {
  readonly idp: Simulator
  /** Access tokens that reached the API, in order. */
  readonly accessTokens: readonly string[]
  /** As a crash or an out-of-memory kill ends the service: no word of warning (SIGKILL). */
  killBff(): Promise<void>
  startBff(): Promise<void>
  stop(): Promise<void>
}

const foldersOf = (page: string): string[] =>
  ['look', page].map((name) => fileURLToPath(new URL(`../../demo/${name}`, import.meta.url)))

export async function startPieces(): Promise<Pieces> {
  const ports = await findFreePorts()
  const urls = urlsOf(ports)
  const folder = mkdtempSync(join(tmpdir(), 'oten-bff-browser-'))
  const registration = createRegistration({ bffUrl: urls.bff, alg: 'EdDSA' })
  const idp = await startSimulator({ port: ports.simulator, clients: [registration.client] })
  const api = await startApi({ port: ports.api, issuer: urls.simulator })
  const accessTokens: string[] = []
  api.on('request', ({ headers }) => accessTokens.push((headers.authorization ?? '').replace('Bearer ', '')))
  const values = { SPA_URL: urls.spa, BFF_URL: urls.bff, PHONE_URL: urls.phone }
  const spaOptions = { folders: foldersOf('spa'), origin: urls.spa, connectTo: [urls.bff] }
  const spa = await startStaticServer({ ...spaOptions, values })
  const handler = { path: '/native/', answer: createNativeClient({ bffUrl: urls.bff, prefix: '/native' }) }
  const phoneOptions = { folders: foldersOf('phone'), origin: urls.phone, pages: ['/signed-in'], handler }
  const phone = await startStaticServer({ ...phoneOptions, values })

  const bff = createBffProcess(urls.bff, {
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
  })
  await bff.start()
  return {
    ...urls,
    idp,
    accessTokens,
    startBff: bff.start,
    killBff: () => bff.end('SIGKILL'),
    async stop() {
      await bff.end('SIGTERM')
      for (const server of [spa, phone, api]) close(server)
      await idp.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function close(server: Server): void {
  server.close()
  server.closeAllConnections()
}

function createBffProcess(url: string, settings: Readonly<Record<string, string>>) {
  let child: ChildProcess | undefined
  return {
    async start(): Promise<void> {
      const started = spawn(process.execPath, ['--import', END_WITH_PARENT, MAIN], {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: { PATH: process.env.PATH, HOME: process.env.HOME, ...settings },
      })
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
