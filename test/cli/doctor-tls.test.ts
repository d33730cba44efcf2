import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { expire } from '../doctor/expired.ts'
import { buildEnv, runDoctor } from '../doctor/patient.ts'
import { createSelfSigned } from '../idp/self-signed.ts'

/** Nothing listens there. */
const NOBODY = 'https://localhost:9'

/** A server for `localhost`, and the certificate in a file. */
async function startTls(t: TestContext, certificate = createSelfSigned()) {
  const server = createServer(certificate, (_request, response) => void response.end('{}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const folder = mkdtempSync(join(tmpdir(), 'doctor-tls-'))
  const path = join(folder, 'cert.pem')
  writeFileSync(path, certificate.cert)
  t.after(() => {
    server.close()
    server.closeAllConnections()
    rmSync(folder, { recursive: true })
  })
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, path }
}

const findLine = (lines: readonly string[], name: string): string =>
  lines.find((line) => line.slice(6).startsWith(`${name}: `)) ?? `no line about ${name}`

test('doctor tells an expired certificate of the issuer from one of an unknown CA', async (t) => {
  const [expired, unknown] = [await startTls(t, expire(createSelfSigned())), await startTls(t)]
  const late = await runDoctor(buildEnv(NOBODY, expired.url))
  assert.equal(late.status, 1)
  assert.match(
    findLine(late.lines, 'issuer'),
    /^FAIL {2}.*cannot be reached: its certificate has expired \(CERT_HAS_EXPIRED\) -> .*renew it/,
  )
  const strange = await runDoctor(buildEnv(NOBODY, unknown.url))
  assert.equal(strange.status, 1)
  assert.match(
    findLine(strange.lines, 'issuer'),
    /^FAIL {2}.*cannot be reached: its certificate is not vouched for by a CA known here \(DEPTH_ZERO_SELF_SIGNED_CERT\) -> .*NODE_EXTRA_CA_CERTS/,
  )
})

test('doctor refuses a certificate of a known CA that names no host, as browsers do', async (t) => {
  const { url, path } = await startTls(t)
  const env = { ...buildEnv(NOBODY, url), NODE_EXTRA_CA_CERTS: path }
  const { status, lines } = await runDoctor(env)
  assert.equal(status, 1)
  assert.match(
    findLine(lines, 'issuer'),
    /^FAIL {2}.*its certificate is for another host \(CERT_NO_SUBJECT_ALT_NAME\) -> check the host in OTEN_ISSUER/,
  )
})

test('doctor fails PUBLIC_URL for a certificate that browsers refuse, and only warns of a CA that it does not know', async (t) => {
  const [expired, unknown] = [await startTls(t, expire(createSelfSigned())), await startTls(t)]
  const late = await runDoctor(buildEnv(expired.url, unknown.url))
  assert.match(
    findLine(late.lines, 'own keys'),
    /^FAIL {2}own keys: https:\S+\/auth\/jwks\.json: its certificate has expired \(CERT_HAS_EXPIRED\) -> .*valid certificate/,
  )
  const strange = await runDoctor(buildEnv(unknown.url, unknown.url))
  assert.match(
    findLine(strange.lines, 'own keys'),
    /^warn {2}.*CA known here \(DEPTH_ZERO_\w+\) -> .*NODE_EXTRA_CA_CERTS/,
  )
})

test('doctor sees that a server without TLS stands where the issuer should', async (t) => {
  const { createServer: createPlain } = await import('node:http')
  const server = createPlain((_request, response) => void response.end('{}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const issuer = `https://localhost:${(server.address() as AddressInfo).port}`
  const { status, lines } = await runDoctor(buildEnv(NOBODY, issuer))
  assert.equal(status, 1)
  assert.match(
    findLine(lines, 'issuer'),
    /^FAIL {2}.*no TLS connection came about \(\w+\) -> check the port and the scheme/,
  )
})
