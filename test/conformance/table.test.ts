import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')

/** Titles that begin with a module's name. Written in one piece, so that they are found. */
const titlesOf = (source: string): string[] =>
  [...source.matchAll(/['"`]((?:oidcc|fapi2)-.*?)['"`]/g)].map(([, title = '']) => title)

const files = globSync('*.test.ts', { cwd: new URL('.', import.meta.url).pathname }).filter(
  (name) => name !== 'table.test.ts', // Whose pattern is no title.
)
const rows = read('../../docs/conformance.md')
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => ({
    line,
    modules: [...(line.split('|')[1] ?? '').matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name),
  }))

/** Whether the row is of this title's module, and links the test. */
const holds = (row: (typeof rows)[number], title: string, file: string): boolean =>
  row.modules.includes(title.split(':')[0] ?? '') && row.line.includes(`[${title}](../test/conformance/${file})`)

test('every test that is named after a module stands in the table, in the row of that module', () => {
  const titles = files.flatMap((file) => titlesOf(read(file)).map((title) => ({ file, title })))
  assert.ok(titles.length > 60, String(titles.length))
  const absent = titles.filter(({ file, title }) => !rows.some((row) => holds(row, title, file)))
  assert.deepEqual(absent, [])
})

test('a module has one row, and a title says what happens beside its name', () => {
  const named = rows.flatMap(({ modules }) => modules).filter((name) => /^(oidcc|fapi2)-/.test(name))
  const twice = named.filter((name, index) => named.indexOf(name) !== index)
  assert.deepEqual(twice, [])
  const bare = files.flatMap((file) => titlesOf(read(file))).filter((title) => !/^[\w-]+: .{10,}/.test(title))
  assert.deepEqual(bare, [])
})
