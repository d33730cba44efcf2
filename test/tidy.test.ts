import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

const root = new URL('..', import.meta.url).pathname
const sources = globSync('src/**/*.ts', { cwd: root }).sort()

/** Rooms from the top down: each uses only what stands below it. The first entry that fits a path is its room. */
const ROOMS = [
  ['main', /^src\/(main\.ts|cli\/)/],
  ['doctor', /^src\/doctor\//],
  ['app', /^src\/app\.ts/],
  ['routes', /^src\/routes\//],
  ['admin', /^src\/admin\//],
  ['plugins', /^src\/plugins\//],
  ['proxy', /^src\/proxy\//],
  ['login', /^src\/login\//],
  ['session', /^src\/session\//],
  ['idp', /^src\/idp\//],
  ['store', /^src\/store\//],
  ['foundation', /^src\/(config(\.ts|\/)|log\.ts|metrics\.ts|tracing\.ts|errors\.ts|random\.ts)/],
] as const

const roomOf = (path: string): number => ROOMS.findIndex(([, pattern]) => pattern.test(path))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const importsOf = (path: string): string[] =>
  [...read(path).matchAll(/from '(\.[^']+)'|import\('(\.[^']+)'\)/g)].map(([, a, b]) =>
    normalize(join(dirname(path), a ?? b ?? '')),
  )

test('every source file belongs to a room and can be imported', async () => {
  assert.ok(sources.length > 40)
  for (const path of sources) {
    assert.notEqual(roomOf(path), -1, `${path} is in no room`)
    await import(join(root, path))
  }
})

test('no room imports from one above it', () => {
  const upward = sources.flatMap((path) =>
    importsOf(path)
      .filter((target) => roomOf(target) < roomOf(path))
      .map((target) => `${path} imports ${target}`),
  )
  assert.deepEqual(upward, [])
})

test('the pure rooms do no HTTP: login, session and proxy know no server', () => {
  const leaks = sources.filter((path) => /^src\/(login|session|proxy)\//.test(path) && /from 'fastify/.test(read(path)))
  assert.deepEqual(leaks, [])
})

test('a route file is named by the path it serves', () => {
  const strangers = globSync('src/routes/auth-*.ts', { cwd: root }).filter((path) => {
    const served = path.replace(/^src\/routes\/auth-/, '').replace(/\.ts$/, '')
    return !new RegExp(`'/auth/${served.replaceAll('-', '[-/]')}(\\.json|\\.yaml|\\.js)?'`).test(read(path))
  })
  assert.deepEqual(strangers, [])
})

test('no silenced check: no ts-ignore, no biome-ignore, no any, no test that is skipped', () => {
  const files = [
    ...sources,
    ...globSync('{test,demo,bench}/**/*.ts', { cwd: root, exclude: ['**/node_modules'] }),
  ].filter((path) => path !== 'test/tidy.test.ts')
  const silenced = files.filter((path) =>
    /@ts-(ignore|expect-error|nocheck)|biome-ignore|\bas any\b|\.(skip|todo|only)\(/.test(read(path)),
  )
  assert.deepEqual(silenced, [])
})

test('exact dependency versions only', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json')) as Record<
    string,
    Record<string, string>
  >
  const loose = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(
    ([, v]) => !/^(\d+\.\d+\.\d+|file:client)$/.test(v), // The client is this repository's own.
  )
  assert.deepEqual(loose, [])
})
