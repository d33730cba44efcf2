import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8')

test('npm run bench measures real sign-ins and calls: every answer is as expected, and a shortened run writes nothing', async () => {
  const before = [read('bench/results.json'), read('docs/images/bench.svg')]
  const flags = ['--rounds', '1', '--seconds', '0.5', '--warm-up', '0.1', '--only', 'proxy,sign-in']
  const { stdout } = await promisify(execFile)(process.execPath, ['bench/run.ts', ...flags], { cwd: root })
  const measured = stdout.split('\n').filter((line) => /by CPU/.test(line))
  assert.deepEqual(
    measured.map((line) => line.slice(0, line.indexOf('   ')).trimEnd()),
    [
      'proxy, of bare @fastify/reply-from',
      'proxy, of the same upstream direct',
      'start, EdDSA, of bare Fastify',
      'start, HS256, of bare Fastify',
      'callback, of bare Fastify',
    ],
  )
  for (const line of measured) assert.doesNotMatch(line, /FAILED|NaN| 0\/s/)
  assert.match(stdout, /^met +answers that were not as expected +(?:= 0) +0$/m)
  assert.match(stdout, /^NOT MET resident memory when idle .*not measured$/m)
  assert.deepEqual([read('bench/results.json'), read('docs/images/bench.svg')], before)
})
