import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onServerCore } from '../cores.ts'
import type { Ready, Subject, Usage } from './subject.ts'

const SERVE = fileURLToPath(new URL('serve.ts', import.meta.url))

/** A server in a process of its own. */
export interface Server extends Ready {
  usage(): Promise<Usage>
  stop(): Promise<void>
}

export interface SpawnOptions {
  /** Whether it has the measured server's core for itself; otherwise it runs where this process may. */
  readonly isMeasured?: boolean
  readonly nodeOptions?: readonly string[]
}

/** @throws {Error} when it ends before it listens */
export async function startServer(
  subject: Subject,
  { isMeasured = false, nodeOptions = [] }: SpawnOptions = {},
): Promise<Server> {
  const args = [...nodeOptions, SERVE, JSON.stringify(subject)]
  const [command, words] = isMeasured ? onServerCore(args) : ([process.execPath, args] as const)
  const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const ended = once(child, 'exit')
  const failed = ended.then(([code]) => {
    throw new Error(`a server of the kind ${subject.kind} ended with ${code}`)
  })
  failed.catch(() => {}) // At its own end nobody waits for it.
  const hear = async (): Promise<unknown> => (await Promise.race([once(child, 'message'), failed]))[0]
  const ready = (await hear()) as Ready // By `serve.ts`, as all it says.
  return {
    ...ready,
    async usage() {
      child.send('usage')
      return (await hear()) as Usage
    },
    async stop() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}
