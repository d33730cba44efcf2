import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { buildClient } from '../support/client-build.ts'
import { buildClientTypes } from '../support/client-types.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const OCTETS_MAX = 3000

const read = (name: string): string => readFileSync(`${ROOT}${name}`, 'utf8')

/** What a bundler makes of a page that has this one line. */
async function bundle(line: string, ignoreAnnotations = false): Promise<string> {
  const stdin = { contents: line, resolveDir: `${ROOT}test/client` }
  const options = { bundle: true, format: 'esm', minify: true, write: false, treeShaking: true } as const
  const { outputFiles } = await build({ stdin, ...options, ignoreAnnotations })
  return outputFiles.map(({ text }) => text).join('')
}

test('client/src/api.ts is what openapi.yaml says (npm run snapshots writes it)', () => {
  assert.equal(read('client/src/api.ts'), buildClientTypes())
})

test('client/dist is what the sources make (npm run snapshots writes it), and nothing besides', () => {
  const built = buildClient()
  assert.ok(built.size > 20)
  assert.deepEqual(readdirSync(`${ROOT}client/dist`).sort(), [...built.keys()].sort())
  for (const [name, text] of built) assert.equal(read(`client/dist/${name}`), text, name)
})

test('the whole client is 3 kB on the wire', () => {
  const { length } = gzipSync(read('client/dist/client.js'))
  assert.ok(length <= OCTETS_MAX, `${length} octets`)
})

test('a bundler keeps of the client what a page imports, and drops the rest', async () => {
  const [one, all] = [
    await bundle("import { getSession } from 'oten-bff-client'; getSession()"),
    await bundle("import * as bff from 'oten-bff-client'; console.log(bff)"),
  ]
  const parts = ['/auth/start', '/auth/logout', '/auth/events', 'BroadcastChannel', 'locks', 'visibilitychange']
  assert.ok(one.includes('/auth/session'))
  assert.deepEqual(
    parts.filter((part) => one.includes(part)),
    [],
  )
  assert.deepEqual(
    parts.filter((part) => !all.includes(part)),
    [],
  )
  assert.ok(one.length * 2.5 < all.length, `${one.length} of ${all.length}`)
  // Not only because package.json says so.
  assert.equal((await bundle("import 'oten-bff-client'", true)).trim(), '', 'to import it does nothing')
})

test('the package brings what it names, needs nothing but React for one of its parts, and has the version of the service', () => {
  const manifest = JSON.parse(read('client/package.json')) as {
    version: string
    sideEffects: boolean
    exports: Record<string, Record<string, string>>
    dependencies?: object
    peerDependencies: object
  }
  const files = Object.values(manifest.exports).flatMap((conditions) => Object.values(conditions))
  assert.ok(files.length >= 4)
  for (const file of files) assert.ok(read(`client/${file}`).length > 0, file)
  assert.equal(manifest.dependencies, undefined)
  assert.deepEqual(Object.keys(manifest.peerDependencies), ['react'])
  assert.equal(manifest.sideEffects, false)
  assert.equal(manifest.version, (JSON.parse(read('package.json')) as { version: string }).version)
})

test('nothing of the client touches a browser when it is imported: servers that render pages import it, too', async () => {
  const client = await import('oten-bff-client')
  const react = await import('oten-bff-client/react')
  assert.equal(typeof client.getSession, 'function')
  assert.equal(typeof react.useSession, 'function')
})
