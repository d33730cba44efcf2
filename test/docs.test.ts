import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { BffError, type ErrorCode } from '../src/errors.ts'

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

/** A document that answers by symptom: one section each, with the tests that bring it about and cure it. */
const SYMPTOMS = 'docs/troubleshooting.md'

interface Section {
  readonly heading: string
  readonly text: string
}

const readSections = (markdown: string): Section[] =>
  markdown
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const [heading = '', ...lines] = (part.split(/^## /m)[0] ?? '').split('\n')
      return { heading, text: lines.join('\n').trim() }
    })

/** As GitHub names a heading in an address. */
const toAnchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replaceAll(' ', '-')

function judgeLink(target: string, from: string): string | undefined {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? join(root, from) : join(dirname(join(root, from)), path)
  if (!existsSync(file)) return `no such file: ${target}`
  if (anchor === undefined) return undefined
  const anchors = [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => toAnchor(heading))
  return anchors.includes(anchor) ? undefined : `no such heading: ${target}`
}

/** @returns what is wrong with a section; nothing when it fits half a screen and every test that it names is there */
function judgeSection({ heading, text }: Section, from: string): string[] {
  const references = readReferences(text)
  const faults = references.map((reference) => judge(reference, from)).filter((fault) => fault !== undefined)
  if (references.length === 0) faults.push('no test')
  if (text.split('\n').length > 22) faults.push('more than half a screen')
  return faults.map((fault) => `${heading}: ${fault}`)
}

test(`${SYMPTOMS}: every symptom is short, stands in the table at the top, and names tests that exist`, () => {
  const markdown = readFileSync(join(root, SYMPTOMS), 'utf8')
  const sections = readSections(markdown)
  assert.ok(sections.length >= 25, `${sections.length} sections`)
  assert.deepEqual(
    sections.flatMap((section) => judgeSection(section, SYMPTOMS)),
    [],
  )
  const table = readRows(markdown)
    .map(({ text }) => text)
    .join('\n')
  const unlisted = sections.filter(({ heading }) => !table.includes(`](#${toAnchor(heading)})`))
  assert.deepEqual(unlisted, [])
})

test(`${SYMPTOMS}: every link leads somewhere, and every JSON answer is one of ours, word for word`, () => {
  const markdown = readFileSync(join(root, SYMPTOMS), 'utf8')
  const links = [...markdown.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => judgeLink(target, SYMPTOMS))
  assert.ok(links.length > 80)
  assert.deepEqual(
    links.filter((fault) => fault !== undefined),
    [],
  )
  const answers = [...markdown.matchAll(/"error":"(\w+)","error_description":"([^"]+)"/g)]
  assert.ok(answers.length >= 5)
  for (const [, code = '', description] of answers) {
    assert.equal(new BffError(code as ErrorCode, '').description, description, code) // An unknown code has none.
  }
})

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
  const [section] = readSections('## A\n### It is `x`, y\nnothing\n## B\n[not of it](test/docs.test.ts)')
  assert.deepEqual(judgeSection({ heading: '', text: '', ...section }, 'SECURITY.md'), ['It is `x`, y: no test'])
  assert.equal(judgeLink('docs/doctor.md#the-doctor', 'SECURITY.md'), undefined)
  assert.match(judgeLink('docs/doctor.md#nowhere', 'SECURITY.md') ?? '', /no such heading/)
})
