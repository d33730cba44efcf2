import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ENDPOINTS } from '../../demo/idp/endpoints.ts'
import { presetClients } from '../../demo/idp/presets.ts'
import { loadConfig } from '../../src/config.ts'
import { createSessionKey } from '../support/env.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const SERVICE = 'https://login.example.com'

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

const read = (name: string): Manifest => JSON.parse(readFileSync(join(ROOT, name), 'utf8')) as Manifest
const versionsOf = ({ dependencies, devDependencies }: Manifest): [string, string][] =>
  Object.entries({ ...dependencies, ...devDependencies })

const known = new Map(versionsOf(read('package.json')))
const examples = ['spa-vanilla', 'spa-react']

test('the examples use the packages that the repository is tested with, to the version', () => {
  for (const name of examples) {
    const versions = versionsOf(read(`examples/${name}/package.json`))
    assert.ok(versions.length >= 4, name)
    for (const [dependency, version] of versions) {
      const expected = dependency === 'oten-bff-client' ? 'file:../../client' : known.get(dependency)
      assert.equal(version, expected, `${name}: ${dependency}`)
    }
  }
  assert.deepEqual(versionsOf(read('test/client/plain-app/package.json')), [['vite', known.get('vite')]])
})

for (const name of examples) {
  test(`${name} has no type error, and builds to static files that know where the service is`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'oten-bff-example-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const run = (program: string, ...args: string[]): string =>
      execFileSync(join(ROOT, 'node_modules/.bin', program), args, {
        cwd: join(ROOT, 'examples', name),
        env: { ...process.env, VITE_BFF_URL: SERVICE },
        encoding: 'utf8',
      })
    run('tsc')
    run('vite', 'build', '--outDir', folder, '--logLevel', 'error')
    const code = globSync(`${folder}/assets/*.js`).map((path) => readFileSync(path, 'utf8'))
    assert.equal(code.length, 1)
    assert.ok(code[0]?.includes(SERVICE) && code[0].includes('/auth/session'))
    assert.match(readFileSync(join(folder, 'index.html'), 'utf8'), /<script type="module"[^>]* src="\/assets\//)
  })
}

test('the words of both examples are the same: whoever changes one changes the other', () => {
  const [one, other] = examples.map((name) => readFileSync(join(ROOT, `examples/${name}/src/words.ts`), 'utf8'))
  assert.equal(one, other)
})

for (const name of examples) {
  test(`${name}: the settings in its README start the service, as a client that the simulator knows`, () => {
    const readme = readFileSync(join(ROOT, `examples/${name}/README.md`), 'utf8')
    const [simulator = '', service = '', app = ''] = [...readme.matchAll(/^```sh\n(.*?)^```/gms)].map(
      ([, text]) => text,
    )
    const given = Object.fromEntries([...service.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, key, value]) => [key, value]))
    const config = loadConfig({ ...given, SESSION_KEYS: createSessionKey() })
    const [client] = presetClients([config.publicUrl]).filter(({ clientId }) => clientId === given.OTEN_CLIENT_ID)
    assert.equal(client?.clientSecret, given.OTEN_CLIENT_SECRET)
    assert.equal(client?.requestObjectAlg, given.JAR_ALG)
    assert.ok(simulator.includes(`SIMULATOR_BFF_URLS=${config.publicUrl} `))
    assert.equal(given.API_ROUTES, `/api/demo/hello=${given.OTEN_ISSUER}${ENDPOINTS.userinfo}`)
    assert.ok(app.startsWith(`cd examples/${name} `))
  })
}
