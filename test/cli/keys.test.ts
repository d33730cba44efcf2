import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { calculateJwkThumbprint } from 'jose'
import { loadConfig } from '../../src/config.ts'
import { VALID_ENV } from '../config/valid-env.ts'

const CLI = new URL('../../src/cli/keys.ts', import.meta.url).pathname

/** Runs the command as a process of its own, in an empty directory. */
function setUp(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'keys-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const run = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd: directory, encoding: 'utf8' })
    return { status, stdout, stderr }
  }
  return { directory, run }
}

const modeOf = (path: string): number => statSync(path).mode & 0o777

test('KY-09 keys generate writes a private key that only its owner reads, and its public half', async (t) => {
  const { directory, run } = setUp(t)
  const { status, stdout, stderr } = run('generate')
  assert.equal(status, 0, stderr)
  assert.deepEqual(readdirSync(directory).toSorted(), ['jar-private-key.jwk.json', 'jar-public-key.pem'])
  const privatePath = join(directory, 'jar-private-key.jwk.json')
  assert.equal(modeOf(privatePath), 0o600)

  const jwk = JSON.parse(readFileSync(privatePath, 'utf8'))
  const pem = readFileSync(join(directory, 'jar-public-key.pem'), 'utf8')
  assert.deepEqual(Object.keys(jwk).toSorted(), ['alg', 'crv', 'd', 'kid', 'kty', 'use', 'x'])
  assert.deepEqual([jwk.kty, jwk.crv, jwk.alg, jwk.use], ['OKP', 'Ed25519', 'EdDSA', 'sig'])
  assert.equal(jwk.kid, await calculateJwkThumbprint(jwk, 'sha256'))
  const publicKey = createPublicKey(createPrivateKey({ key: jwk, format: 'jwk' }))
  assert.equal(pem, publicKey.export({ type: 'spki', format: 'pem' }))

  assert.ok(stdout.includes(`kid: ${jwk.kid}\n`))
  assert.ok(stdout.includes(pem))
  const printed = JSON.parse(stdout.slice(stdout.indexOf('{'), stdout.indexOf('}') + 1))
  const { d, ...publicJwk } = jwk
  assert.deepEqual(printed, publicJwk)
  assert.ok(!(stdout + stderr).includes(d))
  for (const word of ['developer portal', 'Key ID', 'support', 'client_id', `JAR_KEYS_FILE=${privatePath}`]) {
    assert.ok(stdout.includes(word), word)
  }
  assert.match(stdout, /JAR_KEY_ID=/)
  assert.match(stdout, /JAR_ALG=EdDSA/)
})

test('what keys generate and keys session print and write starts the service', (t) => {
  const { directory, run } = setUp(t)
  assert.equal(run('generate', '--alg', 'Ed25519').status, 0)
  const { stdout } = run('session')
  assert.match(stdout, /^[A-Za-z0-9_-]{43}\n$/)
  const files = { JAR_KEYS: '', JAR_KEYS_FILE: join(directory, 'jar-private-key.jwk.json') }
  const env = { ...VALID_ENV, ...files, SESSION_KEYS: stdout.trim() }
  assert.deepEqual(loadConfig(env).warnings, [])
  // As the instructions say, where Oten assigned a Key ID.
  assert.equal(loadConfig({ ...env, JAR_KEY_ID: 'oten-7' }).secrets.current().jarKeys[0]?.kid, 'oten-7')
})

test('keys session prints another key each time', (t) => {
  const { run } = setUp(t)
  assert.notEqual(run('session').stdout, run('session').stdout)
})

test('keys generate --out makes the directory, for its owner only', (t) => {
  const { directory, run } = setUp(t)
  assert.equal(run('generate', '--out', 'secret/keys').status, 0)
  assert.equal(modeOf(join(directory, 'secret/keys')), 0o700)
  assert.equal(modeOf(join(directory, 'secret/keys/jar-private-key.jwk.json')), 0o600)
})

for (const taken of ['jar-private-key.jwk.json', 'jar-public-key.pem']) {
  test(`keys generate does not overwrite ${taken}, and writes nothing beside it`, (t) => {
    const { directory, run } = setUp(t)
    writeFileSync(join(directory, taken), 'precious')
    const { status, stdout, stderr } = run('generate')
    assert.equal(status, 1)
    assert.equal(stdout, '')
    assert.match(stderr, new RegExp(`${taken.replaceAll('.', '\\.')} exists and is not overwritten`))
    assert.deepEqual(readdirSync(directory), [taken])
    assert.equal(readFileSync(join(directory, taken), 'utf8'), 'precious')
  })
}

test('keys generate says so when the directory cannot be made', (t) => {
  const { directory, run } = setUp(t)
  writeFileSync(join(directory, 'file'), '')
  const { status, stderr } = run('generate', '--out', 'file/keys')
  assert.equal(status, 1)
  assert.match(stderr, /cannot be made a directory \(ENOTDIR\)/)
})

test('keys generate says so when a file cannot be created', (t) => {
  const { run } = setUp(t)
  const { status, stderr } = run('generate', '--out', '/proc') // Not even root creates a file there.
  assert.equal(status, 1)
  assert.match(stderr, /cannot be (?:created|made a directory) \([A-Z]+\)/)
})

test('importing the command runs nothing', async () => {
  await import('../../src/cli/keys.ts')
  assert.equal(process.exitCode, undefined)
})

const WRONG_CALLS = [
  [],
  ['frobnicate'],
  ['generate', 'more'],
  ['generate', '--frobnicate'],
  ['generate', '--alg', 'RS256'],
  ['generate', '--alg'],
  ['session', '--out', 'x'],
]

for (const args of WRONG_CALLS) {
  test(`keys ${args.join(' ')}: shows the usage and exits with 2`, (t) => {
    const { directory, run } = setUp(t)
    const { status, stdout, stderr } = run(...args)
    assert.equal(status, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /Usage:\n {2}npm run keys -- generate/)
    assert.ok(!existsSync(join(directory, 'jar-public-key.pem')))
  })
}

test('keys --help shows the usage', (t) => {
  const { run } = setUp(t)
  const { status, stdout } = run('--help')
  assert.equal(status, 0)
  assert.match(stdout, /^Usage:/)
})
