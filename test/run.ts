import { spawn } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'
import { requirePrograms } from './support/programs.ts'

/** Programs that tests drive for real, with the Debian packages that bring each. */
const PROGRAMS = {
  chromium: 'chromium fonts-dejavu-core',
  'firefox-esr': 'firefox-esr',
  certutil: 'libnss3-tools',
  openssl: 'openssl',
  'redis-server': 'redis-server',
  nginx: 'nginx',
  caddy: 'caddy',
  haproxy: 'haproxy',
} as const

/** A hung test fails instead of holding the run for ever. */
const TEST_TIMEOUT_MS = 300_000

/** Less than this, counted over the whole suite and the processes that it starts, fails the run. */
const COVERAGE_MIN = { lines: 95, branches: 90 } as const

/** A part of the suite covers a part of the code: only the whole of it is held to the figures. */
const buildCoverageOptions = (isWhole: boolean): string[] =>
  isWhole
    ? [
        '--experimental-test-coverage',
        '--test-coverage-include=src/**/*.ts',
        `--test-coverage-lines=${COVERAGE_MIN.lines}`,
        `--test-coverage-branches=${COVERAGE_MIN.branches}`,
      ]
    : []

/** Says once more at the very end what ran: the table of the coverage is long. */
function createCounter(): { read(chunk: Buffer): void; toString(): string } {
  const counts = new Map<string, string>()
  let rest = ''
  return {
    read(chunk) {
      const lines = `${rest}${chunk.toString()}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const [, what, count] = /^\W*(pass|fail|cancelled|skipped) (\d+)\W*$/.exec(stripVTControlCharacters(line)) ?? []
        if (what !== undefined && count !== undefined) counts.set(what, count)
      }
    },
    toString: () =>
      `tests: ${counts.get('pass') ?? 0} passed, ${Number(counts.get('fail') ?? 0) + Number(counts.get('cancelled') ?? 0)} failed, ${counts.get('skipped') ?? 0} skipped`,
  }
}

requirePrograms('npm test', PROGRAMS)
const wanted = process.argv.slice(2)
const files = wanted.length > 0 ? wanted : ['test/**/*.test.ts']
const options = ['--test', '--test-concurrency=2', `--test-timeout=${TEST_TIMEOUT_MS}`]
const runner = spawn(process.execPath, [...options, ...buildCoverageOptions(wanted.length === 0), ...files], {
  stdio: ['inherit', 'pipe', 'inherit'],
  env: { ...process.env, ...(process.stdout.isTTY && { FORCE_COLOR: '1' }) }, // A pipe would lose the colours.
})
const counter = createCounter()
runner.stdout.on('data', (chunk: Buffer) => {
  counter.read(chunk)
  process.stdout.write(chunk)
})
runner.on('close', (code) => {
  console.log(`\n${counter}`)
  process.exit(code ?? 1)
})
