import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What a compiler may take on a busy machine, downloads included. */
const COMMAND_MS = 600_000

/** @returns what it said; what went wrong is in the error, since compilers say it there */
export async function command(program: string, args: readonly string[], cwd?: string): Promise<string> {
  const options = { timeout: COMMAND_MS, maxBuffer: 64 * 1024 * 1024, ...(cwd !== undefined && { cwd }) }
  try {
    const { stdout, stderr } = await run(program, [...args], options)
    return stdout + stderr
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string } // Of `execFile`.
    throw new Error(`${program} ${args.join(' ')}\n${(stdout + stderr).slice(-4000)}`, { cause: error })
  }
}
