import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { chartFolder, readJson, render, renderText, root, run, scenarios, template } from './chart.ts'
import { listPaths } from './schema.ts'
import { findTools } from './tools.ts'

const { helm } = findTools()
const readYaml = (path: string): unknown => parse(readFileSync(join(root, path), 'utf8'))

test('the chart and what it runs have the version of the service', () => {
  const { version } = readJson('package.json') as { version: string }
  const chart = readYaml('helm/Chart.yaml') as { version: string; appVersion: string; apiVersion: string }
  assert.equal(chart.version, version)
  assert.equal(chart.appVersion, version)
  assert.equal(chart.apiVersion, 'v2')
})

test('helm package makes a chart that renders the same, without what only tests need', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'chart-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const { code, stderr } = await run(helm, ['package', chartFolder, '-d', folder])
  assert.equal(code, 0, stderr)
  const { version } = readJson('package.json') as { version: string }
  assert.deepEqual(readdirSync(folder), [`oten-bff-${version}.tgz`])
  const chart = join(folder, `oten-bff-${version}.tgz`)
  const { stdout } = await run('tar', ['-tzf', chart])
  const files = stdout.trim().split('\n')
  assert.equal(
    files.some((file) => file.startsWith('oten-bff/ci/')),
    false,
  )
  for (const file of ['values.schema.json', 'files/sign-in.mjs', 'templates/NOTES.txt']) {
    assert.ok(files.includes(`oten-bff/${file}`), file)
  }
  assert.equal(await renderText({ chart }), await renderText())
})

test('a Kubernetes without the sleep action is refused', async () => {
  const { code, stderr } = await template({ args: ['--kube-version', '1.29.9'] })
  assert.notEqual(code, 0)
  assert.match(stderr, /chart requires kubeVersion: >=1\.30\.0-0/)
})

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const listKeys = (values: unknown, path = ''): string[] =>
  isGroup(values)
    ? Object.entries(values).flatMap(([name, inner]) => [path + name, ...listKeys(inner, `${path}${name}.`)])
    : []

test('values.yaml names every value that the schema has', () => {
  const named = new Set(listKeys(readYaml('helm/values.yaml')))
  // What Helm sets, what makes no sense for the frontend, and the names of secrets, which stand there as a comment.
  const unnamed = /^global$|^frontend\.image\.pullSecrets$|^secret\.values\.|^affinity\./
  const missing = listPaths().filter((path) => !named.has(path) && !unnamed.test(path))
  assert.deepEqual(missing, [])
})

const guide = readFileSync(join(root, 'docs/kubernetes.md'), 'utf8')

test('the guide tells of every scenario, and of no other', () => {
  const told = [...guide.matchAll(/\(\.\.\/helm\/ci\/([a-z0-9-]+)-values\.yaml\)/g)].map(([, name]) => name)
  assert.deepEqual([...new Set(told)].sort(), [...scenarios])
})

test('what the guide says to install is a valid set of objects: three values and one Secret', async () => {
  const command = /^helm install (login [\s\S]*?[^\\])\n/m.exec(guide)?.[1] ?? ''
  const words = command.replaceAll('\\\n', ' ').split(/\s+/)
  assert.deepEqual(words.filter((word) => word.startsWith('--set')).length, 5, command)
  const { code, stdout, stderr } = await run(helm, ['template', ...words])
  assert.equal(code, 0, stderr)
  const { code: valid, stdout: faults } = await run(findTools().validate, [findTools().crd], stdout)
  assert.equal(valid, 0, faults)
  const kinds = (await render()).map(({ kind }) => kind)
  assert.deepEqual(kinds.toSorted(), [...stdout.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind).sort())
})
