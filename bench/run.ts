import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { requirePrograms } from '../test/support/programs.ts'
import { CONNECTIONS, stopBare } from './compare.ts'
import { CORES, leaveServerCore } from './cores.ts'
import { type Bench, createFew, GROUPS } from './groups.ts'
import { isWhole, type Options, parseOptions } from './options.ts'
import { drawPicture, PICTURE } from './picture.ts'
import { createRecorder } from './record.ts'
import { reportVerdicts } from './report.ts'
import type { Results } from './results.ts'
import { soak } from './soak.ts'
import { openStage } from './stage.ts'
import { judge } from './targets.ts'

const RESULTS = new URL('results.json', import.meta.url)

/** Runs the groups of cases. Everything is measured first and written last, so that a failed run changes nothing. */
async function run(options: Options): Promise<Results> {
  const began = performance.now()
  const stage = openStage()
  try {
    const bench: Bench = { stage, options, few: createFew(stage), ...createRecorder() }
    for (const [name, group] of Object.entries(GROUPS)) {
      if (options.only.length === 0 || options.only.includes(name)) await group(bench)
    }
    return {
      machine: {
        node: process.version,
        cores: cpus().length,
        cpu: cpus()[0]?.model ?? 'unknown',
        pinned: CORES !== undefined,
      },
      connections: CONNECTIONS,
      rounds: options.rounds,
      slice_ms: options.seconds * 1000,
      took_s: Math.round((performance.now() - began) / 1000),
      ...bench.measurements,
    }
  } finally {
    await stopBare()
    await stage.close()
  }
}

const options = parseOptions(process.argv.slice(2), Object.keys(GROUPS))
requirePrograms('npm run bench', { 'redis-server': 'redis-server', nginx: 'nginx' })
leaveServerCore()
if (options.soak) {
  await soak()
} else {
  const results = await run(options)
  const verdicts = judge(results)
  reportVerdicts(verdicts)
  if (isWhole(options)) {
    writeFileSync(RESULTS, `${JSON.stringify({ ...results, targets: verdicts }, null, 2)}\n`)
    writeFileSync(PICTURE, drawPicture(results))
    console.log('\nwritten: bench/results.json, docs/images/bench.svg')
  } else {
    console.log('\nA shortened run: bench/results.json and the picture stay as they are.')
  }
}
