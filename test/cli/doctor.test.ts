import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { buildEnv, createPatient, runDoctor } from '../doctor/patient.ts'
import { createKey } from '../support/env.ts'
import { createWorld } from '../support/world.ts'

const DOCUMENT = readFileSync(new URL('../../docs/doctor.md', import.meta.url), 'utf8')
const NO_NAMES = new URL('../doctor/no-names.ts', import.meta.url).href
const SHIFT_CLOCK = new URL('../support/shift-clock.ts', import.meta.url).href

/** Every line is a verdict, and each that is not ok says after an arrow what to do. */
function assertForm(lines: readonly string[]): void {
  for (const line of lines) assert.match(line, /^(?:ok {4}[^:]+: \S.*|(?:warn|FAIL) {2}[^:]+: \S.* -> \S.*)$/)
}

const findLine = (lines: readonly string[], name: string): string =>
  lines.find((line) => line.slice(6).startsWith(`${name}: `)) ?? `no line about ${name}`

test('doctor exits with 0 and says ok to everything when the service runs against the simulator', async (t) => {
  const keys = { JAR_KEYS: createKey().privateJwk, ADMIN_TOKEN: 'an-admin-token-of-the-test' }
  const { publicUrl, simulator } = await createWorld(t, { env: keys })
  const env = { ...buildEnv(publicUrl, simulator.issuer), ...keys, ALLOWED_ORIGINS: 'http://localhost:5173' }
  const { status, lines, stderr } = await runDoctor(env)
  assert.deepEqual(
    lines.filter((line) => !line.startsWith('ok ')),
    [],
  )
  assert.equal(status, 0)
  assert.equal(stderr, '')
  assertForm(lines)
  const names = lines.map((line) => line.slice(6, line.indexOf(': ')))
  assert.deepEqual(names, [
    'configuration',
    'signing key',
    'own keys',
    'issuer',
    'endpoints',
    'code flow',
    'request objects',
    'audience',
    'client authentication',
    'ID tokens',
    'logout',
    'revocation',
    'back-channel logout',
    'clock',
    'JWKS',
    'authorization request',
    'token endpoint',
    'session store',
    'scope',
    'cookies',
    'origin',
    'register with Oten',
    'register with Oten',
    'register with Oten',
  ])
  assert.match(findLine(lines, 'authorization request'), /accepted: the answer is a redirect to http:\S+\/sign-in\/…/)
  assert.deepEqual(lines.slice(-3), [
    `ok    register with Oten: redirect URI ${publicUrl}/auth/callback`,
    `ok    register with Oten: logout URI ${publicUrl}/auth/logged-out`,
    `ok    register with Oten: back-channel logout URI ${publicUrl}/auth/backchannel-logout, where Oten offers it`,
  ])
  assert.equal(simulator.stats.authorizeRequests, 1)
  assert.deepEqual(simulator.stats.tokenRequests, { authorization_code: 1 })
  assert.equal(simulator.stats.logins, 0)
  const [, example = ''] = /## A good run[\s\S]*?```text\n([^`]*)\n```/.exec(DOCUMENT) ?? []
  const generalise = (line: string): string => line.replaceAll(/:\d{4,5}/g, ':PORT').replace(/kid [\w-]+/, 'kid KID')
  assert.deepEqual(example.split('\n').map(generalise), lines.map(generalise), 'the example in docs/doctor.md')
})

test('docs/doctor.md explains lines that there are', () => {
  const folder = new URL('../../src/doctor/', import.meta.url)
  const source = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'))
  const table = DOCUMENT.slice(DOCUMENT.indexOf('| Line | Cause | Remedy |'))
  const quoted = table.split('\n').flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)])
  assert.ok(quoted.length > 20)
  for (const [, text = ''] of quoted.slice(1)) assert.ok(source.join('').includes(text), text)
})

test('doctor exits with 0 when there are warnings only: here the service does not run yet', async (t) => {
  const { env, publicUrl } = await createPatient(t)
  const { status, lines } = await runDoctor(env)
  assert.deepEqual(
    lines.filter((line) => !line.startsWith('ok ')),
    [findLine(lines, 'own keys')],
  )
  assert.ok(
    findLine(lines, 'own keys').startsWith(
      `warn  own keys: ${publicUrl}/auth/jwks.json cannot be reached from here: nothing accepts a connection there ` +
        '(ECONNREFUSED) -> start the service',
    ),
  )
  assert.equal(status, 0)
})

test('doctor exits with 1 on an invalid configuration: names every fault, contacts nobody, shows no value', async (t) => {
  const { env, simulator, publicUrl } = await createPatient(t)
  const wrong = { JAR_TTL_S: 'canary-value', OTEN_TOKEN_AUTH: 'canary-value', OTEN_SECRET: 'canary-value' }
  const { status, lines } = await runDoctor({ ...env, ...wrong, OTEN_CLIENT_ID: '' })
  assert.equal(status, 1)
  assertForm(lines)
  const faults = lines.filter((line) => line.startsWith('FAIL  configuration: '))
  for (const name of ['JAR_TTL_S', 'OTEN_TOKEN_AUTH', 'OTEN_SECRET', 'OTEN_CLIENT_ID']) {
    assert.equal(faults.filter((line) => line.includes(`: ${name}: `)).length, 1, name)
  }
  assert.equal(faults.length, 4)
  assert.ok(!lines.join('\n').includes('canary-value'))
  assert.deepEqual(lines.slice(4), [
    `ok    register with Oten: redirect URI ${publicUrl}/auth/callback`,
    `ok    register with Oten: logout URI ${publicUrl}/auth/logged-out, unless POST_LOGOUT_REDIRECT_URI names another`,
    `ok    register with Oten: back-channel logout URI ${publicUrl}/auth/backchannel-logout, where Oten offers it`,
  ])
  assert.equal(simulator.stats.discoveryRequests, 0)
})

test('doctor exits with 1 on an empty environment and says what is needed', async () => {
  const { status, lines } = await runDoctor({})
  assert.equal(status, 1)
  assertForm(lines)
  for (const name of ['PUBLIC_URL', 'OTEN_CLIENT_ID', 'OTEN_CLIENT_SECRET', 'JAR_KEYS', 'SESSION_KEYS']) {
    assert.ok(
      lines.some((line) => line.startsWith(`FAIL  configuration: ${name}: is required`)),
      name,
    )
  }
  assert.equal(lines.length, 5)
})

test('doctor passes on what the configuration warns of', async (t) => {
  const { env } = await createPatient(t)
  const { status, lines } = await runDoctor({ ...env, SESSION_IDLE_S: '9', SESSION_MAX_S: '8' })
  assert.equal(status, 0)
  assert.ok(lines.some((line) => line.startsWith('warn  configuration: SESSION_IDLE_S: is larger than SESSION_MAX_S')))
})

test('doctor exits with 1 and a clear line when nothing answers at the issuer', async (t) => {
  const { env, simulator } = await createPatient(t)
  await simulator.close()
  const { status, lines } = await runDoctor(env)
  assert.equal(status, 1)
  assertForm(lines)
  const reason = 'cannot be reached: nothing accepts a connection there (ECONNREFUSED) -> check OTEN_ISSUER'
  assert.ok(findLine(lines, 'issuer').startsWith(`FAIL  issuer: ${simulator.issuer} ${reason}`))
  assert.match(findLine(lines, 'identity provider'), /^warn {2}.* are not checked -> correct the issuer/)
  assert.match(findLine(lines, 'session store'), /^ok/) // What does not depend on the IdP goes on.
  assert.equal(lines.filter((line) => line.includes('register with Oten')).length, 3)
})

test('doctor --timeout 1 gives up on an issuer that accepts and never answers', async (t) => {
  const { env, simulator } = await createPatient(t)
  simulator.faults.discovery = { kind: 'hang' }
  const { status, lines } = await runDoctor(env, ['--timeout', '1'])
  assert.equal(status, 1)
  assert.match(
    findLine(lines, 'issuer'),
    /^FAIL {2}.* cannot be reached: it did not answer in time -> check the firewall/,
  )
})

test('doctor with the sandbox of Oten and no network: one clear line, exit 1, in bounded time', async () => {
  const env = buildEnv('https://app.example.com', 'https://account.sbx.oten.dev')
  const { status, lines } = await runDoctor(env, [], [NO_NAMES])
  assert.equal(status, 1)
  assertForm(lines)
  const reason = 'cannot be reached: its name cannot be resolved (EAI_AGAIN) -> check OTEN_ISSUER, the DNS'
  assert.ok(findLine(lines, 'issuer').startsWith(`FAIL  issuer: https://account.sbx.oten.dev ${reason}`))
  assert.match(findLine(lines, 'own keys'), /^warn {2}.*its name cannot be resolved \(EAI_AGAIN\) -> start the service/)
})

test('doctor sees that the clock of its machine is wrong', async (t) => {
  const { env } = await createPatient(t)
  const { status, lines } = await runDoctor({ ...env, TEST_CLOCK_OFFSET_S: '3600' }, [], [SHIFT_CLOCK])
  assert.equal(status, 1)
  assert.match(findLine(lines, 'clock'), /^FAIL {2}clock: 3\d{3} s ahead of the identity provider.* -> synchronise/)
  assert.match(findLine(lines, 'authorization request'), /^FAIL {2}.*invalid_request_object.* -> synchronise the clock/)
})

test('doctor --help shows the usage', async () => {
  const { status, lines } = await runDoctor({}, ['--help'])
  assert.equal(status, 0)
  assert.deepEqual(lines.slice(0, 2), ['Usage:', '  npm run doctor [-- --timeout SECONDS]'])
})

test('doctor called in another way shows the usage and exits with 2', async () => {
  for (const args of [['--timeout', '11'], ['--timeout', '1.5'], ['more']]) {
    const { status, lines, stderr } = await runDoctor({}, args)
    assert.equal(status, 2)
    assert.deepEqual(lines, [])
    assert.match(stderr, /^Usage:/)
  }
})

test('importing the command runs nothing', async () => {
  await import('../../src/cli/doctor.ts')
  assert.equal(process.exitCode, undefined)
})
