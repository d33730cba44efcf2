import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { endWithUs } from './end-with-us.ts'

/** Below the ports that the system gives out by itself, so that one is still free when its server comes back. */
const PORT_MIN = 20_000
const PORT_MAX = 32_000
const START_TRIES = 5

/** A Redis of the test's own, without data on disk. */
export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Kills it: connections break, and new ones are refused. */
  stop(): Promise<void>
  /** Stops it in its tracks: connections stay, and new ones are accepted by the system, but nobody answers. */
  pause(): void
  resume(): void
  /** On the same port, and empty. Also after `stop`. */
  restart(): Promise<void>
}

/** A test, or with `after` of `node:test` a file of tests: who has to clean up. */
export interface Owner {
  after(work: () => Promise<void>): void
}

/**
 * Starts a Redis on a free loopback port; it ends with its owner.
 *
 * @param config more of redis.conf, as arguments: `['--requirepass', 'x']`; with a `--tls-cert-file` it speaks TLS only
 * @throws {Error} when redis-server is not installed
 */
export async function startRedis(owner: Owner, config: readonly string[] = []): Promise<RedisServer> {
  for (let tries = 1; ; tries++) {
    try {
      return await startOn(await findFreePort(), owner, config)
    } catch (error) {
      if (tries === START_TRIES || !/in use/.test(String(error))) throw error
    }
  }
}

/** A port of this machine that nobody listens on. */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN))
    const probe = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false))
      probe.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    await new Promise((resolve) => probe.close(resolve))
    return port
  }
}

async function startOn(port: number, owner: Owner, config: readonly string[]): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'redis-test-'))
  const isTls = config.includes('--tls-cert-file')
  const listen = isTls ? ['--port', '0', '--tls-port', `${port}`] : ['--port', `${port}`]
  const args = [...listen, '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no']
  let child = await startProcess([...args, ...config])
  owner.after(async () => {
    await kill(child)
    rmSync(directory, { recursive: true, force: true })
  })
  return {
    url: isTls ? `rediss://localhost:${port}` : `redis://127.0.0.1:${port}`,
    port,
    stop: () => kill(child),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async restart() {
      await kill(child)
      child = await startProcess([...args, ...config])
    },
  }
}

/** Runs redis-server until it says that it is ready. */
export async function startProcess(args: readonly string[]): Promise<ChildProcess> {
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  endWithUs(child)
  let said = ''
  await new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => {
      const sentence = 'redis-server is not installed, and this test needs it (Debian: apt-get install redis-server)'
      reject(new Error(sentence, { cause }))
    })
    child.once('close', () => reject(new Error(`redis-server did not start: ${said.slice(-2000)}`)))
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        said = `${said}${text}`.slice(-10_000)
        if (/Ready to accept connections|Sentinel ID is/.test(said)) resolve()
      })
    }
  })
  return child
}

/** Ends a process for good, also one that is stopped. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** Asks a Redis past our own client: `askRedis(port, 'PTTL', 'k')`. */
export async function askRedis(port: number, ...command: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('redis-cli', ['-p', `${port}`, ...command])
  return stdout.trim()
}
