import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { globSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requirePrograms } from '../support/programs.ts'
import { buildImages, writeSbom } from './build.ts'
import { type Engine, openEngine } from './engine.ts'
import { type Figures, measure } from './measure.ts'

// `npm run test:image`: builds the images of the Dockerfile, runs them as docs/image.md says, and looks into them. Needs no
// registry of images and no Docker: buildah builds, podman and runc run, all in a temporary folder that goes at the end.

const ROOT = new URL('../..', import.meta.url).pathname
const TEST_TIMEOUT_MS = 120_000
/** More than all of it has ever taken, so that a hung step fails the run. */
const RUN_MS = 900_000

const COMMAND = 'npm run test:image'
if (process.getuid?.() !== 0) {
  console.error(`${COMMAND} needs root: without it, containers need user namespaces, which not every machine has.`)
  process.exit(1)
}
requirePrograms(COMMAND, {
  buildah: 'buildah',
  podman: 'podman',
  runc: 'runc',
  git: 'git',
  'update-ca-certificates': 'ca-certificates',
})

const startedAt = performance.now()
const tell = (step: string): void =>
  console.log(`${`${Math.round((performance.now() - startedAt) / 1000)} s`.padStart(6)}  ${step}`)

/** @returns the exit code of the tests */
function runTests(engine: Engine, canary: string): Promise<number> {
  const files = globSync('test/image/*.image.ts', { cwd: ROOT })
  const options = ['--test', '--test-concurrency=1', `--test-timeout=${TEST_TIMEOUT_MS}`]
  const env = { ...process.env, IMAGE_FOLDER: engine.folder, IMAGE_CANARY: canary }
  const runner = spawn(process.execPath, [...options, ...files], { cwd: ROOT, env, stdio: 'inherit' })
  process.once('exit', () => runner.kill())
  return new Promise((resolve) => runner.on('exit', (code) => resolve(code ?? 1)))
}

function report({ size, idle, coldStartMs: { fromContainerStart, fromProcessStart, processCpu } }: Figures): string {
  const base = size.baseIsLocal ? 'a base made of this machine’s files' : size.base
  return [
    `image: ${size.image.compressedMb} MB compressed, ${size.image.uncompressedMb} MB uncompressed, on ${base}`,
    `  without its base: ${size.withoutBase.compressedMb} MB compressed, ${size.withoutBase.uncompressedMb} MB uncompressed`,
    `idle: ${idle.residentMb} MB resident after 10 s, ${idle.anonymousMb} MB of it anonymous`,
    'cold start to the first answer, median and best:',
    `  ${fromContainerStart.median} and ${fromContainerStart.best} ms from the start of the container`,
    `  ${fromProcessStart.median} and ${fromProcessStart.best} ms from the start of the process, which used`,
    `  ${processCpu.median} and ${processCpu.best} ms of CPU time`,
  ].join('\n')
}

async function runAll(engine: Engine): Promise<number> {
  const canary = randomBytes(24).toString('base64url')
  const bases = await buildImages(engine, canary, tell)
  tell(`bill of materials: ${writeSbom(engine)}`)
  const code = await runTests(engine, canary)
  if (code !== 0) return code
  const figures = await measure(engine, bases)
  writeFileSync(join(ROOT, 'test-output/image.json'), `${JSON.stringify(figures, null, 2)}\n`)
  console.log(`\n${report(figures)}`)
  tell('done')
  return 0
}

const engine = openEngine(mkdtempSync(join(tmpdir(), 'oten-bff-image-')))

let isEnding = false
/** Ends once: a terminal tells npm, and npm us. */
async function end(code: number): Promise<void> {
  if (isEnding) return
  isEnding = true
  await engine.close()
  process.exit(code)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(1))
setTimeout(() => {
  console.error(`${COMMAND} took more than ${RUN_MS / 1000} s`)
  void end(1)
}, RUN_MS).unref()

runAll(engine).then(end, (error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  return end(1)
})
