import { createReadStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import type { Owner } from '../support/redis.ts'
import type { Bases } from './bases.ts'
import { type Engine, SERVICE_IMAGE } from './engine.ts'
import { createContainer, isLive, prepare, readPid, readStatus } from './service.ts'

const STARTS = 7
const IDLE_MS = 10_000
const LIVE_WITHIN_MS = 30_000
const POLL_MS = 2

/** Of what Linux counts the age of a process in. */
const TICKS_PER_S = 100

interface Size {
  readonly compressedMb: number
  readonly uncompressedMb: number
}

/** Of some starts, in milliseconds. */
interface Times {
  readonly median: number
  readonly best: number
}

export interface Figures {
  /** All of it, and what is ours on top of the base. */
  readonly size: {
    readonly image: Size
    readonly withoutBase: Size
    readonly base: string
    readonly baseIsLocal: boolean
  }
  /** Of the process after 10 s without a request: `VmRSS`, and `RssAnon`, which no other container shares. */
  readonly idle: { readonly residentMb: number; readonly anonymousMb: number }
  /** To the first 200 on `/health/live`. The CPU time says more on a machine that is busy with other work. */
  readonly coldStartMs: {
    readonly fromContainerStart: Times
    readonly fromProcessStart: Times
    readonly processCpu: Times
    readonly starts: number
  }
}

const toMb = (bytes: number): number => Math.round(bytes / 100_000) / 10

function summarize(values: readonly number[]): Times {
  const sorted = values.map(Math.round).toSorted((a, b) => a - b)
  return { median: sorted[sorted.length >> 1] ?? Number.NaN, best: sorted[0] ?? Number.NaN }
}

async function countUnpacked(path: string): Promise<number> {
  let bytes = 0
  for await (const chunk of createReadStream(path).pipe(createGunzip())) bytes += (chunk as Buffer).length
  return bytes
}

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

/** The layers as a registry would keep them; those of the base come first. */
async function measureSize(engine: Engine, { run, isLocal }: Bases): Promise<Figures['size']> {
  const folder = join(engine.folder, 'oci')
  await engine.buildah(['push', '--quiet', '--format=oci', SERVICE_IMAGE, `oci:${folder}:latest`], {
    timeoutMs: 120_000,
  })
  const blob = (digest: string): string => join(folder, 'blobs', digest.replace(':', '/'))
  const [{ digest }] = readJson(join(folder, 'index.json')).manifests as [{ digest: string }]
  const { layers } = readJson(blob(digest)) as { layers: readonly { digest: string; size: number }[] }
  const base = JSON.parse(await engine.podman(['image', 'inspect', run]))[0].RootFS.Layers.length as number
  const sizes = await Promise.all(
    layers.map(async (layer) => [layer.size, await countUnpacked(blob(layer.digest))] as const),
  )
  const sum = (from: number): Size => {
    const wanted = sizes.slice(from)
    return {
      compressedMb: toMb(wanted.reduce((bytes, [packed]) => bytes + packed, 0)),
      uncompressedMb: toMb(wanted.reduce((bytes, [, unpacked]) => bytes + unpacked, 0)),
    }
  }
  return { image: sum(0), withoutBase: sum(base), base: run, baseIsLocal: isLocal }
}

/** How old a process is, and how much CPU time it has used. */
function readClocks(pid: number): { readonly ageMs: number; readonly cpuMs: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  const toMs = (field: number): number => (Number(fields[field - 3]) / TICKS_PER_S) * 1000 // proc(5) counts from 1.
  const upMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000
  return { ageMs: upMs - toMs(22), cpuMs: toMs(14) + toMs(15) }
}

async function untilLive(adminUrl: string): Promise<void> {
  const giveUpAt = performance.now() + LIVE_WITHIN_MS
  while (!(await isLive(adminUrl).catch(() => false))) {
    if (performance.now() > giveUpAt) throw new Error('the container does not answer')
    await sleep(POLL_MS)
  }
}

interface Start {
  readonly containerMs: number
  readonly processMs: number
  readonly cpuMs: number
  readonly pid: number
}

async function measureStart(owner: Owner, engine: Engine): Promise<Start> {
  const { env, adminUrl } = await prepare(owner)
  const name = await createContainer(owner, engine, env)
  const startedAt = performance.now()
  const started = engine.podman(['start', name])
  await untilLive(adminUrl)
  const answeredAt = performance.now()
  await started
  const pid = await readPid(engine, name)
  const { ageMs, cpuMs } = readClocks(pid)
  return {
    containerMs: answeredAt - startedAt,
    processMs: ageMs - (performance.now() - answeredAt),
    cpuMs,
    pid,
  }
}

const readMb = (pid: number, field: string): number => toMb(Number.parseInt(readStatus(pid, field), 10) * 1024)

/** Sizes, memory and start of the built image, for the report. */
export async function measure(engine: Engine, bases: Bases): Promise<Figures> {
  const size = await measureSize(engine, bases)
  const starts: Start[] = []
  let idle = { residentMb: Number.NaN, anonymousMb: Number.NaN }
  for (let round = 0; round < STARTS; round++) {
    const ends: (() => Promise<void>)[] = []
    try {
      const start = await measureStart({ after: (work) => void ends.push(work) }, engine)
      starts.push(start)
      if (round > 0) continue
      await sleep(IDLE_MS)
      idle = { residentMb: readMb(start.pid, 'VmRSS'), anonymousMb: readMb(start.pid, 'RssAnon') }
    } finally {
      for (const end of ends.reverse()) await end()
    }
  }
  const of = (name: 'containerMs' | 'processMs' | 'cpuMs'): Times => summarize(starts.map((start) => start[name]))
  return {
    size,
    idle,
    coldStartMs: {
      fromContainerStart: of('containerMs'),
      fromProcessStart: of('processMs'),
      processCpu: of('cpuMs'),
      starts: STARTS,
    },
  }
}
