import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { runLoad } from './load.ts'
import { measureStart } from './start-up.ts'

const CONNECTIONS = 64
const SLICE_MS = 1500
const ROUNDS = 5

interface Server {
  readonly child: ChildProcess
  readonly port: number
  readonly requests: readonly Buffer[]
}

interface Slice {
  readonly perSecond: number
  readonly cpuUs: number
  readonly failed: number
}

interface Ready {
  readonly port: number
  readonly credentials: readonly string[]
}

interface Usage {
  readonly cpu: NodeJS.CpuUsage
  readonly rss: number
}

async function serve(kind: string, count: number): Promise<Server> {
  const child = fork(new URL('serve.ts', import.meta.url), [kind, String(count)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [{ port, credentials }] = (await once(child, 'message')) as [Ready]
  const build = (path: string, cookie?: string): Buffer =>
    Buffer.from(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n${cookie === undefined ? '' : `cookie: ${cookie}\r\n`}\r\n`)
  const requests = credentials.map((credential) => build('/auth/session', `oten_session=${credential}`))
  return { child, port, requests: requests.length > 0 ? requests : [build('/')] }
}

async function readUsage({ child }: Server): Promise<Usage> {
  child.send('usage')
  const [usage] = (await once(child, 'message')) as [Usage]
  return usage
}

async function measure(server: Server): Promise<Slice> {
  const before = await readUsage(server)
  const { perSecond, answered, failed } = await runLoad({ ...server, connections: CONNECTIONS, durationMs: SLICE_MS })
  const after = await readUsage(server)
  const used = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system
  return { perSecond, cpuUs: used / answered, failed }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const round = (value: number, digits = 2): number => Number(value.toFixed(digits))

/** Bare, case, bare, case …: each slice is held against the bare ones beside it, so a drifting machine drifts in both. */
async function compare(name: string, kind: string, count: number): Promise<Record<string, unknown>> {
  const [bare, subject] = await Promise.all([serve('bare', 0), serve(kind, count)])
  await measure(bare)
  await measure(subject) // Warm-up of both, not counted.
  const slices: { readonly bare: Slice; readonly subject: Slice }[] = []
  for (let index = 0; index < ROUNDS; index++) {
    slices.push({ bare: await measure(bare), subject: await measure(subject) })
  }
  const { rss } = await readUsage(subject)
  for (const { child } of [bare, subject]) child.disconnect()
  const failed = slices.reduce((sum, slice) => sum + slice.subject.failed, 0)
  const result = {
    case: name,
    ratio: round(median(slices.map((slice) => slice.subject.perSecond / slice.bare.perSecond))),
    cpu_ratio: round(median(slices.map((slice) => slice.bare.cpuUs / slice.subject.cpuUs))),
    per_second: Math.round(median(slices.map((slice) => slice.subject.perSecond))),
    cpu_us: round(median(slices.map((slice) => slice.subject.cpuUs)), 1),
    rss_mb: Math.round(rss / 2 ** 20),
    failed,
    slices,
  }
  console.log(
    `${name.padEnd(34)} ${result.ratio.toFixed(2)} of bare   by CPU ${result.cpu_ratio.toFixed(2)}   ${result.per_second}/s   ${result.rss_mb} MB   ${failed} failed`,
  )
  return result
}

const results = [
  await compare('session hit, memory:, 1 k sessions', 'memory', 1000),
  await compare('session hit, file:, 1 k sessions', 'file', 1000),
]
const startUpMs = await measureStart(5)
console.log(`start-up to the first answer         ${startUpMs} ms (median of 5)`)
const machine = { node: process.version, cores: cpus().length, cpu: cpus()[0]?.model }
const file = new URL('results.json', import.meta.url)
writeFileSync(
  file,
  `${JSON.stringify({ machine, connections: CONNECTIONS, rounds: ROUNDS, slice_ms: SLICE_MS, results, start_up_ms: startUpMs }, null, 2)}\n`,
)
