import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { judgeMutants, type Report, type Survivor } from './verdict.ts'

const FILE = 'src/login/a.ts'

function report(...statuses: Report['files'][string]['mutants'][number]['status'][]): Report {
  const mutants = statuses.map((status, at) => ({
    status,
    mutatorName: 'BooleanLiteral',
    replacement: `r${at}`,
    location: { start: { line: 2 } },
  }))
  return { files: { [FILE]: { source: 'one\n  two\n', mutants } } }
}

test('mutants that a test kills or that hang count as killed, those that cannot run do not count at all', () => {
  const verdict = judgeMutants(report('Killed', 'Timeout', 'Killed', 'Survived', 'NoCoverage', 'RuntimeError'), [])
  assert.deepEqual([verdict.room, verdict.killed, verdict.total, verdict.percent], ['login', 3, 5, '60.0'])
  assert.equal(verdict.isEnough, false)
  assert.deepEqual(
    verdict.unexplained.map(({ code, line, replacement }) => [code, line, replacement]),
    [
      ['two', 2, 'r3'],
      ['two', 2, 'r4'],
    ],
  )
})

test('a reason stands for one mutant or for its whole line, and one that nobody needs is named', () => {
  const survivors: Survivor[] = [
    { file: FILE, code: 'two', replacement: 'r0', reason: 'x' },
    { file: FILE, code: 'one', reason: 'x' },
    { file: 'src/login/other.ts', code: 'two', reason: 'not of this run' },
  ]
  const verdict = judgeMutants(report('Survived', 'Survived'), survivors)
  assert.deepEqual(
    verdict.unexplained.map(({ replacement }) => replacement),
    ['r1'],
  )
  assert.deepEqual(verdict.outdated, [survivors[1]])
  assert.deepEqual(judgeMutants(report('Survived'), [{ file: FILE, code: 'two', reason: 'x' }]).unexplained, [])
})

test('every survivor that is allowed stands in the sources, with a reason', () => {
  const root = new URL('../..', import.meta.url).pathname
  const lists = globSync('survivors-*.json', { cwd: import.meta.dirname })
  assert.equal(lists.length, 3)
  const survivors = lists.flatMap(
    (list) => JSON.parse(readFileSync(join(import.meta.dirname, list), 'utf8')) as Survivor[],
  )
  for (const { file, code, reason } of survivors) {
    const lines = readFileSync(root + file, 'utf8').split('\n')
    assert.ok(
      lines.some((line) => line.trim() === code),
      `${file}: ${code}`,
    )
    assert.ok(reason.length > 10, `${file}: ${code}`)
  }
})
