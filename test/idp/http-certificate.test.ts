import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import tls from 'node:tls'
import { BffError } from '../../src/errors.ts'
import { createIdpHttp } from '../../src/idp/http.ts'
import { createTestLog } from './build-idp.ts'
import { createSelfSigned } from './self-signed.ts'

/** What comes of a request to `localhost`, where the server's certificate is one that the machine believes. */
async function ask(t: TestContext, certificate: ReturnType<typeof createSelfSigned>) {
  const usual = tls.getCACertificates()
  tls.setDefaultCACertificates([certificate.cert])
  t.after(() => tls.setDefaultCACertificates(usual))
  let requests = 0
  const server = createServer(certificate, (_request, response) => {
    requests += 1
    response.end('{}')
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.after(() => server.close().closeAllConnections())
  const http = createIdpHttp({ allowInsecureIssuer: false, now: () => Date.now() / 1000, log: createTestLog() })
  t.after(() => http.close())
  const { port } = server.address() as AddressInfo
  const outcome = await http
    .fetch(`https://localhost:${port}/token`, { method: 'POST', body: new URLSearchParams({ code: 'canary' }) })
    .catch((error: unknown) => error)
  return { outcome, requests }
}

test('TX-01 a certificate that names the host in its subjectAltName is believed', async (t) => {
  const { outcome, requests } = await ask(t, createSelfSigned('localhost'))
  assert.ok(outcome instanceof Response, String(outcome))
  assert.deepEqual([outcome.status, requests], [200, 1])
})

test('TX-01 a certificate of another host is refused, before anything is sent', async (t) => {
  const { outcome, requests } = await ask(t, createSelfSigned('idp.example'))
  assert.ok(outcome instanceof BffError)
  assert.match(outcome.message, /ERR_TLS_CERT_ALTNAME_INVALID/)
  assert.equal(requests, 0)
})

test('TX-01 a certificate with a common name alone is refused, before anything is sent, and the log can say why', async (t) => {
  const { outcome, requests } = await ask(t, createSelfSigned())
  assert.ok(outcome instanceof BffError && outcome.cause instanceof Error)
  assert.match(outcome.message, /CERT_NO_SUBJECT_ALT_NAME/)
  assert.match(outcome.cause.message, /names no host \(no subjectAltName\)/)
  assert.equal(requests, 0)
})
