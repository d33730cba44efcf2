import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const root = new URL('..', import.meta.url).pathname

/** Documents whose tables claim something, each row with the test that holds it in its last cell. */
const CLAIMS = ['docs/conformance.md', 'docs/conformance-rfc.md', 'docs/advisories.md', 'SECURITY.md'] as const

/** A shorter link text would fit tests that it does not mean. */
const TITLE_LENGTH_MIN = 16

interface Row {
  readonly line: number
  readonly text: string
  /** The row must name a test. Rows of what is deliberately not built need none. */
  readonly isClaim: boolean
}

/** The body rows of every table, without heads and rules. */
function readRows(markdown: string): Row[] {
  const lines = markdown.split('\n')
  let isClaim = true
  return lines.flatMap((text, index) => {
    if (/^#+ /.test(text)) isClaim = !/^#+ (Not |What is not|What each)/.test(text)
    const isHead = /^\|[\s:|-]+\|$/.test(lines[index + 1] ?? '')
    if (!text.startsWith('|') || isHead || /^\|[\s:|-]+\|$/.test(text)) return []
    return [{ line: index + 1, text, isClaim }]
  })
}

interface Reference {
  readonly title: string
  readonly path: string
}

const readReferences = (row: string): Reference[] =>
  [...row.matchAll(/\[((?:[^[\]]|\[[^\]]*\])+)\]\(([^()\s]*\btest\/[^()\s]+)\)/g)].map(([, title = '', path = '']) => ({
    title: title.replaceAll('`', ''),
    path,
  }))

const sources = new Map<string, string>()
const readTests = (path: string): string => {
  const known = sources.get(path) ?? readFileSync(path, 'utf8').replaceAll("\\'", "'")
  sources.set(path, known)
  return known
}

/** @returns what is wrong with a reference; nothing when a title of that file begins so */
function judge({ title, path }: Reference, from: string): string | undefined {
  const file = join(dirname(join(root, from)), path)
  if (!existsSync(file)) return `no such file: ${path}`
  if (!title.endsWith(':') && title.length < TITLE_LENGTH_MIN) return `too short to mean one test: ${title}`
  const source = readTests(file).replaceAll('`', '"')
  const isTitle = [`'${title}`, `"${title}`].some((literal) => source.includes(literal))
  return isTitle ? undefined : `${relative(root, file)} has no test named: ${title}`
}

for (const document of CLAIMS) {
  test(`${document}: every row names tests that exist`, () => {
    const rows = readRows(readFileSync(join(root, document), 'utf8'))
    assert.ok(rows.length >= 15, `${rows.length} rows`)
    const faults = rows.flatMap(({ line, text, isClaim }) => {
      const references = readReferences(text)
      if (isClaim && references.length === 0) return [`${line}: no test`]
      return references
        .map((reference) => judge(reference, document))
        .flatMap((fault) => (fault ? [`${line}: ${fault}`] : []))
    })
    assert.deepEqual(faults, [])
  })
}

test('every requirement that a test names stands in docs/conformance-rfc.md', () => {
  const table = readFileSync(join(root, 'docs/conformance-rfc.md'), 'utf8')
  const named = globSync('test/**/*.test.ts', { cwd: root }).flatMap((path) =>
    [
      ...readFileSync(join(root, path), 'utf8').matchAll(
        /\b(?:ST|RO|CB|TX|ID|SC|SE|RF|PX|LO|BL|MH|CS|HC|ER|KY|CF|LG)-\d\d\b/g,
      ),
    ].map(([id]) => id),
  )
  const missing = [...new Set(named)].filter((id) => !table.includes(`| ${id} |`)).sort()
  assert.ok(named.length > 300)
  assert.deepEqual(missing, [])
})

test('the check of the tables proves itself: a wrong title, a wrong file and a row without a test are seen', () => {
  const table = (cell: string): string => `| a | b |\n|---|---|\n| x | ${cell} |\n`
  const [bare] = readRows(table('nothing'))
  assert.deepEqual(readReferences(bare?.text ?? ''), [])
  const judged = (cell: string) => readReferences(table(cell)).map((reference) => judge(reference, 'SECURITY.md'))
  assert.deepEqual(judged('[the check of the tables proves itself](test/docs.test.ts)'), [undefined])
  assert.match(judged('[a test that nobody has written](test/tidy.test.ts)')[0] ?? '', /has no test named/)
  assert.match(judged('[the check of the tables proves itself](test/nowhere.test.ts)')[0] ?? '', /no such file/)
  assert.match(judged('[the check](test/docs.test.ts)')[0] ?? '', /too short/)
})
