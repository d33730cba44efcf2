import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Programs that tests drive for real, with the Debian package that brings each. */
const PROGRAMS = {
  chromium: 'chromium',
  'redis-server': 'redis-server',
  nginx: 'nginx',
  caddy: 'caddy',
  haproxy: 'haproxy',
} as const

/** Where Debian puts servers, and only root's PATH looks. */
const SERVER_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'] as const

/** A hung test fails instead of holding the run for ever. */
const TEST_TIMEOUT_MS = 300_000

const isInstalled = (program: string): boolean =>
  [...(process.env.PATH ?? '').split(delimiter), ...SERVER_FOLDERS].some((folder) => existsSync(join(folder, program)))

const apt = (...args: string[]): boolean =>
  spawnSync('apt-get', ['-qq', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }).status === 0

/** Installs what is missing where that is possible; a missing program fails the run, it never skips a test. */
function requirePrograms(): void {
  const missing = Object.entries(PROGRAMS).filter(([program]) => !isInstalled(program))
  if (missing.length === 0) return
  const packages = missing.map(([, name]) => name)
  const isRoot = process.getuid?.() === 0
  if (isRoot && isInstalled('apt-get')) {
    console.log(`installing ${packages.join(' ')} with apt-get …`)
    if (apt('update') && apt('install', '-y', '--no-install-recommends', ...packages, 'fonts-dejavu-core')) return
  }
  console.error(`npm test needs ${packages.join(' and ')}: install it (Debian: apt-get install ${packages.join(' ')}).`)
  process.exit(1)
}

requirePrograms()
const wanted = process.argv.slice(2)
const files = wanted.length > 0 ? wanted : ['test/**/*.test.ts']
const options = ['--test', '--test-concurrency=2', `--test-timeout=${TEST_TIMEOUT_MS}`]
const runner = spawn(process.execPath, [...options, ...files], { stdio: 'inherit' })
runner.on('exit', (code) => process.exit(code ?? 1))
