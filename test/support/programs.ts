import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where Debian puts servers, and only root's PATH looks. */
const SERVER_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'] as const

const isInstalled = (program: string): boolean =>
  [...(process.env.PATH ?? '').split(delimiter), ...SERVER_FOLDERS].some((folder) => existsSync(join(folder, program)))

const apt = (...args: string[]): boolean =>
  spawnSync('apt-get', ['-qq', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }).status === 0

/**
 * Installs what is missing where that is possible; a missing program fails the run, it never skips a test.
 *
 * @param command what needs them, for the message
 * @param programs each with the Debian packages that bring it, by spaces
 */
export function requirePrograms(command: string, programs: Readonly<Record<string, string>>): void {
  const missing = Object.entries(programs).filter(([program]) => !isInstalled(program))
  if (missing.length === 0) return
  const packages = missing.flatMap(([, names]) => names.split(' '))
  const isRoot = process.getuid?.() === 0
  if (isRoot && isInstalled('apt-get')) {
    console.log(`installing ${packages.join(' ')} with apt-get …`)
    if (apt('update') && apt('install', '-y', '--no-install-recommends', ...packages)) return
  }
  console.error(
    `${command} needs ${packages.join(' and ')}: install it (Debian: apt-get install ${packages.join(' ')}).`,
  )
  process.exit(1)
}
