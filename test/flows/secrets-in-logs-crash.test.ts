import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { type Canaries, createCanaries } from '../support/canaries.ts'
import { type Watched, watchProcess } from '../support/canary-process.ts'
import { FAULT_KINDS } from '../support/crash-on-signal.ts'
import { createKey, createSessionKey } from '../support/env.ts'
import { until } from '../support/until.ts'
import { getFreePort } from '../support/world.ts'

const PRELOAD = new URL('../support/crash-on-signal.ts', import.meta.url).href

interface Deployment {
  readonly watched: Watched
  readonly canaries: Canaries
  readonly adminUrl: string
}

const random = (): string => randomBytes(24).toString('base64url')

/** The real process, secrets in its environment and in its latest request, which fails at SIGUSR2. */
async function deploy(t: TestContext, crash: Readonly<Record<string, string>>): Promise<Deployment> {
  const canaries = createCanaries()
  const [jar, assertion, sessionKey] = [createKey().privateJwk, createKey().privateJwk, createSessionKey()]
  const [clientSecret, adminToken] = [random(), random()]
  for (const [kind, jwk] of [
    ['jar-key', jar],
    ['assertion-key', assertion],
  ] as const) {
    canaries.markKey(kind, (JSON.parse(jwk) as { d: string }).d)
  }
  canaries.markKey('session-keys', sessionKey)
  canaries.mark('client-secret', clientSecret)
  canaries.mark('admin-token', adminToken)
  const [port, adminPort] = [await getFreePort(), await getFreePort()]
  const env = {
    PUBLIC_URL: `http://localhost:${port}`,
    HOST: '127.0.0.1',
    PORT: `${port}`,
    ADMIN_PORT: `${adminPort}`,
    OTEN_ISSUER: 'http://127.0.0.1:9',
    ALLOW_INSECURE_ISSUER: 'true',
    OTEN_CLIENT_ID: 'bff',
    OTEN_CLIENT_SECRET: clientSecret,
    JAR_KEYS: jar,
    CLIENT_ASSERTION_KEYS: assertion,
    SESSION_KEYS: sessionKey,
    SESSION_STORE: 'memory:',
    ADMIN_TOKEN: adminToken,
    LOG_LEVEL: 'trace',
  }
  const watched = await watchProcess(t, { ...env, ...crash }, [PRELOAD])
  const adminUrl = `http://127.0.0.1:${adminPort}`
  await watched.untilLive(adminUrl)
  const [code, state, cookie, token] = [random(), random(), `b_${random()}`, `t_${random()}`]
  canaries.mark('code', code)
  canaries.mark('state', state)
  canaries.mark('session-cookie', cookie)
  canaries.mark('session-token', token)
  const headers = { cookie: `oten_session=${cookie}`, authorization: `Bearer ${token}` }
  const answer = await fetch(`${env.PUBLIC_URL}/auth/callback?code=${code}&state=${state}`, { headers })
  assert.equal(answer.status, 400)
  await answer.text()
  return { watched, canaries, adminUrl }
}

function assertSilent({ watched, canaries }: Deployment): void {
  for (const [place, text] of Object.entries(watched.outputs())) assert.deepEqual(canaries.find(text), [], place)
}

test('LG-01, ER-07: a promise that nobody waited for is told of, shows nothing of what it failed on, and ends nothing', async (t) => {
  const deployment = await deploy(t, { TEST_CRASH: 'reject' })
  const { watched, adminUrl } = deployment
  const strays = () => watched.outputs()['standard output']?.match(/"msg":"stray"/g)?.length ?? 0
  for (const [index, kind] of FAULT_KINDS.entries()) {
    watched.child.kill('SIGUSR2')
    await until(() => strays() === index + 1).catch(() => assert.fail(`${kind} was not told of`))
  }
  assert.ok((await fetch(`${adminUrl}/health/live`)).ok)
  watched.child.kill('SIGTERM')
  assert.equal(await watched.exited, 0)
  assert.equal(watched.outputs()['standard error'], '')
  assertSilent(deployment)
})

for (const kind of FAULT_KINDS) {
  test(`LG-01: an error that nobody caught (${kind}) ends the process with a line that tells of it and shows nothing of what it failed on`, async (t) => {
    const deployment = await deploy(t, { TEST_CRASH: 'throw', TEST_FAULT: kind })
    const { watched } = deployment
    watched.child.kill('SIGUSR2')
    assert.notEqual(await watched.exited, 0)
    const { 'standard output': out = '', 'standard error': err = '' } = watched.outputs()
    assert.match(out + err, /crash-on-signal|error/i, 'the operator hears of it')
    for (const line of out.trim().split('\n')) JSON.parse(line)
    assertSilent(deployment)
  })
}
