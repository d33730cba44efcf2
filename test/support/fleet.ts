import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type ClientSpec, type Simulator, startSimulator } from '../../demo/idp/simulator.ts'
import { type Api, startApi } from './api.ts'
import { type Browser, createBrowser } from './browser.ts'
import { baseEnv, CLIENT_SECRET, createKey } from './env.ts'
import type { Owner } from './redis.ts'
import { until } from './until.ts'
import { getFreePort } from './world.ts'

/** Of this checkout. */
export const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const END_WITH_PARENT = new URL('../../demo/end-with-parent.ts', import.meta.url).href
const SHIFT_CLOCK = new URL('./shift-clock.ts', import.meta.url).href

const KEY_ID = 'fleet'

/** One process of the service. */
export interface Replica {
  /** Where it listens itself; browsers know the whole by `Fleet.publicUrl`, as behind a load balancer. */
  readonly url: string
  readonly adminUrl: string
  /** Its log so far, as objects. */
  log(): Record<string, unknown>[]
  /** Resident memory, MB. */
  rssMb(): number
  /** Sends a signal and waits for the end. @returns exit code, or the signal that ended it */
  end(signal: NodeJS.Signals): Promise<number | string>
  /** Starts it again on the same ports; of another version, when its `main.ts` is given. */
  start(main?: string): Promise<void>
}

/** Several processes of the service over one store, the Oten simulator, and an API at `/api/x`. */
export interface Fleet {
  readonly publicUrl: string
  readonly replicas: readonly [Replica, Replica]
  readonly simulator: Simulator
  readonly api: Api
  /** Changes what the IdP knows of the service. */
  register(changes: Partial<ClientSpec>): Promise<void>
  browser(): Browser
}

export interface FleetOptions {
  /** `SESSION_STORE` of all. */
  readonly store: string
  readonly env?: Readonly<Record<string, string>>
  readonly simulator?: Parameters<typeof startSimulator>[0]
  /** The `main.ts` of the version that both begin with; that of this checkout when absent. */
  readonly main?: string
  /** Of a load balancer that browsers go through; when absent they go to the first replica. */
  readonly publicPort?: number
  /** How far the clock of each replica is ahead, seconds. */
  readonly clockOffsetsS?: readonly [number, number]
}

export async function startFleet(owner: Owner, options: FleetOptions): Promise<Fleet> {
  const ports = [await getFreePort(), await getFreePort()] as const
  const { publicPort = ports[0], main = MAIN } = options
  const publicUrl = `http://localhost:${publicPort}`
  const simulator = await startSimulator({ ...options.simulator })
  owner.after(() => simulator.close())
  const api = await startApi(owner)
  const key = createKey()
  const client: ClientSpec = {
    clientId: 'bff',
    clientSecret: CLIENT_SECRET,
    redirectUris: [`${publicUrl}/auth/callback`],
    postLogoutRedirectUris: [`${publicUrl}/auth/logged-out`],
    backchannelLogoutUri: `http://localhost:${ports[1]}/auth/backchannel-logout`, // The one that has no browser.
    requestObjectAlg: 'EdDSA',
    tokenAuth: 'client_secret_basic',
    jwks: { keys: [{ ...key.publicJwk, kty: 'OKP', kid: KEY_ID }] },
  }
  await simulator.addClient(client)
  const env = {
    ...baseEnv(),
    PUBLIC_URL: publicUrl,
    OTEN_ISSUER: simulator.issuer,
    ALLOW_INSECURE_ISSUER: 'true',
    JAR_KEYS: JSON.stringify({ ...JSON.parse(key.privateJwk), kid: KEY_ID }),
    SESSION_STORE: options.store,
    API_ROUTES: `/api/x=${api.url}`,
    RATE_LIMIT_PER_MINUTE: '0',
    LOG_LEVEL: 'info',
    ...options.env,
  }
  const [aheadS, otherAheadS] = options.clockOffsetsS ?? [0, 0]
  const replicas = [
    await startReplica(owner, { ...env, PORT: `${ports[0]}` }, aheadS, main),
    await startReplica(owner, { ...env, PORT: `${ports[1]}` }, otherAheadS, main),
  ] as const
  return {
    publicUrl,
    replicas,
    simulator,
    api,
    register: (changes) => simulator.addClient({ ...client, ...changes }),
    browser: () => createBrowser(publicUrl),
  }
}

async function startReplica(
  owner: Owner,
  env: Readonly<Record<string, string>>,
  clockOffsetS: number,
  firstMain: string,
): Promise<Replica> {
  const adminPort = await getFreePort()
  const url = `http://localhost:${env.PORT}`
  const adminUrl = `http://127.0.0.1:${adminPort}`
  const preload = ['--import', END_WITH_PARENT, ...(clockOffsetS === 0 ? [] : ['--import', SHIFT_CLOCK])]
  const own = { PATH: process.env.PATH, ADMIN_PORT: `${adminPort}`, TEST_CLOCK_OFFSET_S: `${clockOffsetS}` }
  let child: ChildProcess | undefined
  let output = ''

  const start = async (main = firstMain): Promise<void> => {
    const started = spawn(process.execPath, [...preload, main], { env: { ...env, ...own }, stdio: 'pipe' })
    child = started
    started.stdout.on('data', (chunk) => {
      output += chunk
    })
    started.stderr.pipe(process.stderr)
    await until(async () => {
      if (started.exitCode !== null) throw new Error(`a replica did not start: ${output}`)
      return (await fetch(`${adminUrl}/health/live`)).ok
    }, 20_000)
  }
  const end = async (signal: NodeJS.Signals): Promise<number | string> => {
    if (child === undefined) return 'not started'
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit')
      child.kill(signal)
      await exited
    }
    return child.exitCode ?? child.signalCode ?? 'gone'
  }
  owner.after(async () => void (await end('SIGKILL')))
  await start()
  const log = (): Record<string, unknown>[] =>
    output
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  const rssMb = (): number => Number(execFileSync('ps', ['-o', 'rss=', '-p', `${child?.pid}`])) / 1024
  return { url, adminUrl, log, rssMb, end, start }
}
