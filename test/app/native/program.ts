import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Program } from '../journey.ts'

/** How long a program may take for one answer, its start included. */
const PATIENCE_MS = 60_000

/** A program that takes one command a line and answers each with a line of JSON. */
export async function startProgram(command: string, args: readonly string[]): Promise<Program> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async obey(line) {
      child.stdin.write(`${line}\n`)
      const { value } = await withinPatience(child, lines.next())
      if (value === undefined) throw new Error(`the program has ended instead of an answer to: ${line.split(' ')[0]}`)
      return JSON.parse(value) as Record<string, unknown>
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.stdin.end() // The end of its input is the end of the program, wherever it runs.
      await withinPatience(child, ended)
    },
  }
}

async function withinPatience<T>(child: ChildProcess, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
  try {
    return await work
  } finally {
    clearTimeout(timer)
  }
}
