import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { buildTools } from './tools.ts'

/** A hung test fails instead of holding the run for ever. */
const TEST_TIMEOUT_MS = 120_000

const { values, positionals } = parseArgs({
  options: { update: { type: 'boolean', default: false } },
  allowPositionals: true,
})
buildTools()
const files = positionals.length > 0 ? positionals : ['test/chart/*.chart.ts']
const options = ['--test', '--test-concurrency=2', `--test-timeout=${TEST_TIMEOUT_MS}`]
const runner = spawn(process.execPath, [...options, ...files], {
  stdio: 'inherit',
  env: { ...process.env, ...(values.update && { UPDATE_GOLDEN: 'true' }) },
})
runner.on('close', (code) => process.exit(code ?? 1))
