import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { endWithUs } from '../../test/support/end-with-us.ts'
import { baseEnv } from '../../test/support/env.ts'
import { getFreePort } from '../../test/support/world.ts'

/** The sources as they are. */
export const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** The service in a process of its own, as it is deployed. */
export interface MainProcess {
  readonly port: number
  /** From the start of the process to its first answer, as a load balancer would see it. */
  readonly startedMs: number
  /** Resident memory, MB. */
  rssMb(): number
  /** As a platform ends it. */
  stop(): Promise<void>
}

/**
 * @param main `MAIN`, or that of the bundle
 * @throws {Error} when it ends before it answers
 */
export async function startMain(env: Readonly<Record<string, string>>, main: string): Promise<MainProcess> {
  const [port, adminPort] = [await getFreePort(), await getFreePort()]
  const own = { PUBLIC_URL: `http://localhost:${port}`, PORT: `${port}`, ADMIN_PORT: `${adminPort}`, LOG_LEVEL: 'warn' }
  const began = performance.now()
  const child = spawn(process.execPath, [main], {
    env: { ...baseEnv(), PATH: process.env.PATH ?? '', ...env, ...own },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  endWithUs(child) // From outside: what is loaded into the process would be measured with it.
  await untilAnswering(child, port)
  const startedMs = performance.now() - began
  return {
    port,
    startedMs,
    rssMb: () => Number(execFileSync('ps', ['-o', 'rss=', '-p', `${child.pid}`])) / 1024,
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function untilAnswering(child: ChildProcess, port: number): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/auth/session`).catch(() => undefined)
    if (answer?.status === 200) return
    if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`)
    await sleep(2)
  }
}
