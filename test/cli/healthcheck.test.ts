import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { buildHealthUrl } from '../../src/cli/healthcheck.ts'
import { loadConfig } from '../../src/config.ts'
import { VALID_ENV } from '../config/valid-env.ts'
import { createWorld, getFreePort } from '../support/world.ts'

const CLI = new URL('../../src/cli/healthcheck.ts', import.meta.url).pathname

/** Runs the command as a process of its own, with this environment and no other. */
async function check(t: TestContext, env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [CLI], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  t.after(() => void child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
    })
  }
  const [code] = await once(child, 'close')
  return { code, output }
}

async function serve(t: TestContext, answer: RequestListener): Promise<string> {
  const server: Server = createServer(answer).listen(0, '127.0.0.1')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  return String((server.address() as AddressInfo).port)
}

test('healthcheck ends with 0, and says nothing, while the service is alive', async (t) => {
  const { adminUrl } = await createWorld(t)
  assert.deepEqual(await check(t, { ADMIN_PORT: new URL(adminUrl).port }), { code: 0, output: '' })
})

test('healthcheck asks for /health/live with GET', async (t) => {
  const asked: (string | undefined)[] = []
  const ADMIN_PORT = await serve(t, (req, res) => {
    asked.push(req.method, req.url)
    res.end()
  })
  assert.equal((await check(t, { ADMIN_PORT })).code, 0)
  assert.deepEqual(asked, ['GET', '/health/live'])
})

for (const status of [204, 302, 404, 503]) {
  test(`healthcheck ends with 1 on status ${status}, and says so`, async (t) => {
    const ADMIN_PORT = await serve(t, (_req, res) => res.writeHead(status, { location: '/' }).end())
    const { code, output } = await check(t, { ADMIN_PORT })
    assert.equal(code, 1)
    assert.equal(output, `http://127.0.0.1:${ADMIN_PORT}/health/live: status ${status}\n`)
  })
}

test('healthcheck ends with 1 when nothing listens', async (t) => {
  const ADMIN_PORT = String(await getFreePort())
  const { code, output } = await check(t, { ADMIN_PORT })
  assert.equal(code, 1)
  assert.match(output, /^http:\/\/127\.0\.0\.1:\d+\/health\/live: .*ECONNREFUSED.*\n$/)
})

test('healthcheck ends with 1 when the answer does not come: a process that hangs is not alive', async (t) => {
  const ADMIN_PORT = await serve(t, () => {})
  const { code, output } = await check(t, { ADMIN_PORT })
  assert.equal(code, 1)
  assert.match(output, /no answer in 3 s\n$/)
})

test('healthcheck does not wait for the rest of an answer', async (t) => {
  const ADMIN_PORT = await serve(t, (_req, res) => void res.write('{'))
  assert.deepEqual(await check(t, { ADMIN_PORT }), { code: 0, output: '' })
})

test('healthcheck asks no proxy, whatever the environment says', async (t) => {
  const ADMIN_PORT = await serve(t, (_req, res) => res.end())
  const proxy = `http://127.0.0.1:${await getFreePort()}`
  const env = { ADMIN_PORT, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy, http_proxy: proxy }
  assert.deepEqual(await check(t, env), { code: 0, output: '' })
})

test('healthcheck ends with 1 and one line for an address that is none', async (t) => {
  const { code, output } = await check(t, { ADMIN_HOST: 'a b', ADMIN_PORT: '8081' })
  assert.equal(code, 1)
  assert.equal(output, 'http://a b:8081/health/live: no such address\n')
})

test('healthcheck asks by default where the service listens by default', () => {
  const { host, port } = loadConfig(VALID_ENV).admin
  assert.equal(buildHealthUrl({}), `http://${host}:${port}/health/live`)
})

const ADDRESSES: readonly [env: Record<string, string>, origin: string][] = [
  [{ ADMIN_HOST: '', ADMIN_PORT: '' }, 'http://127.0.0.1:8081'],
  [{ ADMIN_HOST: '0.0.0.0', ADMIN_PORT: '9000' }, 'http://127.0.0.1:9000'],
  [{ ADMIN_HOST: '::' }, 'http://[::1]:8081'],
  [{ ADMIN_HOST: '10.0.0.7' }, 'http://10.0.0.7:8081'],
  [{ ADMIN_HOST: 'fd00::7' }, 'http://[fd00::7]:8081'],
  [{ ADMIN_HOST: 'localhost' }, 'http://localhost:8081'],
]

for (const [env, origin] of ADDRESSES) {
  test(`healthcheck with ${JSON.stringify(env)} asks ${origin}`, () => {
    assert.equal(buildHealthUrl(env), `${origin}/health/live`)
  })
}
