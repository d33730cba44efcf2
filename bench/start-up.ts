import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { baseEnv } from '../test/support/env.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Milliseconds from the start of the process to its first answered request, as a load balancer would see it. */
async function measureOnce(port: number): Promise<number> {
  const env = {
    ...baseEnv(),
    PATH: process.env.PATH ?? '',
    PUBLIC_URL: `http://localhost:${port}`,
    PORT: String(port),
    OTEN_ISSUER: 'http://127.0.0.1:1',
    ALLOW_INSECURE_ISSUER: 'true',
    JAR_ALG: 'HS256',
    LOG_LEVEL: 'error',
  }
  const began = performance.now()
  const child = spawn(process.execPath, [MAIN], { env, stdio: 'ignore' })
  try {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${port}/auth/session`).catch(() => undefined)
      if (answer?.status === 200) return performance.now() - began
      if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`)
      await sleep(2)
    }
  } finally {
    child.kill('SIGKILL')
  }
}

/** @returns the median, whole milliseconds */
export async function measureStart(runs: number): Promise<number> {
  const times: number[] = []
  for (let run = 0; run < runs; run++) times.push(await measureOnce(28_080 + run))
  return Math.round(times.toSorted((a, b) => a - b)[Math.floor(runs / 2)] ?? Number.NaN)
}
