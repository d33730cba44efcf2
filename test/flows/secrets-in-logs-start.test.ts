import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Environment, FILE_VARIABLES } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { openStore } from '../../src/store/index.ts'
import { VALID_ENV } from '../config/valid-env.ts'
import { type Canaries, createCanaries } from '../support/canaries.ts'
import { watchProcess } from '../support/canary-process.ts'
import { createKey, createSessionKey } from '../support/env.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { getFreePort } from '../support/world.ts'

/** One of each secret that an operator holds in the hand, and can put in the wrong place. */
function createSecrets() {
  const canaries = createCanaries()
  const [jar, assertion, sessionKey] = [createKey().privateJwk, createKey().privateJwk, createSessionKey()]
  const token = randomBytes(24).toString('hex')
  const [clientSecret, password] = [
    `cs-${randomBytes(24).toString('base64url')}`,
    `pw${randomBytes(12).toString('hex')}`,
  ]
  const readD = (jwk: string): string => (JSON.parse(jwk) as { d: string }).d
  canaries.markKey('jar-key', readD(jar))
  canaries.markKey('assertion-key', readD(assertion))
  canaries.markKey('session-keys', sessionKey)
  canaries.mark('admin-token', token)
  canaries.mark('client-secret', clientSecret)
  canaries.mark('redis-password', password)
  const redis = `redis://:${password}@127.0.0.1:6379/0`
  const values = {
    jar,
    d: readD(jar),
    assertion,
    sessionKey,
    token,
    clientSecret,
    password,
    redis,
    unencoded: `redis://:${password}/@h`,
  }
  return { canaries, values }
}

const assertUnseen = (canaries: Canaries, text: string, what: string): void =>
  assert.deepEqual(canaries.find(text), [], what)

/** What a start says, whether it starts or not. */
function say(env: Readonly<Record<string, string>>): string {
  try {
    return loadConfig(env).warnings.join('\n')
  } catch (error) {
    return String(error instanceof Error ? `${error.message} ${error.stack} ${JSON.stringify(error)}` : error)
  }
}

test('CF-01: whichever secret stands in whichever variable, the start shows none of it', () => {
  const { canaries, values } = createSecrets()
  const names = [...Object.keys(Environment.properties), ...FILE_VARIABLES.map((name) => `${name}_FILE`)]
  let refusals = 0
  for (const name of names) {
    for (const [what, value] of Object.entries(values)) {
      for (const text of [
        value,
        `${value},${value}`,
        `https://${value}.example/?${value}`,
        `a=${value}`,
        `https://ada:${value}@idp.example`,
      ]) {
        const said = say({ ...VALID_ENV, [name]: text })
        if (said.includes('not usable')) refusals += 1
        assertUnseen(canaries, said, `${what} in ${name}`)
      }
    }
  }
  assert.ok(refusals > 500, `${refusals}`)
  const all = Object.fromEntries(names.map((name) => [name, values.token]))
  assertUnseen(canaries, say(all), 'one in all')
  for (const name of ['OTEN_CLIENT_SECRETS', 'SESSION_KEY', 'ADMIN_TOKENS', 'JAR_KEY']) {
    assertUnseen(canaries, say({ ...VALID_ENV, [name]: values.clientSecret }), name)
  }
})

test('CF-01: nor does the process, for one that passes for an address to listen on', async (t) => {
  const { canaries, values } = createSecrets()
  const base = { ...VALID_ENV, SESSION_STORE: 'memory:', PORT: '0', ADMIN_PORT: '0', HOST: '127.0.0.1' }
  const starts = [{ HOST: values.token }, { ADMIN_HOST: values.password }, { SESSION_STORE: values.unencoded }]
  await Promise.all(
    starts.map(async (env) => {
      const { exited, outputs } = await watchProcess(t, { ...base, ...env })
      assert.equal(await exited, 1)
      for (const [place, text] of Object.entries(outputs()))
        assertUnseen(canaries, text, `${Object.keys(env)}: ${place}`)
    }),
  )
})

test('LG-01: a Redis that refuses the password, or is not there, is told of without the password', async (t) => {
  const password = `pw:${randomBytes(12).toString('base64')}@/`
  const canaries = createCanaries()
  canaries.mark('redis-password', password)
  const redis = await startRedis(t, ['--requirepass', 'another'])
  const wrong = `://wrong:${encodeURIComponent(password)}@127.0.0.1`
  const urls = [
    `redis${wrong}:${redis.port}`,
    `redis${wrong}:${await getFreePort()}`,
    `redis${wrong}:${redis.port}?cluster=true`,
    `redis${wrong}:${redis.port}?sentinel=main&sentinel_password=${encodeURIComponent(password)}`,
    `rediss${wrong}:${redis.port}`,
  ]
  const lines: string[] = []
  const { log } = createLog('trace', { write: (line: string) => void lines.push(line) })
  await Promise.all(
    urls.map(async (url) => {
      const store = await openStore(url, { now: () => 1 })
      t.after(() => store.close())
      const failure = await store.get('x').then(
        () => assert.fail('it answered'),
        (error: unknown) => error,
      )
      log.error({ err: failure }, 'failed')
      log.error(failure, 'failed')
      await store.subscribe('x', () => {}).catch((err: unknown) => log.error({ err }, 'failed'))
    }),
  )
  assert.ok(lines.length >= urls.length * 2)
  assertUnseen(canaries, lines.join(''), 'the log')
})

/** Contents that an operator may have put into the wrong file, or half of it into the right one. */
const breakContent = (values: ReturnType<typeof createSecrets>['values']): readonly string[] => [
  ...Object.values(values),
  values.jar.slice(0, -3),
  values.jar.replace('Ed25519', 'P-256'),
  `{"keys":[${values.jar},${values.jar}]}`,
  `-----BEGIN PRIVATE KEY-----\n${Buffer.from(values.d, 'base64url').toString('base64')}\n-----END PRIVATE KEY-----`,
  `${values.sessionKey}=`,
  `${values.sessionKey},${values.sessionKey}`,
  `\uFEFF${values.token}`,
  `${values.token} ${values.token}`,
]

test('KY-09: whatever new content a secret file gets, what is said of it shows none of it', async (t) => {
  const { canaries, values } = createSecrets()
  const contents = new Map<string, string>()
  const files = ['OTEN_CLIENT_SECRET', 'JAR_KEYS', 'CLIENT_ASSERTION_KEYS', 'SESSION_KEYS', 'ADMIN_TOKEN']
  const good = {
    OTEN_CLIENT_SECRET: values.clientSecret,
    JAR_KEYS: values.jar,
    CLIENT_ASSERTION_KEYS: values.assertion,
    SESSION_KEYS: values.sessionKey,
    ADMIN_TOKEN: values.token,
  }
  for (const [name, value] of Object.entries(good)) contents.set(name, value)
  const env = Object.fromEntries(files.map((name) => [`${name}_FILE`, name]))
  const { SESSION_KEYS: _keys, JAR_KEYS: _jar, OTEN_CLIENT_SECRET: _secret, ...rest } = VALID_ENV
  const { secrets } = loadConfig(
    { ...rest, ...env, OTEN_TOKEN_AUTH: 'private_key_jwt' },
    (path) => contents.get(path) ?? '',
  )
  t.mock.timers.enable({ apis: ['setInterval'] })
  const said: string[] = []
  const stop = secrets.watch(
    { onChange: (names) => said.push(names.join()), onFault: (fault) => said.push(fault) },
    1000,
  )
  t.after(stop)
  for (const name of files) {
    for (const content of breakContent(values)) {
      contents.set(name, content)
      t.mock.timers.tick(2000)
    }
    contents.set(name, good[name as keyof typeof good])
    t.mock.timers.tick(2000)
  }
  assert.ok(said.length >= 50, `${said.length}`)
  assertUnseen(canaries, said.join('\n'), 'faults and changes')
})

test('KY-08, LG-01: a running process whose secret files all go bad says so of each, and shows nothing in its log, title or arguments', async (t) => {
  const { canaries, values } = createSecrets()
  const folder = mkdtempSync(join(tmpdir(), 'oten-bff-canary-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const write = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content, { mode: 0o600 })
    return join(folder, name)
  }
  const adminPort = await getFreePort()
  const { SESSION_KEYS: _keys, JAR_KEYS: _jar, OTEN_CLIENT_SECRET: _secret, ...rest } = VALID_ENV
  const watched = await watchProcess(t, {
    ...rest,
    HOST: '127.0.0.1',
    PORT: '0',
    ADMIN_PORT: `${adminPort}`,
    SESSION_STORE_FILE: write('store', values.redis),
    OTEN_CLIENT_SECRET_FILE: write('secret', values.clientSecret),
    JAR_KEYS_FILE: write('jar', values.jar),
    CLIENT_ASSERTION_KEYS_FILE: write('assertion', values.assertion),
    SESSION_KEYS_FILE: write('keys', values.sessionKey),
    ADMIN_TOKEN_FILE: write('token', values.token),
    LOG_LEVEL: 'trace',
  })
  await watched.untilLive(`http://127.0.0.1:${adminPort}`)
  write('secret', `\uFEFF${values.clientSecret}`)
  write('jar', values.jar.slice(0, -3))
  write('assertion', values.jar)
  write('keys', `${values.sessionKey}=`)
  write('token', `${values.token} `)
  const faults = () => watched.outputs()['standard output']?.match(/the old value stays in use/g)?.length ?? 0
  await until(() => faults() >= 5, 10_000)
  const answer = await fetch(`http://127.0.0.1:${adminPort}/health/ready`)
  assertUnseen(canaries, await answer.text(), 'readiness')
  watched.child.kill('SIGTERM')
  await watched.exited
  const outputs = watched.outputs()
  assert.match(String(outputs['arguments and title']), /main\.ts/)
  for (const [place, text] of Object.entries(outputs)) assertUnseen(canaries, text, place)
})

/** Runs every command there is in every way, with all secrets in its environment. */
function runCommands(t: TestContext, env: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'oten-bff-commands-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const root = new URL('../../', import.meta.url).pathname
  const calls = [
    [],
    ['--help'],
    ['generate'],
    ['generate'],
    ['generate', '--out', '/proc'],
    ['generate', '--alg', 'RSA'],
    ['x'],
  ]
  return globSync('src/cli/*.ts', { cwd: root }).flatMap((command) =>
    calls.map((args) => {
      const options = {
        cwd: folder,
        encoding: 'utf8',
        timeout: 15_000,
        env: { PATH: process.env.PATH, ...env },
      } as const
      const { stdout, stderr } = spawnSync(process.execPath, [join(root, command), ...args], options)
      return { name: `${command} ${args.join(' ')}`, said: stdout + stderr, folder }
    }),
  )
}

test('KY-09: no command prints a private key that it made, nor a secret of its environment', (t) => {
  const { canaries, values } = createSecrets()
  const runs = runCommands(t, {
    ...VALID_ENV,
    JAR_KEYS: values.jar,
    SESSION_KEYS: values.sessionKey,
    ADMIN_TOKEN: values.token,
    OTEN_CLIENT_SECRET: values.clientSecret,
    SESSION_STORE: values.redis,
    OTEN_ISSUER: 'http://127.0.0.1:9',
    ALLOW_INSECURE_ISSUER: 'true',
  })
  const made = JSON.parse(readFileSync(join(runs[0]?.folder ?? '', 'jar-private-key.jwk.json'), 'utf8')) as {
    d: string
  }
  canaries.markKey('jar-key', made.d)
  for (const { name, said } of runs) assertUnseen(canaries, said, name)
  assert.ok(runs.some(({ said }) => said.includes('BEGIN PUBLIC KEY')))
})
