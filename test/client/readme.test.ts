import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { transformSync } from 'esbuild'

const ROOT = new URL('../..', import.meta.url).pathname
const readme = readFileSync(join(ROOT, 'client/README.md'), 'utf8')

const blocksOf = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text = '']) => text)

const OPTIONS = {
  target: 'es2022',
  lib: ['es2022', 'dom', 'dom.iterable'],
  module: 'esnext',
  moduleResolution: 'bundler',
  moduleDetection: 'force',
  jsx: 'react-jsx',
  types: [],
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
}

test('every example of the README is right by the types of the package, as an app with strict settings sees them', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'oten-bff-readme-'))
  t.after(() => rmSync(folder, { recursive: true }))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const blocks = [...blocksOf('ts').map((text) => ['ts', text]), ...blocksOf('tsx').map((text) => ['tsx', text])]
  assert.ok(blocks.length >= 9)
  blocks.forEach(([extension, text = ''], at) => {
    writeFileSync(join(folder, `example-${at}.${extension}`), text)
  })
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: OPTIONS }))
  const check = (): string =>
    execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['--project', folder], { encoding: 'utf8' })
  assert.equal(check(), '')
  writeFileSync(join(folder, 'wrong.ts'), "import { signIn } from 'oten-bff-client'\nsignIn({ returnTo: 5 })\n")
  assert.throws(check, /Command failed/) // The types are really looked at.
})

test('the examples for frameworks are JavaScript, and begin with what the package exports', async () => {
  const client = await import('oten-bff-client')
  const blocks = blocksOf('js')
  assert.equal(blocks.length, 3)
  for (const block of blocks) {
    transformSync(block)
    const [, names = ''] = /import \{ (.*) \} from 'oten-bff-client'/.exec(block) ?? []
    for (const name of names.split(', ')) assert.ok(name in client, name)
  }
})

test('the README says each function of the package, and its links lead somewhere', async () => {
  for (const name of Object.keys(await import('oten-bff-client')))
    assert.ok(readme.includes(`\`${name}`) || readme.includes(`${name}(`), name)
  const links = [...readme.matchAll(/\]\(([^)#]+)/g)].map(([, target = '']) => target)
  assert.ok(links.length >= 5)
  for (const link of links) assert.ok(existsSync(join(ROOT, dirname('client/README.md'), link)), link)
})

test('npm packs what a page needs, its types, the README, and nothing else', () => {
  const printed = execFileSync('npm', ['pack', '--dry-run', '--json'], { cwd: join(ROOT, 'client'), encoding: 'utf8' })
  const [{ files }] = JSON.parse(printed) as [{ files: { path: string }[] }]
  const others = files.map(({ path }) => path).filter((path) => !/^dist\/[\w-]+\.(js|d\.ts)$/.test(path))
  assert.deepEqual(others.sort(), ['README.md', 'package.json'])
})
