import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Ports, readPorts, requireFreePorts, SERVICES } from '../../demo/ports.ts'

const START = fileURLToPath(new URL('../../demo/start.ts', import.meta.url))
const END_WITH_PARENT = new URL('../../demo/end-with-parent.ts', import.meta.url).href

/** Below the ports that systems hand out by themselves, so that no test's port 0 lands among ours. */
const [FIRST_PORT, LAST_PORT] = [12_000, 31_000] as const
const TRIES = 20

/** Where the pieces of the demo are, as browsers reach them. */
export interface DemoUrls {
  readonly spa: string
  readonly bff: string
  readonly phone: string
  readonly simulator: string
}

export interface Demo extends DemoUrls {
  /** Ctrl-C. @throws {Error} when it did not end by itself, and well */
  stop(): Promise<void>
}

/** Ports in a row that nobody has, from a random place: two test files look for theirs at the same time. */
export async function findFreePorts(): Promise<Ports> {
  for (let tries = 0; tries < TRIES; tries++) {
    const first = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT - SERVICES.length))
    const ports = readPorts({ DEMO_PORT: String(first) })
    const isFree = await requireFreePorts(ports).then(
      () => true,
      () => false,
    )
    if (isFree) return ports
  }
  throw new Error(`no ${SERVICES.length} free ports in a row`)
}

export const urlsOf = (ports: Ports): DemoUrls => ({
  spa: `http://localhost:${ports.spa}`,
  bff: `http://localhost:${ports.bff}`,
  phone: `http://127.0.0.1:${ports.phone}`,
  simulator: `http://127.0.0.1:${ports.simulator}`,
})

/**
 * Runs what `npm run demo` runs. It ends with this process, however that ends.
 *
 * @param env with `DEMO_PORT`, or it starts where there is room
 */
export async function startDemo(env: Readonly<Record<string, string>> = {}): Promise<Demo> {
  const ports = env.DEMO_PORT === undefined ? await findFreePorts() : readPorts(env)
  const child = spawn(process.execPath, ['--import', END_WITH_PARENT, START], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, DEMO_PORT: String(ports.spa), ...env },
  })
  const output = collect(child)
  const ended = once(child, 'exit')
  await Promise.race([
    output.waitFor('demo ready: '),
    ended.then(() => Promise.reject(new Error(`the demo did not start:\n${output.text()}`))),
  ])
  return {
    ...urlsOf(ports),
    async stop() {
      child.kill('SIGINT')
      const [code, signal] = await ended
      if (code !== 0) throw new Error(`the demo ended with ${code ?? signal}:\n${output.text()}`)
    },
  }
}

/** What a child process says, on both of its outputs. */
export function collect(child: ChildProcess): { text(): string; waitFor(words: string): Promise<void> } {
  let said = ''
  let listen = (): void => undefined
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      said += part
      listen()
    })
  }
  return {
    text: () => said,
    waitFor: (words) =>
      new Promise((resolve) => {
        listen = () => said.includes(words) && resolve()
        listen()
      }),
  }
}
