import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { LOGGED_OUT_URI, now, REDIRECT_URI, SECRET, start } from './idp-client.ts'

const MAIN = fileURLToPath(new URL('../../demo/idp/main.ts', import.meta.url))

interface Process {
  readonly output: () => string
  /** Waits for the line that says that it is ready. @returns the issuer */
  ready(): Promise<string>
  /** @returns the exit code */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

function run(t: TestContext, env: Record<string, string>): Process {
  const child = spawn(process.execPath, [MAIN], { env: { PATH: process.env.PATH, ...env } })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk))
  const exited = once(child, 'exit')
  t.after(() => child.kill('SIGKILL'))
  return {
    output: () => output,
    async ready() {
      while (true) {
        const [, issuer] = /simulator ready: (\S+)/.exec(output) ?? []
        if (issuer !== undefined) return issuer
        if (child.exitCode !== null) throw new Error(output)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    async end(signal) {
      if (signal !== undefined) child.kill(signal)
      const [code] = (await exited) as [number | null]
      return code
    },
  }
}

async function freePort(t: TestContext): Promise<{ port: number; free(): void }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { port: (server.address() as AddressInfo).port, free: () => void server.close() }
}

test('the process says how to use it, and stops at once on SIGTERM and SIGINT', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { port, free } = await freePort(t)
    free()
    const simulator = run(t, { SIMULATOR_PORT: String(port) })
    const issuer = await simulator.ready()
    assert.equal(issuer, `http://127.0.0.1:${port}`)
    const response = await fetch(`${issuer}/.well-known/openid-configuration`)
    assert.equal(((await response.json()) as { issuer: string }).issuer, issuer)
    for (const word of [
      'OTEN_ISSUER',
      'ALLOW_INSECURE_ISSUER=true',
      'OTEN_CLIENT_ID',
      'OTEN_CLIENT_SECRET',
      'JAR_ALG',
    ]) {
      assert.ok(simulator.output().includes(word), word)
    }
    assert.equal(await simulator.end(signal), 0)
  }
})

test('a taken port and a wrong setting give one clear line and exit code 1', async (t) => {
  const { port } = await freePort(t)
  const taken = run(t, { SIMULATOR_PORT: String(port) })
  assert.equal(await taken.end(), 1)
  assert.equal(taken.output(), `simulator: port ${port} is taken; choose another one with SIMULATOR_PORT\n`)
  for (const [name, value] of [
    ['SIMULATOR_PORT', 'x'],
    ['SIMULATOR_CONTROL', '1'],
    ['SIMULATOR_BFF_URLS', 'http://a.example/path'],
  ] as const) {
    const wrong = run(t, { SIMULATOR_PORT: '0', [name]: value })
    assert.equal(await wrong.end(), 1)
    assert.match(wrong.output(), new RegExp(`^simulator: ${name} [^\n]+\n$`))
  }
})

test('control is absent unless it is switched on', async (t) => {
  const closed = await start(t)
  for (const [method, path] of [
    ['GET', 'stats'],
    ['POST', 'clock'],
    ['POST', 'faults'],
    ['POST', 'end-session'],
  ] as const) {
    const response = await fetch(`${closed.issuer}/control/${path}`, { method })
    assert.equal(response.status, 404, path)
  }
})

test('control moves the clock of the process, switches faults, ends sessions and adds clients', async (t) => {
  const simulator = run(t, { SIMULATOR_PORT: '0', SIMULATOR_CONTROL: 'true' })
  const issuer = await simulator.ready()
  const control = async (path: string, body: unknown) => {
    const headers = { 'content-type': 'application/json' }
    const init = { method: 'POST', headers, body: JSON.stringify(body) }
    const response = await fetch(`${issuer}/control/${path}`, init)
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const discovery = () => fetch(`${issuer}/.well-known/openid-configuration`)

  assert.deepEqual((await control('clock', { advance: 3600 })).body, { offset: 3600 })
  assert.deepEqual((await control('clock', { advance: -600 })).body, { offset: 3000 })
  assert.deepEqual((await control('clock', { offset: 0 })).body, { offset: 0 })
  assert.equal((await control('clock', { advance: 'x' })).status, 400)
  assert.ok(Math.abs(now() - Date.now() / 1000) < 2, 'the clock of this process stays')

  await control('faults', { discovery: { kind: 'status', status: 500, times: 1 }, token: 'hang' })
  assert.equal((await discovery()).status, 500)
  assert.equal((await discovery()).status, 200)
  assert.deepEqual((await control('faults', { clear: true })).body, {})
  for (const wrong of [{ token: 'dance' }, { nothing: 'hang' }, { token: 5 }, [], { constructor: 'hang' }]) {
    assert.equal((await control('faults', wrong)).status, 400, JSON.stringify(wrong))
  }

  assert.deepEqual((await control('end-session', { sub: 'nobody' })).body, { sessions: 0, delivered: 0, failed: 0 })
  assert.equal((await control('end-session', {})).status, 400)
  assert.match(String((await control('rotate-key', {})).body.kid), /^sim-/)
  const client = {
    clientId: 'later',
    clientSecret: SECRET,
    redirectUris: [REDIRECT_URI],
    postLogoutRedirectUris: [LOGGED_OUT_URI],
    requestObjectAlg: 'HS256',
    tokenAuth: 'client_secret_basic',
  }
  assert.equal((await control('clients', client)).status, 200)
  assert.equal((await control('clients', { ...client, redirectUris: ['nonsense'] })).status, 400)
  const missing = await fetch(`${issuer}/v1/oauth/authorize?client_id=later`)
  assert.equal(missing.status, 400)
  const stats = (await (await fetch(`${issuer}/control/stats`)).json()) as { refusedCount: number }
  assert.equal(stats.refusedCount, 1)
})

test('control takes JSON only, so that a page of another origin cannot send it', async (t) => {
  const simulator = await start(t, { control: true })
  const body = JSON.stringify({ advance: 5 })
  const response = await fetch(`${simulator.issuer}/control/clock`, { method: 'POST', body })
  assert.equal(response.status, 415)
  assert.equal(simulator.clock.offsetS, 0)
})

test('a client that does not fit together is refused when it is registered', async (t) => {
  const simulator = await start(t)
  const client = { clientId: 'x', redirectUris: [REDIRECT_URI], postLogoutRedirectUris: [] }
  const add = simulator.addClient
  await assert.rejects(add({ ...client, requestObjectAlg: 'HS256', tokenAuth: 'private_key_jwt' }), /clientSecret/)
  await assert.rejects(
    add({ ...client, clientSecret: SECRET, requestObjectAlg: 'EdDSA', tokenAuth: 'client_secret_basic' }),
    /jwks/,
  )
})

test('one issuer answers, by whatever name it is reached', async (t) => {
  const simulator = await start(t, { issuerHost: 'localhost' })
  assert.equal(simulator.issuer, `http://localhost:${simulator.port}`)
  const response = await fetch(`http://127.0.0.1:${simulator.port}/.well-known/openid-configuration`)
  const { token_endpoint: tokenEndpoint } = (await response.json()) as { token_endpoint: string }
  assert.equal(tokenEndpoint, `${simulator.issuer}/v1/oauth/token`)
})
