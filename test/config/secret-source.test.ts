import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Config, loadConfig } from '../../src/config.ts'
import { assertRefused, type Env, findFaults, RFC_8037_JWK, RFC_8037_THUMBPRINT, VALID_ENV } from './valid-env.ts'

const OTHER_JWK = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
  x: 'A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg',
}
const KEY_1 = 'AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA'
const KEY_2 = 'ISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-P0A'

/** Secrets by path, in place of a disk. */
const makeFiles = (initial: Record<string, string>) => {
  const files = new Map(Object.entries(initial))
  const readFile = (path: string): string => {
    const text = files.get(path)
    if (text === undefined) throw Object.assign(new Error(`c4nary: no such file ${path}`), { code: 'ENOENT' })
    return text
  }
  return { files, readFile }
}

const withFiles = (env: Env, initial: Record<string, string>) => {
  const { files, readFile } = makeFiles(initial)
  return { files, config: loadConfig({ ...VALID_ENV, ...env }, readFile) }
}

/** Watches on a clock of the test; what was told collects in `told`. */
function follow(t: TestContext, config: Config) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const told: string[] = []
  const stop = config.secrets.watch({
    onChange: (names) => told.push(`changed: ${names.join()}`),
    onFault: (fault) => told.push(fault),
  })
  return { told, stop, waitS: (seconds: number) => t.mock.timers.tick(seconds * 1000) }
}

test('each of the six secrets can come from a file', () => {
  const contents = {
    OTEN_CLIENT_SECRET: 'secret of the file',
    JAR_KEYS: JSON.stringify(RFC_8037_JWK),
    CLIENT_ASSERTION_KEYS: JSON.stringify(OTHER_JWK),
    SESSION_KEYS: KEY_1,
    SESSION_STORE: 'memory:',
    ADMIN_TOKEN: 'sixteen-letters!',
  }
  const env: Env = { PUBLIC_URL: 'http://localhost', OTEN_CLIENT_ID: 'x', OTEN_TOKEN_AUTH: 'private_key_jwt' }
  for (const name of Object.keys(contents)) env[`${name}_FILE`] = `/run/${name}`
  for (const end of ['', '\n', '\r\n']) {
    const { readFile } = makeFiles(
      Object.fromEntries(Object.entries(contents).map(([name, text]) => [`/run/${name}`, text + end])),
    )
    const { secrets, session } = loadConfig(env, readFile)
    const { clientSecret, jarKeys, assertionKeys, sessionKeys, adminToken } = secrets.current()
    assert.equal(clientSecret, 'secret of the file')
    assert.equal(jarKeys[0]?.kid, RFC_8037_THUMBPRINT)
    assert.equal(assertionKeys[0]?.publicJwk.x, OTHER_JWK.x)
    assert.equal(sessionKeys[0]?.key.toString('base64url'), KEY_1)
    assert.equal(session.store, 'memory:')
    assert.equal(adminToken, 'sixteen-letters!')
  }
})

test('RO-16 one line break at the end of the secret file is not part of the secret; nothing else is taken off', () => {
  const read = (text: string) =>
    withFiles({ OTEN_CLIENT_SECRET: '', OTEN_CLIENT_SECRET_FILE: '/s' }, { '/s': text }).config.secrets.current()
      .clientSecret
  assert.equal(read(' secret \n'), ' secret ')
  assert.equal(read('secret\r\n'), 'secret')
  assert.equal(read('secret\n\n'), 'secret\n')
  assert.equal(read('secret\r'), 'secret\r')
  assert.equal(read('\tsecret'), '\tsecret')
})

const REFUSED_FILES: readonly (readonly [what: string, text: string | undefined, reason: RegExp])[] = [
  ['cannot be read', undefined, /cannot be read \(ENOENT\)/],
  ['is empty', '', /is empty/],
  ['holds a line break only', '\n', /is empty/],
  ['begins with a byte order mark', '\uFEFFc4nary', /not UTF-8/],
  ['is not UTF-8', 'c4nary\uFFFD', /not UTF-8/],
]

for (const [what, text, reason] of REFUSED_FILES) {
  test(`KY-09 CF-01 a file that ${what} is refused by the name of its variable, once`, () => {
    for (const name of ['OTEN_CLIENT_SECRET', 'JAR_KEYS', 'SESSION_KEYS', 'SESSION_STORE', 'ADMIN_TOKEN']) {
      const { readFile } = makeFiles(text === undefined ? {} : { '/run/c4nary': text })
      const env = { ...VALID_ENV, [name]: '', [`${name}_FILE`]: '/run/c4nary' }
      const faults = findFaults(env, readFile)
      assert.equal(faults.length, 1, faults.join(' | '))
      assert.match(faults[0] ?? '', reason)
      assert.ok(faults[0]?.startsWith(`${name}_FILE: `))
      assert.ok(!faults.join().includes('c4nary'))
    }
  })
}

test('CF-01 a variable and its file together are refused', () => {
  assertRefused({ ...VALID_ENV, SESSION_KEYS_FILE: '/c4nary' }, 'SESSION_KEYS_FILE', /SESSION_KEYS is set too/, [
    'c4nary',
  ])
})

test('KY-09 a wrong content is told by the name of the file variable', () => {
  const { readFile } = makeFiles({ '/k': 'c4nary' })
  const faults = findFaults({ ...VALID_ENV, JAR_KEYS: '', JAR_KEYS_FILE: '/k' }, readFile)
  assert.deepEqual(faults, ['JAR_KEYS_FILE: is neither PEM nor JSON; give a PKCS#8 PEM, a private JWK or a JWK Set'])
})

test('KY-09 a file that others can read or change is a warning', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'config-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'key')
  writeFileSync(path, JSON.stringify(RFC_8037_JWK))
  const warn = (mode: number) => {
    chmodSync(path, mode)
    return loadConfig({ ...VALID_ENV, JAR_KEYS: '', JAR_KEYS_FILE: path }).warnings
  }
  for (const mode of [0o600, 0o400, 0o440, 0o640]) assert.deepEqual(warn(mode), [])
  assert.match(warn(0o604).join(), /^JAR_KEYS_FILE: names a file that every user of this machine can read/)
  assert.match(warn(0o620).join(), /^JAR_KEYS_FILE: names a file that other users can change/)
  assert.match(warn(0o602).join(), /^JAR_KEYS_FILE: names a file that other users can change/)
  assert.equal(warn(0o666).length, 2)
})

test('KY-08 a new content of each watched file is in use within 5 s, and told by name', (t) => {
  const env: Env = { OTEN_TOKEN_AUTH: 'private_key_jwt' }
  const names = [
    'OTEN_CLIENT_SECRET',
    'JAR_KEYS',
    'CLIENT_ASSERTION_KEYS',
    'SESSION_KEYS',
    'ADMIN_TOKEN',
    'SESSION_STORE',
  ]
  for (const name of names) {
    env[name] = ''
    env[`${name}_FILE`] = name
  }
  const { files, config } = withFiles(env, {
    OTEN_CLIENT_SECRET: 'old secret',
    JAR_KEYS: JSON.stringify({ ...RFC_8037_JWK, kid: 'old' }),
    CLIENT_ASSERTION_KEYS: JSON.stringify({ ...OTHER_JWK, kid: 'old-assertion' }),
    SESSION_KEYS: KEY_1,
    ADMIN_TOKEN: 'old-token-sixteen',
    SESSION_STORE: 'memory:',
  })
  const { told, waitS } = follow(t, config)
  waitS(5)
  assert.deepEqual(told, [])

  files.set('OTEN_CLIENT_SECRET', 'new secret\n')
  files.set('JAR_KEYS', JSON.stringify({ ...RFC_8037_JWK, kid: 'new' }))
  files.set('CLIENT_ASSERTION_KEYS', JSON.stringify({ ...OTHER_JWK, kid: 'new-assertion' }))
  files.set('SESSION_KEYS', `${KEY_2},${KEY_1}`)
  files.set('ADMIN_TOKEN', 'new-token-sixteen')
  files.set('SESSION_STORE', 'file:elsewhere') // Read at start only.
  waitS(5)
  assert.deepEqual(told, ['changed: OTEN_CLIENT_SECRET,JAR_KEYS,CLIENT_ASSERTION_KEYS,SESSION_KEYS,ADMIN_TOKEN'])
  const { clientSecret, jarKeys, assertionKeys, sessionKeys, adminToken } = config.secrets.current()
  assert.equal(clientSecret, 'new secret')
  assert.equal(jarKeys[0]?.kid, 'new')
  assert.equal(assertionKeys[0]?.kid, 'new-assertion')
  assert.deepEqual(
    sessionKeys.map(({ key }) => key.toString('base64url')),
    [KEY_2, KEY_1],
  )
  assert.equal(adminToken, 'new-token-sixteen')
  assert.equal(config.session.store, 'memory:')
})

test('an invalid new content is told once, the old value stays; a corrected one is taken', (t) => {
  const { files, config } = withFiles(
    { JAR_KEYS: '', JAR_KEYS_FILE: '/k', ADMIN_TOKEN_FILE: '/t' },
    { '/k': JSON.stringify(RFC_8037_JWK), '/t': 'old-token-sixteen' },
  )
  const { told, waitS } = follow(t, config)
  const before = config.secrets.current()
  const staged: readonly (readonly [text: string | undefined, reason: RegExp])[] = [
    ['c4nary', /^JAR_KEYS_FILE: is neither PEM nor JSON.*; the old value stays in use$/],
    ['c4nary again', /neither PEM nor JSON/],
    ['', /is empty/],
    [undefined, /cannot be read/],
    [JSON.stringify({ ...RFC_8037_JWK, d: undefined }), /is a public key/],
  ]
  for (const [text, reason] of staged) {
    if (text === undefined) files.delete('/k')
    else files.set('/k', text)
    waitS(20)
    assert.equal(told.length, 1, told.join(' | '))
    assert.match(told.pop() ?? '', reason)
    assert.equal(config.secrets.current(), before)
  }
  files.set('/k', JSON.stringify({ ...RFC_8037_JWK, kid: 'new' }))
  waitS(5)
  assert.deepEqual(told, ['changed: JAR_KEYS'])
  assert.equal(config.secrets.current().jarKeys[0]?.kid, 'new')
  assert.equal(config.secrets.current().adminToken, 'old-token-sixteen')
})

test('a file at fault does not hold up another one', (t) => {
  const { files, config } = withFiles(
    { JAR_KEYS: '', JAR_KEYS_FILE: '/k', ADMIN_TOKEN_FILE: '/t' },
    { '/k': JSON.stringify(RFC_8037_JWK), '/t': 'old-token-sixteen' },
  )
  const { told, waitS } = follow(t, config)
  files.set('/k', 'c4nary')
  files.set('/t', 'new-token-sixteen')
  waitS(5)
  assert.equal(config.secrets.current().adminToken, 'new-token-sixteen')
  assert.equal(config.secrets.current().jarKeys[0]?.kid, RFC_8037_THUMBPRINT)
  assert.equal(told.length, 2)
  assert.match(told[0] ?? '', /^JAR_KEYS_FILE: /)
  assert.equal(told[1], 'changed: ADMIN_TOKEN')
})

test('RO-16 RO-18 the rules across variables hold for a new content too', (t) => {
  const { files, config } = withFiles(
    {
      ...{ JAR_ALG: 'HS256', OTEN_CLIENT_SECRET: '', OTEN_CLIENT_SECRET_FILE: '/s' },
      ...{ JAR_KEYS: '', JAR_KEYS_FILE: '/k', CLIENT_ASSERTION_KEYS_FILE: '/a', OTEN_TOKEN_AUTH: 'private_key_jwt' },
    },
    { '/s': 'x'.repeat(32), '/k': JSON.stringify(RFC_8037_JWK), '/a': JSON.stringify(OTHER_JWK) },
  )
  const { told, waitS } = follow(t, config)
  files.set('/s', 'x'.repeat(15))
  files.set('/k', JSON.stringify(OTHER_JWK))
  waitS(5)
  assert.match(
    told.join('\n'),
    /^OTEN_CLIENT_SECRET_FILE: must have 16 octets.*\nCLIENT_ASSERTION_KEYS_FILE: .*one purpose/,
  )
  assert.ok(!told.join().includes('changed'))
  const { clientSecret, jarKeys } = config.secrets.current()
  assert.equal(clientSecret, 'x'.repeat(32))
  assert.equal(jarKeys[0]?.publicJwk.x, RFC_8037_JWK.x)

  told.length = 0
  files.set('/a', JSON.stringify(RFC_8037_JWK)) // The two have changed places: each alone would not fit.
  files.set('/s', 'y'.repeat(32))
  waitS(5)
  assert.deepEqual(told, ['changed: OTEN_CLIENT_SECRET,JAR_KEYS,CLIENT_ASSERTION_KEYS'])
})

test('a content that is still being written is not taken', (t) => {
  const { files, config } = withFiles({ ADMIN_TOKEN_FILE: '/t' }, { '/t': 'old-token-sixteen' })
  const { told, waitS } = follow(t, config)
  waitS(1)
  for (const part of ['new-token-sixteen', 'new-token-sixteen-and', 'new-token-sixteen-and-more']) {
    files.set('/t', part)
    waitS(1)
    assert.equal(config.secrets.current().adminToken, 'old-token-sixteen')
  }
  waitS(1)
  assert.equal(config.secrets.current().adminToken, 'new-token-sixteen-and-more')
  assert.deepEqual(told, ['changed: ADMIN_TOKEN'])
})

test('a change between the start and the first look is seen', (t) => {
  const { files, config } = withFiles({ ADMIN_TOKEN_FILE: '/t' }, { '/t': 'old-token-sixteen' })
  files.set('/t', 'new-token-sixteen')
  const { waitS } = follow(t, config)
  waitS(5)
  assert.equal(config.secrets.current().adminToken, 'new-token-sixteen')
})

test('after stop, nothing is read any more', (t) => {
  const { files, config } = withFiles({ ADMIN_TOKEN_FILE: '/t' }, { '/t': 'old-token-sixteen' })
  const { told, stop, waitS } = follow(t, config)
  stop()
  files.set('/t', 'new-token-sixteen')
  waitS(20)
  assert.deepEqual(told, [])
})

test('the swapped links of a Kubernetes volume are followed, on a real disk', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'config-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const publish = (version: string, token: string): void => {
    mkdirSync(join(directory, version))
    writeFileSync(join(directory, version, 'token'), token, { mode: 0o600 })
    symlinkSync(version, join(directory, 'next'))
    renameSync(join(directory, 'next'), join(directory, '..data'))
  }
  publish('..1', 'old-token-sixteen\n')
  symlinkSync('..data/token', join(directory, 'token'))
  const config = loadConfig({ ...VALID_ENV, ADMIN_TOKEN_FILE: join(directory, 'token') })
  assert.deepEqual(config.warnings, [])
  const { told, waitS } = follow(t, config)
  publish('..2', 'new-token-sixteen\n')
  waitS(5)
  assert.deepEqual(told, ['changed: ADMIN_TOKEN'])
  assert.equal(config.secrets.current().adminToken, 'new-token-sixteen')
})
