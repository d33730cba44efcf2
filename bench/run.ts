import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { runLoad } from './load.ts'
import { startNginx } from './nginx.ts'
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

interface Subject {
  readonly kind: string
  readonly sessions?: number
  /** What each request asks for. */
  readonly path?: string
  /** Of an API behind it. */
  readonly upstream?: string
}

async function serve({ kind, sessions = 0, path = '/', upstream = '' }: Subject): Promise<Server> {
  const child = fork(new URL('serve.ts', import.meta.url), [kind, String(sessions), upstream], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [{ port, credentials }] = (await once(child, 'message')) as [Ready]
  const requests = credentials.map((credential) => buildRequest(path, `oten_session=${credential}`))
  return { child, port, requests: requests.length > 0 ? requests : [buildRequest(path)] }
}

const buildRequest = (path: string, cookie?: string): Buffer => {
  const credential = cookie === undefined ? '' : `cookie: ${cookie}\r\n`
  // As a page of the same origin calls.
  return Buffer.from(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\n${credential}\r\n`)
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

/** Other, case, other, case …: each slice is held against those beside it, so a drifting machine drifts in both. */
async function alternate(name: string, other: Server, subject: Server): Promise<Record<string, unknown>> {
  await measure(other)
  await measure(subject) // Warm-up of both, not counted.
  const slices: { readonly other: Slice; readonly subject: Slice }[] = []
  for (let index = 0; index < ROUNDS; index++) {
    slices.push({ other: await measure(other), subject: await measure(subject) })
  }
  const { rss } = await readUsage(subject)
  const failed = slices.reduce((sum, slice) => sum + slice.subject.failed + slice.other.failed, 0)
  const result = {
    case: name,
    ratio: round(median(slices.map((slice) => slice.subject.perSecond / slice.other.perSecond))),
    cpu_ratio: round(median(slices.map((slice) => slice.other.cpuUs / slice.subject.cpuUs))),
    per_second: Math.round(median(slices.map((slice) => slice.subject.perSecond))),
    cpu_us: round(median(slices.map((slice) => slice.subject.cpuUs)), 1),
    rss_mb: Math.round(rss / 2 ** 20),
    failed,
    slices,
  }
  console.log(
    `${name.padEnd(52)} ${result.ratio.toFixed(2)}   by CPU ${result.cpu_ratio.toFixed(2)}   ${result.per_second}/s   ${result.rss_mb} MB   ${failed} failed`,
  )
  return result
}

async function compare(name: string, subject: Subject, other: Subject = { kind: 'bare' }) {
  const servers = await Promise.all([serve(other), serve(subject)])
  const result = await alternate(name, ...servers)
  for (const { child } of servers) child.disconnect()
  return result
}

/** Both before the same API, and asked the same: what one passes on of a request, the other takes out. */
async function compareProxies(): Promise<Record<string, unknown>> {
  const api = await serve({ kind: 'upstream' })
  const upstream = `http://127.0.0.1:${api.port}`
  const proxy = await serve({ kind: 'proxy', sessions: 1000, path: '/api/x/1', upstream })
  const bare = { ...(await serve({ kind: 'reply-from', upstream })), requests: proxy.requests }
  const result = await alternate('proxy, of bare @fastify/reply-from', bare, proxy)
  for (const { child } of [api, proxy, bare]) child.disconnect()
  return result
}

/** nginx with `auth_request` before the same application, asking us or an endpoint that always says yes. */
async function compareBehindNginx(): Promise<readonly Record<string, unknown>[]> {
  const app = await serve({ kind: 'upstream' })
  const verify = await serve({ kind: 'verify', sessions: 1000 })
  const trivial = await serve({ kind: 'trivial-auth' })
  const fronts = [await startNginx(trivial.port, app.port), await startNginx(verify.port, app.port)] as const
  try {
    if (fronts[0] === undefined || fronts[1] === undefined) {
      console.log('nginx + verify                                       not measured: nginx is not installed')
      return []
    }
    const requests = verify.requests // Paths do not matter to nginx here; the cookies do to us.
    const [other, subject] = [
      { ...trivial, port: fronts[0].port, requests },
      { ...verify, port: fronts[1].port, requests },
    ] as const
    return [await alternate('nginx + verify, of nginx + an endpoint that says yes', other, subject)]
  } finally {
    for (const front of fronts) await front?.stop()
    for (const { child } of [app, verify, trivial]) child.disconnect()
  }
}

const hit = { sessions: 1000, path: '/auth/session' }
const results = [
  await compare('session hit, memory:, 1 k sessions, of bare Fastify', { kind: 'memory', ...hit }),
  await compare('session hit, file:, 1 k sessions, of bare Fastify', { kind: 'file', ...hit }),
  await compare('verify, file:, 1 k sessions, of bare Fastify', { kind: 'verify', ...hit, path: '/auth/verify' }),
  await compareProxies(),
  ...(await compareBehindNginx()),
]
const startUpMs = await measureStart(5)
console.log(`start-up to the first answer                         ${startUpMs} ms (median of 5)`)
const machine = { node: process.version, cores: cpus().length, cpu: cpus()[0]?.model }
const file = new URL('results.json', import.meta.url)
writeFileSync(
  file,
  `${JSON.stringify({ machine, connections: CONNECTIONS, rounds: ROUNDS, slice_ms: SLICE_MS, results, start_up_ms: startUpMs }, null, 2)}\n`,
)
