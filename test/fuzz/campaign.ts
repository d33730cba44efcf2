import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { RUNS_DEFAULT, readSettings } from './settings.ts'

/** How many times as many values as in `npm test`, unless FUZZ_RUNS says otherwise. */
const TIMES = 20
const MINUTES_DEFAULT = 5

const USAGE = `usage: npm run fuzz -- [--minutes N] [FILE…]

Holds the properties of test/fuzz against fresh values, round after round, until the time is over or one of them fails.
FUZZ_RUNS sets the values per property and round, FUZZ_SEED the seed of the first round.`

interface Options {
  readonly minutes: number
  readonly files: readonly string[]
}

/** @throws {Error} for an option that is not known, or no number */
function readOptions(args: readonly string[]): Options {
  const options = { minutes: { type: 'string' }, help: { type: 'boolean' } } as const
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
  const minutes = Number(values.minutes ?? MINUTES_DEFAULT)
  if (values.help === true || !(minutes > 0 && minutes <= 24 * 60)) throw new Error(USAGE)
  return { minutes, files: positionals.length > 0 ? positionals : ['test/fuzz/*.test.ts'] }
}

/** One round of all properties. @returns what the runner printed, and whether all held */
async function runRound(files: readonly string[], runs: number, seed: number) {
  const { promise, resolve } = Promise.withResolvers<{ isGood: boolean; output: string }>()
  const options = ['--test', '--test-concurrency=2', '--test-timeout=1800000', '--test-reporter=spec']
  // A runner that is started by another one would otherwise speak that one's own language.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env
  const runner = spawn(process.execPath, [...options, ...files], {
    env: { ...env, FUZZ_RUNS: String(runs), FUZZ_SEED: String(seed) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  runner.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
  })
  runner.on('close', (code) => resolve({ isGood: code === 0, output }))
  return promise
}

/** What to do with a seed that broke a property. */
const explain = (runs: number, seed: number, files: readonly string[]): string => `
A property does not hold. To see it again:

  FUZZ_RUNS=${runs} FUZZ_SEED=${seed} node --test ${files.join(' ')}

Put its seed and path, as printed above, into test/fuzz/seeds.json, with the title of the test and why, so that every run
tries it from now on; then mend what it found.`

async function main(): Promise<number> {
  const { minutes, files } = readOptions(process.argv.slice(2))
  const settings = readSettings(process.env)
  const runs = process.env.FUZZ_RUNS === undefined ? RUNS_DEFAULT * TIMES : settings.runs
  const endsAt = performance.now() + minutes * 60_000
  for (let round = 1; round === 1 || performance.now() < endsAt; round++) {
    const seed = round === 1 && process.env.FUZZ_SEED !== undefined ? settings.seed : randomInt(2 ** 31)
    console.log(`round ${round}: FUZZ_SEED=${seed} FUZZ_RUNS=${runs}`)
    const startedAt = performance.now()
    const { isGood, output } = await runRound(files, runs, seed)
    if (!isGood) {
      console.log(output + explain(runs, seed, files))
      return 1
    }
    const held = /^ℹ pass (\d+)$/m.exec(output)?.[1] ?? '0'
    console.log(`round ${round}: ${held} tests passed, ${Math.round((performance.now() - startedAt) / 1000)} s`)
  }
  return 0
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
