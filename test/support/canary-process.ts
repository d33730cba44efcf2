import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { until } from './until.ts'

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname

/** The real process, and all that it says by itself. */
export interface Watched {
  readonly child: ChildProcess
  readonly exited: Promise<number | string>
  /** Standard output, standard error, arguments and title, and what its exporters sent: everything but its answers. */
  outputs(): Readonly<Record<string, string>>
  /** Waits until the service answers at its inner listener. */
  untilLive(adminUrl: string): Promise<void>
}

/** @param preload modules that are loaded before the service */
export async function watchProcess(
  t: TestContext,
  env: Readonly<Record<string, string>>,
  preload: readonly string[] = [],
): Promise<Watched> {
  const collector = await startCollector(t)
  const args = [...preload.flatMap((url) => ['--import', url]), MAIN]
  const own = { PATH: process.env.PATH, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
  const child = spawn(process.execPath, args, { env: { ...own, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { 'standard output': '', 'standard error': '' }
  child.stdout.on('data', (chunk) => {
    said['standard output'] += chunk
  })
  child.stderr.on('data', (chunk) => {
    said['standard error'] += chunk
  })
  const exited = once(child, 'close').then(([code, signal]): number | string => code ?? signal)
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const shown = { 'arguments and title': '' }
  return {
    child,
    exited,
    outputs: () => ({ ...said, ...shown, telemetry: collector.received() }),
    async untilLive(adminUrl) {
      await until(async () => {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${said['standard error']}`)
        return (await fetch(`${adminUrl}/health/live`)).ok
      }, 15_000)
      shown['arguments and title'] = readTitle(child.pid)
    },
  }
}

/** What every user of the machine may read of a process (Linux; elsewhere `ps` shows the arguments of the call above). */
function readTitle(pid: number | undefined): string {
  try {
    return ['cmdline', 'comm', 'status'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1')).join('\n')
  } catch {
    return ''
  }
}

/** Takes what an OpenTelemetry exporter sends; nothing, as long as there is none. */
async function startCollector(t: TestContext) {
  let received = ''
  const server: Server = createServer(async (request, response) => {
    received += `${request.url} ${JSON.stringify(request.headers)}`
    for await (const chunk of request) received += (chunk as Buffer).toString('latin1')
    response.end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received: () => received }
}
