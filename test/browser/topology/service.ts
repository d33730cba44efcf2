import type { Simulator } from '../../../demo/idp/simulator.ts'
import { createService } from '../../../src/app.ts'
import { type Config, loadConfig } from '../../../src/config.ts'
import { createIdp } from '../../../src/idp/idp.ts'
import { createLog } from '../../../src/log.ts'
import { openStore } from '../../../src/store/index.ts'
import { baseEnv, CLIENT_SECRET, createKey } from '../../support/env.ts'
import type { Owner } from '../../support/redis.ts'
import { getFreePort } from '../../support/world.ts'

export interface ServiceOptions {
  /** As browsers know it. */
  readonly origin: string
  readonly allowedOrigins?: string
  readonly simulator: Simulator
  /** Origin of the API behind `/api/demo`. */
  readonly api: string
}

/** A line of the service's log. */
export interface AnsweredRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly status: number
  /** When it was answered, epoch milliseconds. */
  readonly time: number
}

export interface Service {
  /** `host:port` where it listens, past TLS and nginx. */
  readonly address: string
  /** What it has answered so far. */
  requests(): readonly AnsweredRequest[]
}

const now = (): number => Date.now() / 1000

/** Starts the service and registers it with the simulator. */
export async function startService(owner: Owner, options: ServiceOptions): Promise<Service> {
  const { origin, simulator } = options
  const port = await getFreePort()
  const address = `127.0.0.1:${port}`
  const key = createKey()
  const clientId = new URL(origin).hostname
  await simulator.addClient({
    clientId,
    clientSecret: CLIENT_SECRET,
    redirectUris: [`${origin}/auth/callback`],
    postLogoutRedirectUris: [`${origin}/auth/logged-out`],
    backchannelLogoutUri: `http://${address}/auth/backchannel-logout`, // The names mean nothing to the simulator.
    requestObjectAlg: 'EdDSA',
    tokenAuth: 'client_secret_basic',
    jwksUri: `http://${address}/auth/jwks.json`,
  })
  const config = readConfig({ ...options, port, jarKeys: key.privateJwk, clientId })
  const lines: string[] = []
  const { log } = createLog(config.logLevel, { write: (line: string) => void lines.push(line) })
  const store = await openStore(config.session.store, { now })
  const idp = createIdp(config, { now, log })
  const { app, admin } = await createService({ config, store, idp, log, now })
  await app.listen({ ...config.listen })
  owner.after(async () => {
    await Promise.all([app.close(), admin.close()])
    await idp.close()
    await store.close()
  })
  const requests = (): AnsweredRequest[] =>
    lines
      .map((line) => JSON.parse(line))
      .filter(({ msg }) => msg === 'request')
      .map(({ method, path, status, time }) => ({ method, path, status, time: Date.parse(time) }))
  return { address, requests }
}

interface Settings extends ServiceOptions {
  readonly port: number
  readonly jarKeys: string
  readonly clientId: string
}

/**
 * As the environment of a deployment says it, but for the issuer: behind https the service takes an https issuer only,
 * and the simulator has plain http.
 */
function readConfig({ origin, allowedOrigins = '', simulator, api, port, jarKeys, clientId }: Settings): Config {
  const config = loadConfig({
    ...baseEnv(),
    OTEN_CLIENT_ID: clientId,
    JAR_KEYS: jarKeys,
    PUBLIC_URL: origin,
    PORT: String(port),
    ALLOWED_ORIGINS: allowedOrigins,
    API_ROUTES: `/api/demo=${api}`,
    TRUSTED_PROXIES: '127.0.0.1/32',
    RATE_LIMIT_PER_MINUTE: '0',
    LOG_LEVEL: 'info',
  })
  return { ...config, idp: { ...config.idp, issuer: simulator.issuer, allowInsecureIssuer: true } }
}
