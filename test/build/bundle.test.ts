import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { layBundle } from '../support/bundle.ts'
import { startCollector } from '../support/collector.ts'
import { startFleet } from '../support/fleet.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

const run = promisify(execFile)

const folder = mkdtempSync(join(tmpdir(), 'oten-bff-bundle-'))
after(() => rmSync(folder, { recursive: true }))
const fileOf = await layBundle(folder)

test('the bundle is the service: sign-in, API, refresh and tracing on two replicas over Redis', async (t) => {
  const [redis, collector] = [await startRedis(t), await startCollector(t)]
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint }
  const { browser, replicas, publicUrl, api } = await startFleet(t, { store: redis.url, main: fileOf('main'), env })
  const page = browser()
  await page.signIn('ada')
  assert.equal((await page.session()).authenticated, true)
  assert.equal((await page.fetch(`${publicUrl}/auth/refresh`, { method: 'POST' })).status, 200)
  assert.equal((await page.fetch(`${publicUrl}/api/x/1`)).status, 200)
  assert.match(api.seen.at(-1) ?? '', /^Bearer /)
  assert.match(await (await fetch(`${replicas[1].url}/auth/openapi.yaml`)).text(), /^openapi: 3\.1/)
  assert.equal((await fetch(`${publicUrl}/auth/client.js`)).status, 200)
  await until(() => collector.spans.length > 0)
  assert.deepEqual(await Promise.all(replicas.map((replica) => replica.end('SIGTERM'))), [0, 0])
})

test('the bundle has the command line', async () => {
  const keys = await run(process.execPath, [fileOf('keys'), 'session'], { env: {} })
  assert.match(keys.stdout, /^[\w-]{43}\n$/)
  const doctor = await run(process.execPath, [fileOf('doctor')], { env: {} }).catch((error) => error)
  assert.equal(doctor.code, 1)
  assert.match(doctor.stdout, /^FAIL {2}configuration: PUBLIC_URL: is required/m)
  const health = await run(process.execPath, [fileOf('healthcheck')], { env: { ADMIN_PORT: '1' } }).catch((e) => e)
  assert.equal(health.code, 1)
})

test('what is loaded only when configured stays apart from what always runs', () => {
  const first = readFileSync(fileOf('main'), 'utf8')
  for (const name of ['ioredis', '@opentelemetry/exporter-trace-otlp-http']) {
    const holders = globSync('dist/bff/*.mjs', { cwd: folder }).filter((path) =>
      readFileSync(join(folder, path), 'utf8').includes(`// node_modules/${name}/`),
    )
    assert.notEqual(holders.length, 0, name)
    assert.ok(!first.includes(`// node_modules/${name}/`), name)
  }
})
