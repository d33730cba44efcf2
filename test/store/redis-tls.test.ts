import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { createSelfSigned } from '../idp/self-signed.ts'
import { startRedis } from '../support/redis.ts'
import { startCluster, startSentinel } from './redis-topologies.ts'

const script = join(import.meta.dirname, 'fixtures/redis-process.ts')

/** A certificate for `localhost` in files, and what redis.conf says about them. */
function buildCertificate(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'redis-tls-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const [certPath, keyPath] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  const { cert, key } = createSelfSigned()
  writeFileSync(certPath, cert)
  writeFileSync(keyPath, key)
  const files = ['--tls-cert-file', certPath, '--tls-key-file', keyPath, '--tls-ca-cert-file', certPath]
  return { certPath, config: [...files, '--tls-auth-clients', 'no'] }
}

/** What a process of its own has to say that uses the store of this URL. */
async function use(url: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, url], { env: { ...process.env, ...env } })
  return stdout.trim()
}

test('redis store: rediss is TLS, verified against the CAs of Node and NODE_EXTRA_CA_CERTS', async (t) => {
  const { certPath, config } = buildCertificate(t)
  const { url, port } = await startRedis(t, config)
  const trusted = { NODE_EXTRA_CA_CERTS: certPath }
  assert.equal(await use(url, trusted), 'works')
  assert.match(await use(url), /no connection to Redis: .*self.signed certificate/)
  const careless = { NODE_TLS_REJECT_UNAUTHORIZED: '0' }
  assert.match(await use(url, careless), /no connection to Redis: .*self.signed certificate/)
  assert.match(await use(`rediss://127.0.0.1:${port}`, trusted), /does not match certificate/)
  assert.match(await use(`redis://localhost:${port}`, trusted), /no connection to Redis/)
})

test('redis cluster: rediss is TLS to every node, verified by the names that the cluster gives', async (t) => {
  const { certPath, config } = buildCertificate(t)
  const { url } = await startCluster(t, { config })
  assert.equal(await use(url, { NODE_EXTRA_CA_CERTS: certPath }), 'works')
  assert.match(await use(url), /Failed to refresh slots cache/)
})

test('redis sentinel: rediss is TLS to the Sentinels and to the primary', async (t) => {
  const { certPath, config } = buildCertificate(t)
  const { url } = await startSentinel(t, { config })
  assert.equal(await use(url, { NODE_EXTRA_CA_CERTS: certPath }), 'works')
  assert.match(await use(url), /All sentinels are unreachable/)
})
