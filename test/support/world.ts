import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import type { TestContext } from 'node:test'
import { type ClientSpec, type Simulator, startSimulator } from '../../demo/idp/simulator.ts'
import { createService } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { createIdp, type Idp } from '../../src/idp/idp.ts'
import { createLog } from '../../src/log.ts'
import { createMetrics } from '../../src/metrics.ts'
import { openStore } from '../../src/store/index.ts'
import type { Store } from '../../src/store/store.ts'
import { openTracing } from '../../src/tracing.ts'
import { type Browser, createBrowser } from './browser.ts'
import { baseEnv, CLIENT_SECRET, createKey } from './env.ts'

export const SPA = 'http://localhost:5173'
export const DEEP_LINK = 'com.example.app:/signed-in'
export const CLAIMED_LINK = 'https://app.example.com/signed-in'

export interface WorldOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly alg?: 'HS256' | 'EdDSA' | 'Ed25519'
  readonly client?: Partial<ClientSpec>
  readonly simulator?: Parameters<typeof startSimulator>[0]
  readonly store?: Store
  readonly bodyTimeoutMs?: number
}

/** The real service on a real port, the Oten simulator on another, and a clock that moves by argument. */
export interface World {
  readonly publicUrl: string
  readonly adminUrl: string
  readonly simulator: Simulator
  readonly store: Store
  readonly idp: Idp
  readonly logs: string[]
  /** Moves the service's clock, not the IdP's. */
  advance(seconds: number): void
  browser(): Browser
  /** Log entries of an event. */
  events(name: string): Record<string, unknown>[]
  /** Stops the service and starts it again on the same store. */
  restart(): Promise<void>
}

/** Below the range that systems hand out for port 0, or an outgoing connection could take it before its server does. */
export async function getFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}

export async function createWorld(t: TestContext, options: WorldOptions = {}): Promise<World> {
  const port = await getFreePort()
  const publicUrl = `http://localhost:${port}`
  const simulator = await startSimulator({ ...options.simulator })
  t.after(() => simulator.close())
  const alg = options.alg ?? 'EdDSA'
  const key = createKey()
  await simulator.addClient({
    clientId: 'bff',
    clientSecret: CLIENT_SECRET,
    redirectUris: [`${publicUrl}/auth/callback`],
    postLogoutRedirectUris: [`${publicUrl}/auth/logged-out`],
    requestObjectAlg: alg,
    tokenAuth: 'client_secret_basic',
    ...(alg !== 'HS256' && { jwksUri: `${publicUrl}/auth/jwks.json` }),
    ...options.client,
  })
  const env = {
    ...baseEnv(),
    PUBLIC_URL: publicUrl,
    PORT: String(port),
    OTEN_ISSUER: simulator.issuer,
    ALLOW_INSECURE_ISSUER: 'true',
    JAR_ALG: alg,
    ...(alg !== 'HS256' && { JAR_KEYS: key.privateJwk }),
    ALLOWED_ORIGINS: SPA,
    APPS: `ios=${CLAIMED_LINK},android=${DEEP_LINK}`,
    ...options.env,
  }
  const { store, bodyTimeoutMs } = options
  return startService(t, { env, simulator, publicUrl, store, bodyTimeoutMs })
}

interface ServiceInput {
  readonly env: Record<string, string>
  readonly simulator: Simulator
  readonly publicUrl: string
  readonly store?: Store | undefined
  readonly bodyTimeoutMs?: number | undefined
}

async function startService(t: TestContext, input: ServiceInput): Promise<World> {
  const { env, simulator, publicUrl, store: given, bodyTimeoutMs } = input
  const logs: string[] = []
  let offset = 0
  const now = (): number => Date.now() / 1000 + offset
  const config = loadConfig(env)
  const store = given ?? (await openStore(config.session.store, { now }))
  const { log } = createLog(config.logLevel, { write: (line: string) => void logs.push(line) })

  const start = async () => {
    const metrics = createMetrics()
    const tracing = config.otlpEndpoint === undefined ? undefined : openTracing(config.otlpEndpoint)
    const idp = createIdp(config, { now, log, metrics, tracing })
    const { app, admin } = await createService({ config, store, idp, log, now, bodyTimeoutMs, metrics, tracing })
    await app.listen({ ...config.listen })
    const adminUrl = await admin.listen({ host: '127.0.0.1', port: 0 })
    const close = async () => {
      await Promise.all([app.close(), admin.close()])
      await idp.close()
      await tracing?.close()
    }
    return { idp, adminUrl, close }
  }

  let service = await start()
  t.after(async () => {
    await service.close()
    await store.close()
  })

  return {
    publicUrl,
    get adminUrl() {
      return service.adminUrl
    },
    simulator,
    store,
    get idp() {
      return service.idp
    },
    logs,
    advance: (seconds) => {
      offset += seconds
    },
    browser: () => createBrowser(publicUrl),
    events: (name) =>
      logs.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ event }) => event === name),
    async restart() {
      await service.close()
      service = await start()
    },
  }
}
