import { execFileSync } from 'node:child_process'
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { OUTPUT } from './folders.ts'

/** The release of Debian that has a Swift compiler, and what is needed of it. */
const RELEASE = 'trixie'
const PACKAGES = ['swiftlang', 'libc6-dev', 'libstdc++-14-dev', 'ca-certificates'] as const

/** A system of its own in a folder: its compiler needs newer libraries than this one may have. */
export const SYSTEM = join(OUTPUT, RELEASE)

/** Makes the system where it is not there yet. Needs root, as the change into it does. */
export function installSwift(): void {
  if (existsSync(SYSTEM)) return
  const unfinished = `${SYSTEM}.new`
  rmSync(unfinished, { recursive: true, force: true })
  console.log(`installing Debian's Swift into ${SYSTEM} …`)
  const args = ['--variant=minbase', `--include=${PACKAGES.join(',')}`, RELEASE, unfinished]
  execFileSync('debootstrap', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  writeFileSync(join(unfinished, 'etc/hosts'), '127.0.0.1 localhost\n')
  renameSync(unfinished, SYSTEM)
}

/** A command line that runs a script in that system, with processes and mounts of its own that end with it. */
export const enter = (script: string): [program: string, ...args: string[]] => [
  'unshare',
  ...['--mount', '--pid', '--fork', '--kill-child', `--mount-proc=${join(SYSTEM, 'proc')}`],
  ...['chroot', SYSTEM, 'sh', '-c', script],
]
