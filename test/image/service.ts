import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Simulator, startSimulator } from '../../demo/idp/simulator.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { baseEnv, CLIENT_SECRET, createKey } from '../support/env.ts'
import type { Owner } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { getFreePort } from '../support/world.ts'
import { type Engine, HARDENING, SERVICE_IMAGE } from './engine.ts'

/** What a deployment sets, and the simulator that knows the service by it. */
export interface Deployment {
  readonly env: Readonly<Record<string, string>>
  readonly publicUrl: string
  readonly adminUrl: string
  readonly simulator: Simulator
  browser(): Browser
}

/** The service in a container. */
export interface Container {
  readonly name: string
  /** Id of its first process, as seen from outside. */
  readonly pid: number
  /** What `/proc` says of that process under `status`. */
  status(field: string): string
  log(): Promise<string>
  /** Runs one more program in it. @returns what it printed */
  exec(...command: readonly string[]): Promise<string>
  /** As `docker stop`: the image's stop signal, and a wait. */
  stop(): Promise<{ readonly code: number; readonly tookMs: number }>
}

export const createName = (): string => `oten-bff-${randomBytes(6).toString('hex')}`

export async function prepare(owner: Owner): Promise<Deployment> {
  const [port, adminPort] = [await getFreePort(), await getFreePort()]
  const publicUrl = `http://localhost:${port}`
  const simulator = await startSimulator()
  owner.after(() => simulator.close())
  await simulator.addClient({
    clientId: 'bff',
    clientSecret: CLIENT_SECRET,
    redirectUris: [`${publicUrl}/auth/callback`],
    postLogoutRedirectUris: [`${publicUrl}/auth/logged-out`],
    requestObjectAlg: 'EdDSA',
    tokenAuth: 'client_secret_basic',
    jwksUri: `${publicUrl}/auth/jwks.json`,
  })
  const { SESSION_STORE: _inTheImage, HOST: _ofTheImage, ...given } = baseEnv()
  const env = {
    ...given,
    PUBLIC_URL: publicUrl,
    PORT: `${port}`,
    ADMIN_PORT: `${adminPort}`,
    OTEN_ISSUER: simulator.issuer,
    ALLOW_INSECURE_ISSUER: 'true',
    JAR_KEYS: createKey().privateJwk,
    LOG_LEVEL: 'info',
    RATE_LIMIT_PER_MINUTE: '0',
  }
  const adminUrl = `http://127.0.0.1:${adminPort}`
  return { env, publicUrl, adminUrl, simulator, browser: () => createBrowser(publicUrl) }
}

export const isLive = async (adminUrl: string): Promise<boolean> => {
  const response = await fetch(`${adminUrl}/health/live`)
  await response.arrayBuffer()
  return response.status === 200
}

export const isReady = async (adminUrl: string): Promise<boolean> => {
  const response = await fetch(`${adminUrl}/health/ready`)
  return response.status === 200 && ((await response.json()) as { status?: unknown }).status === 'ok'
}

export const toEnvOptions = (env: Readonly<Record<string, string>>): string[] =>
  Object.entries(env).map(([name, value]) => `--env=${name}=${value}`)

/** Creates a container and does not start it; it is removed with its owner. @returns its name */
export async function createContainer(
  owner: Owner,
  engine: Engine,
  env: Readonly<Record<string, string>>,
  options: readonly string[] = [],
): Promise<string> {
  const name = createName()
  owner.after(async () => void (await engine.tryPodman(['rm', '--force', '--volumes', '--time=1', name])))
  await engine.podman(['create', `--name=${name}`, ...HARDENING, ...toEnvOptions(env), ...options, SERVICE_IMAGE])
  return name
}

export const readStatus = (pid: number, field: string): string =>
  new RegExp(`^${field}:\\s+(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? ''

export const readPid = async (engine: Engine, name: string): Promise<number> =>
  Number(await engine.podman(['inspect', '--format={{.State.Pid}}', name]))

/**
 * Starts the service in a container and waits until it is ready.
 *
 * @param options of `podman create`, besides the hardening
 */
export async function startContainer(
  owner: Owner,
  engine: Engine,
  { env, adminUrl }: Pick<Deployment, 'env' | 'adminUrl'>,
  options: readonly string[] = [],
): Promise<Container> {
  const name = await createContainer(owner, engine, env, options)
  const log = async (): Promise<string> => {
    const { stdout, stderr } = await engine.tryPodman(['logs', name])
    return stdout + stderr
  }
  await engine.podman(['start', name])
  await until(() => isReady(adminUrl), 30_000).catch(async (cause) => {
    throw new Error(`the container is not ready: ${await log()}`, { cause })
  })
  const pid = await readPid(engine, name)
  return {
    name,
    pid,
    status: (field) => readStatus(pid, field),
    log,
    exec: (...command) => engine.podman(['exec', name, ...command]),
    async stop() {
      const startedAt = performance.now()
      await engine.podman(['stop', '--time=20', name], { timeoutMs: 30_000 })
      const tookMs = performance.now() - startedAt
      return { code: Number(await engine.podman(['inspect', '--format={{.State.ExitCode}}', name])), tookMs }
    },
  }
}
