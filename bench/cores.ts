import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Core numbers as `taskset -c` takes them: the measured server has one for itself, all else shares the others. */
export interface Cores {
  readonly server: string
  readonly others: string
}

/** `0-2,5` → 0, 1, 2, 5 */
export const parseCoreList = (list: string): number[] =>
  list.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })

/** @returns undefined where processes cannot be pinned: no `taskset`, or a single core */
function findCores(): Cores | undefined {
  if (spawnSync('taskset', ['--version']).status !== 0) return undefined
  const [, list = ''] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  const [server, ...others] = parseCoreList(list)
  return others.length > 0 ? { server: `${server}`, others: others.join(',') } : undefined
}

/** Where what runs; undefined where the system decides. */
export const CORES = findCores()

/** The command that runs Node on the server's core. */
export const onServerCore = (args: readonly string[]): readonly [command: string, args: readonly string[]] =>
  CORES === undefined ? [process.execPath, args] : ['taskset', ['-c', CORES.server, process.execPath, ...args]]

/** Leaves the server's core alone from now on, as do the processes that this one starts. */
export const leaveServerCore = (): void => moveTo(CORES?.others)

/** Uses every core again: for work beside which nothing is measured. */
export const takeAllCores = (): void => moveTo(CORES && `${CORES.server},${CORES.others}`)

function moveTo(cores: string | undefined): void {
  if (cores !== undefined) spawnSync('taskset', ['-a', '-p', '-c', cores, `${process.pid}`])
}
