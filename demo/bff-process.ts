import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Exchange } from './hood/exchange.ts'
import type { ClientSpec } from './idp/simulator.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const END_WITH_PARENT = new URL('./end-with-parent.ts', import.meta.url).href
const RECORDER = new URL('./hood/recorder.ts', import.meta.url).href

/** A service that has not ended so long after SIGTERM will not end at all; it promises 12 s. */
const STOP_MS = 13_000

/** Settings of the service that someone who tries it out may want to vary. */
const VARIABLE = ['LOG_LEVEL', 'SESSION_IDLE_S', 'SESSION_MAX_S', 'APP_SESSION_IDLE_S', 'APP_SESSION_MAX_S'] as const

/** Needed by Node itself on one system or another. */
const SYSTEM = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot'] as const

const ALGS = ['EdDSA', 'Ed25519', 'HS256'] as const
type Alg = (typeof ALGS)[number]

type Env = Readonly<Record<string, string | undefined>>

/** @throws {Error} when `DEMO_JAR_ALG` is none that Oten takes */
export function readAlg(env: Env): Alg {
  const text = env.DEMO_JAR_ALG || 'EdDSA'
  const alg = ALGS.find((name) => name === text)
  if (alg === undefined) throw new Error(`DEMO_JAR_ALG must be one of ${ALGS.join(', ')}`)
  return alg
}

/** What the service and the simulator have to agree on. Everything in it is made anew for each demo. */
export interface Registration {
  readonly client: ClientSpec
  readonly env: Readonly<Record<string, string>>
}

/** Registers the service with the simulator, as its operator would with Oten. */
export function createRegistration({ bffUrl, alg }: { readonly bffUrl: string; readonly alg: Alg }): Registration {
  const clientSecret = randomBytes(32).toString('base64url')
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const kid = `demo-${randomBytes(4).toString('hex')}`
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid } as { kty: string; kid: string }] } // RFC 8037.
  const isHs256 = alg === 'HS256'
  return {
    client: {
      clientId: 'oten-bff-demo',
      clientSecret,
      redirectUris: [`${bffUrl}/auth/callback`],
      postLogoutRedirectUris: [`${bffUrl}/auth/logged-out`],
      backchannelLogoutUri: `${bffUrl}/auth/backchannel-logout`,
      requestObjectAlg: alg,
      tokenAuth: 'client_secret_basic',
      ...(!isHs256 && { jwks }),
    },
    env: {
      OTEN_CLIENT_ID: 'oten-bff-demo',
      OTEN_CLIENT_SECRET: clientSecret,
      JAR_ALG: alg,
      ...(!isHs256 && { JAR_KEYS: JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid }) }),
    },
  }
}

/** The service in a process of its own, as `npm start` runs it. */
export interface BffProcess {
  /** Settles when the process is gone. @returns its exit code or signal */
  readonly ended: Promise<string>
  /** Ends the process and removes what it stored. */
  stop(): Promise<void>
}

/**
 * Runs the service as `npm start` does, in a process that ends with this one, and tells what it is asked and asks.
 *
 * @param output what becomes of its standard output and error
 */
export function spawnBff(env: Env, output: 'inherit' | 'pipe', onExchange: (exchange: Exchange) => void): ChildProcess {
  const child = spawn(process.execPath, ['--import', END_WITH_PARENT, '--import', RECORDER, MAIN], {
    stdio: ['pipe', output, output, 'ipc'],
    env,
  })
  child.on('message', (message) => onExchange(message as Exchange)) // Only the recorder sends any.
  return child
}

/**
 * Starts the service with its sessions in a fresh temporary folder.
 *
 * @param settings environment of the service, apart from its store and its keys
 * @param env the caller's environment, of which only what the demo documents is passed on
 * @param onExchange hears what the service is asked and asks
 */
export function startBff(
  settings: Readonly<Record<string, string>>,
  env: Env,
  onExchange: (exchange: Exchange) => void = () => undefined,
): BffProcess {
  const folder = mkdtempSync(join(tmpdir(), 'oten-bff-demo-'))
  const passed = [...SYSTEM, ...VARIABLE].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))
  const own = {
    SESSION_STORE: `file:${join(folder, 'sessions.db')}`,
    SESSION_KEYS: randomBytes(32).toString('base64url'),
    DEMO_FOLDER: folder,
  }
  const child = spawnBff(
    { LOG_LEVEL: 'warn', ...Object.fromEntries(passed), ...settings, ...own },
    'inherit',
    onExchange,
  )
  const ended = waitForEnd(child)
  return {
    ended,
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await ended
      clearTimeout(timer)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const waitForEnd = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('exit', (code, signal) => resolve(code === null ? `signal ${signal}` : `exit code ${code}`))
  })
