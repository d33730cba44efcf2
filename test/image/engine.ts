import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const SERVICE_IMAGE = 'localhost/oten-bff:test'
export const DEMO_IMAGE = 'localhost/oten-bff-demo:test'

/** All that docs/image.md says to run the image with. Nothing but the volume is writable: podman's own extras are off. */
export const HARDENING = [
  '--read-only',
  '--read-only-tmpfs=false',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges',
  '--no-healthcheck',
] as const

/**
 * Nothing of the machine's own settings, so that neither the build nor the run depends on them, and no lock is shared with
 * other containers here. The limits are below those of any machine: to raise them would need a capability that a virtual
 * machine may not have. Health checks are run by the tests: to run them by the clock, podman needs systemd.
 */
const SETTINGS = `
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
netns = "host"

[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
runtime = "runc"
`

/** Where a registry is reached only through a proxy; buildah passes them on to the commands of a build. */
const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'] as const

export interface Finished {
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly timeoutMs?: number
}

/** Buildah and podman over an image store of their own. */
export interface Engine {
  /** Where everything is; gone after `close`. */
  readonly folder: string
  /** @throws {Error} when it fails @returns what it printed */
  buildah(args: readonly string[], options?: CommandOptions): Promise<string>
  /** @throws {Error} when it fails @returns what it printed */
  podman(args: readonly string[], options?: CommandOptions): Promise<string>
  /** As `podman`, where a failure is an answer too. */
  tryPodman(args: readonly string[], options?: CommandOptions): Promise<Finished>
  /** Ends every container of this store, and removes all of it. */
  close(): Promise<void>
}

/** What runs now, to be ended when all ends. */
const running = new Set<ChildProcess>()

/** Runs a command to its end, or to that of its time. */
function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  { timeoutMs = 60_000 }: CommandOptions = {},
): Promise<Finished> {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (part: string) => {
      output[name] += part
    })
  }
  running.add(child)
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    // Not `close`: what podman leaves behind for a container keeps the pipes.
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      running.delete(child)
      setImmediate(() => resolve({ code: code ?? signal ?? 'gone', ...output }))
    })
  })
}

async function require(program: string, args: readonly string[], ended: Promise<Finished>): Promise<string> {
  const { code, stdout, stderr } = await ended
  if (code === 0) return stdout.trim()
  throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${(stdout + stderr).slice(-3000)}`)
}

/** Mounts below the folder, the innermost first. */
const readMounts = (folder: string): string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${folder}/`))
    .reverse()

/** @param folder an empty one, or that of another process of the same run */
export function openEngine(folder: string): Engine {
  const at = (name: string): string => join(folder, name)
  mkdirSync(at('tmp'), { recursive: true })
  writeFileSync(at('containers.conf'), SETTINGS)
  const env = {
    ...Object.fromEntries(PROXY_VARIABLES.map((name) => [name, process.env[name]])),
    PATH: `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin`,
    HOME: folder,
    TMPDIR: at('tmp'),
    CONTAINERS_CONF: at('containers.conf'),
  }
  const store = ['--root', at('store'), '--runroot', at('run')]
  const buildah = (args: readonly string[], options?: CommandOptions) =>
    require('buildah', args, run('buildah', [...store, ...args], env, options))
  const tryPodman = (args: readonly string[], options?: CommandOptions) =>
    run('podman', [...store, '--tmpdir', at('libpod'), ...args], env, options)
  const podman = (args: readonly string[], options?: CommandOptions) =>
    require('podman', args, tryPodman(args, options))
  return {
    folder,
    buildah,
    podman,
    tryPodman,
    async close() {
      for (const child of running) child.kill('SIGKILL')
      await tryPodman(['rm', '--all', '--force', '--time', '1'])
      await tryPodman(['image', 'unmount', '--all', '--force'])
      for (const path of readMounts(folder)) await run('umount', ['--lazy', path], env)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** That of the run which this test belongs to. */
export function findEngine(): Engine {
  const folder = process.env.IMAGE_FOLDER
  if (folder === undefined) throw new Error('this test needs a built image: npm run test:image')
  return openEngine(folder)
}
