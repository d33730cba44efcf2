import { parseArgs } from 'node:util'
import { about } from '../doctor/check.ts'
import { examine } from '../doctor/examine.ts'
import { formatCheck } from '../doctor/report.ts'

const TIMEOUT_S = 8
const TIMEOUT_S_MAX = 10

/** The end of all patience: something that knows no limit of its own must not hold up a deployment. */
const WHOLE_TIMEOUT_MS = 50_000

const USAGE = `Usage:
  npm run doctor [-- --timeout SECONDS]
      checks the configuration in the environment against the real world: one line per check, ok, warn or FAIL;
      exits with 1 when any failed. SECONDS, 1 to ${TIMEOUT_S_MAX}, is the limit of one request (default ${TIMEOUT_S})`

/** @returns seconds; undefined for a call that is not one of the usage, or asks for it */
function parseTimeout(args: readonly string[]): number | 'help' | undefined {
  try {
    const options = { timeout: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const
    const { values } = parseArgs({ args: [...args], options })
    if (values.help) return 'help'
    const text = values.timeout ?? `${TIMEOUT_S}`
    const seconds = Number(text)
    return /^\d{1,2}$/.test(text) && seconds >= 1 && seconds <= TIMEOUT_S_MAX ? seconds : undefined
  } catch {
    return undefined
  }
}

/** Ends the process also when a look-up of a name is still under way, once everything is written. */
const leave = (code: number): void => void process.stdout.write('', () => process.exit(code))

/** @returns the exit code */
async function run(timeoutS: number): Promise<number> {
  let failed = false
  try {
    for await (const check of examine({ env: process.env, timeoutMs: timeoutS * 1000, now: () => Date.now() / 1000 })) {
      failed ||= check.status === 'FAIL'
      console.log(formatCheck(check))
    }
  } catch (error) {
    const kind = error instanceof Error ? error.name : 'an unknown error'
    console.log(formatCheck(about('doctor').fail(`stopped by ${kind}`, 'report this as a bug of oten-bff')))
    return 1
  }
  return failed ? 1 : 0
}

async function main(): Promise<void> {
  const timeout = parseTimeout(process.argv.slice(2))
  if (typeof timeout !== 'number') {
    if (timeout === 'help') console.log(USAGE)
    else console.error(USAGE)
    process.exitCode = timeout === 'help' ? 0 : 2
    return
  }
  setTimeout(() => {
    console.log(formatCheck(about('doctor').fail(`gave up after ${WHOLE_TIMEOUT_MS / 1000} s`, 'run it again')))
    leave(1)
  }, WHOLE_TIMEOUT_MS).unref()
  leave(await run(timeout))
}

if (import.meta.main) void main()
