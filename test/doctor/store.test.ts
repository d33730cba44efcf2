import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Check } from '../../src/doctor/check.ts'
import { formatCheck } from '../../src/doctor/report.ts'
import { checkStore } from '../../src/doctor/store.ts'
import { createEmbeddedStore } from '../../src/store/embedded-store.ts'
import { createSelfSigned } from '../idp/self-signed.ts'
import { askRedis, findFreePort, startRedis } from '../support/redis.ts'
import { assertCheck, assertNoSecret } from './patient.ts'

const NAME = 'session store'
const now = (): number => Date.now() / 1000

async function diagnose(url: string, secure = false): Promise<readonly Check[]> {
  const checks = await checkStore(url, { now, secure })
  assertNoSecret({ SESSION_STORE: url }, checks.map(formatCheck).join('\n'))
  return checks
}

function createFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-store-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('doctor on memory: there is nothing to reach, and on https it warns', async () => {
  assertCheck(await diagnose('memory:'), 'ok', NAME, /^memory:/)
  assertCheck(await diagnose('memory:', true), 'warn', NAME, /^memory: sessions end with the process$/, /signs all/)
})

test('doctor sees that a session file can be made, and leaves nothing behind', async (t) => {
  const folder = createFolder(t)
  assertCheck(await diagnose(`file:${folder}/sessions.db`), 'ok', NAME, /is not there yet, and can be made in/)
  const deep = await diagnose(`file://${folder}/new/deeper/sessions.db`)
  assertCheck(deep, 'ok', NAME, new RegExp(`${folder}/new/deeper/sessions\\.db is not there yet.* in ${folder}$`))
  assert.deepEqual(readdirSync(folder), [])
})

test('doctor opens a session file that is there, and leaves what it holds', async (t) => {
  const path = join(createFolder(t), 'sessions.db')
  const before = await createEmbeddedStore({ path, now })
  await before.set('k', 'v', 1000)
  await before.close()
  assertCheck(await diagnose(`file:${path}`), 'ok', NAME, /opens, and can be read and written$/)
  const after = await createEmbeddedStore({ path, now })
  assert.equal(await after.get('k'), 'v')
  const keys: string[] = []
  for await (const key of after.scan('')) keys.push(key)
  assert.deepEqual(keys, ['k'])
  await after.close()
})

test('doctor takes a session file that is held for the one of a service that runs', async (t) => {
  const path = join(createFolder(t), 'sessions.db')
  const held = await createEmbeddedStore({ path, now })
  t.after(() => held.close())
  assertCheck(await diagnose(`file:${path}`), 'ok', NAME, /in use by another process: the service, if it runs/)
})

test('doctor sees that the folder of the session file cannot be written', async (t) => {
  const remedy = /let the user that runs the service own the folder/
  // Not even root writes there.
  assertCheck(
    await diagnose('file:/proc/oten/sessions.db'),
    'FAIL',
    NAME,
    /^\/proc\/oten\/sessions\.db: E[A-Z]+/,
    remedy,
  )
  assert.ok(!existsSync('/proc/oten'))
  const folder = createFolder(t)
  writeFileSync(join(folder, 'file'), '')
  assertCheck(await diagnose(`file:${folder}/file/sessions.db`), 'FAIL', NAME, /ENOTDIR/, remedy)
})

test('doctor sees that the session file is none', async (t) => {
  const folder = createFolder(t)
  writeFileSync(join(folder, 'text.db'), 'not a database '.repeat(100))
  assertCheck(await diagnose(`file:${folder}/text.db`), 'FAIL', NAME, /is not a SQLite database/, /name another path/)
  mkdirSync(join(folder, 'folder.db'))
  assertCheck(await diagnose(`file:${folder}/folder.db`), 'FAIL', NAME, /cannot be opened/, /name another path/)
})

test('doctor says what is wrong with SESSION_STORE itself', async () => {
  const pass = 'canary-password'
  for (const url of ['file:', 'file:folder/', 'file://host/x', 'memory:x', `redis://:${pass}@host:99999`]) {
    assertCheck(await diagnose(url), 'FAIL', NAME, /^SESSION_STORE/, /^correct SESSION_STORE/)
  }
})

test('doctor goes through Redis and back, and leaves nothing in it', async (t) => {
  const { url, port } = await startRedis(t, ['--requirepass', 'canary-password'])
  const checks = await diagnose(url.replace('//', '//:canary-password@'))
  assertCheck(checks, 'ok', NAME, /^Redis reads, writes and passes on messages$/)
  assertCheck(checks, 'ok', 'Redis memory', /^maxmemory-policy is noeviction$/)
  const keys = await askRedis(port, '-a', 'canary-password', '--no-auth-warning', 'KEYS', '*')
  assert.equal(keys, '')
})

test('doctor sees that Redis is down', async () => {
  const checks = await diagnose(`redis://:canary-password@127.0.0.1:${await findFreePort()}`)
  assertCheck(checks, 'FAIL', NAME, /no connection to Redis: .*ECONNREFUSED/, /check host and port in SESSION_STORE/)
})

test('doctor sees a wrong password for Redis, and a missing one', async (t) => {
  const { url } = await startRedis(t, ['--requirepass', 'the-right-password'])
  const wrong = await diagnose(url.replace('//', '//:canary-password@'))
  assertCheck(wrong, 'FAIL', NAME, /WRONGPASS/, /correct user and password in SESSION_STORE/)
  assertCheck(await diagnose(url), 'FAIL', NAME, /NOAUTH/, /correct user and password in SESSION_STORE/)
})

test('doctor sees that nobody known vouches for the certificate of Redis, and that rediss:// is missing', async (t) => {
  const [folder, { cert, key }] = [createFolder(t), createSelfSigned()]
  const [certPath, keyPath] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  writeFileSync(certPath, cert)
  writeFileSync(keyPath, key)
  const files = ['--tls-cert-file', certPath, '--tls-key-file', keyPath, '--tls-ca-cert-file', certPath]
  const { url } = await startRedis(t, [...files, '--tls-auth-clients', 'no'])
  assertCheck(await diagnose(url), 'FAIL', NAME, /self.signed certificate/, /NODE_EXTRA_CA_CERTS/)
  const plain = await diagnose(url.replace('rediss:', 'redis:'))
  assertCheck(plain, 'FAIL', NAME, /no connection to Redis/, /for a server with TLS write rediss:/)
})

test('doctor sees that Redis may evict sessions', async (t) => {
  const { url } = await startRedis(t, ['--maxmemory-policy', 'allkeys-lru'])
  const checks = await diagnose(url)
  assertCheck(checks, 'ok', NAME, /reads, writes/)
  assertCheck(checks, 'warn', 'Redis memory', /^maxmemory-policy is allkeys-lru$/, /noeviction/)
})

test('doctor sees what the Redis user may not do', async (t) => {
  const { url, port } = await startRedis(t)
  const add = (...rules: string[]) => askRedis(port, 'ACL', 'SETUSER', ...rules)
  await add('curious', 'on', '>canary-password', '~oten-bff:*', '&oten-bff:*', '+@all', '-info')
  await add('unheard', 'on', '>canary-password', '~oten-bff:*', 'resetchannels', '+@all')
  await add('unscripted', 'on', '>canary-password', '~oten-bff:*', '&*', '+@all', '-@scripting')
  const as = (user: string) => diagnose(url.replace('//', `//${user}:canary-password@`))
  const curious = await as('curious')
  assertCheck(curious, 'ok', NAME, /reads, writes/)
  assertCheck(curious, 'warn', 'Redis memory', /cannot be read/, /see to it by hand: .*noeviction/)
  assertCheck(await as('unheard'), 'FAIL', NAME, /NOPERM/, /channels of the service/)
  assertCheck(await as('unscripted'), 'FAIL', NAME, /NOPERM/, /scripts and channels of the service/)
})

test('doctor sees that Redis is full', async (t) => {
  const { url } = await startRedis(t, ['--maxmemory', '1'])
  assertCheck(await diagnose(url), 'FAIL', NAME, /^OOM/, /see to the Redis server: it refuses to write/)
})

test('doctor gives up on a Redis that does not answer', async (t) => {
  const redis = await startRedis(t)
  redis.pause()
  t.after(() => redis.resume())
  assertCheck(await diagnose(redis.url), 'FAIL', NAME, /no connection to Redis|no answer/, /check host and port/)
})
