import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endWithUs } from '../support/end-with-us.ts'
import { kill, type Owner } from '../support/redis.ts'
import { until } from '../support/until.ts'

const EXAMPLES = fileURLToPath(new URL('../../examples/forward-auth/', import.meta.url))

/** Where things are, each as `host:port`. */
export interface Places {
  /** Where the proxy listens. */
  readonly proxy: string
  /** The service's main and inner listener. */
  readonly main: string
  readonly inner: string
  readonly app: string
}

/** A kind of proxy with its example, which runs as it stands but for the places and the certificate. */
export interface ProxyKind {
  readonly name: string
  readonly file: string
  /** What a reader adapts, too. */
  adapt(config: string, places: Places, folder: string): string
  /** In the foreground, as one process. */
  command(config: string, folder: string): readonly [program: string, ...args: string[]]
}

export const PROXIES: readonly ProxyKind[] = [
  {
    name: 'nginx',
    file: 'nginx.conf',
    adapt(config, { proxy }, folder) {
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (n) => `${n}_temp_path ${folder}/${n};`,
      )
      const plain = swap(config, 'listen 443 ssl;', `listen ${proxy};`)
        .replace(/^ *ssl_certificate .*\n/m, '')
        .replace(/^ *ssl_certificate_key .*\n/m, '')
      return swap(plain, '\nhttp {\n', `\nhttp {\naccess_log off; ${temporary.join(' ')}\n`)
    },
    command: (config, folder) => {
      const globals = `daemon off; master_process off; pid ${folder}/pid; error_log stderr;`
      return ['nginx', '-p', folder, '-c', config, '-e', 'stderr', '-g', globals]
    },
  },
  {
    name: 'Caddy',
    file: 'Caddyfile',
    adapt: (config, { proxy }) =>
      `{\n\tadmin off\n\tdefault_bind 127.0.0.1\n}\n${swap(config, '\napp.example.com {', `\nhttp://${proxy.replace('127.0.0.1', 'localhost')} {`)}`,
    command: (config) => ['caddy', 'run', '--adapter', 'caddyfile', '--config', config],
  },
  {
    name: 'HAProxy',
    file: 'haproxy.cfg',
    adapt(config, { proxy }, folder) {
      copyFileSync(join(EXAMPLES, 'auth-request.lua'), join(folder, 'auth-request.lua'))
      const plain = config.replace(/^( *bind) :443 ssl .*$/m, `$1 ${proxy}`)
      return swap(plain, '/etc/haproxy/', `${folder}/`)
    },
    command: (config) => ['haproxy', '-db', '-f', config],
  },
]

/**
 * Runs the proxy of an example in a folder of its own; it ends with its owner.
 *
 * @throws {Error} with what the proxy said, when it does not start
 */
export async function startProxy(owner: Owner, kind: ProxyKind, places: Places): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'proxy-test-'))
  const example = readFileSync(join(EXAMPLES, kind.file), 'utf8')
  const placed = [
    ['127.0.0.1:8080', places.main],
    ['127.0.0.1:8081', places.inner],
    ['127.0.0.1:3000', places.app],
  ].reduce((config, [from = '', to = '']) => swap(config, from, to), example)
  const path = join(folder, kind.file)
  writeFileSync(path, kind.adapt(placed, places, folder))
  const [program, ...args] = kind.command(path, folder)
  const PATH = [process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter)
  const child = spawn(program, args, { env: { PATH, HOME: folder }, stdio: ['ignore', 'pipe', 'pipe'] })
  owner.after(async () => {
    await kill(child)
    rmSync(folder, { recursive: true, force: true })
  })
  await waitUntilReady(child, kind, places)
}

async function waitUntilReady(child: ChildProcess, kind: ProxyKind, { proxy }: Places): Promise<void> {
  endWithUs(child)
  let said = ''
  child.once('error', (error) => {
    said += String(error)
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-10_000)
    })
  }
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined
  const answers = async (): Promise<boolean> => {
    if (hasEnded()) return true
    const response = await fetch(`http://${proxy.replace('127.0.0.1', 'localhost')}/auth/jwks.json`)
    await response.body?.cancel()
    return response.ok
  }
  await until(answers).catch((cause: unknown) => {
    throw new Error(`${kind.name} does not answer: ${said}`, { cause })
  })
  if (hasEnded()) throw new Error(`${kind.name} did not start: ${said}`)
}

/** Everywhere in the text. @throws {Error} when it is nowhere: an example that changed must not be tested as something else */
function swap(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`the example does not say ${from}`)
  return text.replaceAll(from, to)
}
