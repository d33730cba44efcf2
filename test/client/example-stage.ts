import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { build, createServer, type InlineConfig, preview } from 'vite'
import { startApi } from '../../demo/api/server.ts'
import type { DemoUrls } from '../browser/demo-process.ts'
import { createWorld, getFreePort, type World } from '../support/world.ts'

/** The real service behind Vite, which serves a project and passes the rest on: one origin for both. */
export interface ExampleStage extends DemoUrls {
  readonly world: World
  stop(): Promise<void>
}

export interface ExampleOptions {
  /** @param serviceUrl where Vite is to pass on to @returns the folder of a Vite project */
  readonly findProject: (serviceUrl: string) => string
  /** The files that Vite makes of it, in place of its development server. */
  readonly isBuilt?: boolean
}

export async function startExample({ findProject, isBuilt = false }: ExampleOptions): Promise<ExampleStage> {
  const [port, apiPort] = [await getFreePort(), await getFreePort()]
  const spa = `http://localhost:${port}`
  const owner = { after: (end: () => Promise<void>) => after(end) } as unknown as TestContext // All that a world asks of it.
  const world = await createWorld(owner, {
    alg: 'HS256',
    env: { PUBLIC_URL: spa, ALLOWED_ORIGINS: '', API_ROUTES: `/api/demo=http://127.0.0.1:${apiPort}` },
    client: {
      redirectUris: [`${spa}/auth/callback`],
      postLogoutRedirectUris: [`${spa}/auth/logged-out`],
      backchannelLogoutUri: `${spa}/auth/backchannel-logout`,
    },
  })
  const api = await startApi({ port: apiPort, issuer: world.simulator.issuer })
  const folder = mkdtempSync(join(tmpdir(), 'oten-bff-vite-'))
  const server = { port, host: 'localhost' }
  const vite = await startVite(isBuilt, {
    root: findProject(world.publicUrl),
    logLevel: 'error',
    cacheDir: join(folder, 'cache'),
    build: { outDir: join(folder, 'built') },
    server,
    preview: server,
  })
  return {
    spa,
    bff: spa,
    phone: '',
    simulator: world.simulator.issuer,
    world,
    async stop() {
      await vite.close()
      rmSync(folder, { recursive: true })
      api.closeAllConnections()
      api.close()
    },
  }
}

async function startVite(isBuilt: boolean, config: InlineConfig): Promise<{ close(): Promise<void> }> {
  if (!isBuilt) return (await createServer(config)).listen()
  await build(config)
  return preview(config)
}
