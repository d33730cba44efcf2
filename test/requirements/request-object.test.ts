import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, get } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import { loadConfig } from '../../src/config.ts'
import { BffError } from '../../src/errors.ts'
import { createIdpHttp } from '../../src/idp/http.ts'
import { assertRefused, findFaults, VALID_ENV } from '../config/valid-env.ts'
import { openBrowser } from '../flows/steps.ts'
import { createTestLog } from '../idp/build-idp.ts'
import { createSelfSigned } from '../idp/self-signed.ts'
import { listen } from '../routes/build-proxy.ts'
import { createWorld } from '../support/world.ts'

test('RO-21: where the IdP offers pushed requests nothing is pushed; the request object goes by value as ever', async (t) => {
  let calls = 0
  const par = await listen(t, (_incoming, answer) => {
    calls += 1
    answer.writeHead(201).end('{"request_uri":"urn:ietf:params:oauth:request_uri:canary","expires_in":60}')
  })
  const advertise = { pushed_authorization_request_endpoint: `${par.url}/par` }
  const browser = openBrowser(await createWorld(t, { simulator: { advertise } }))
  const started = await browser.navigate('/auth/start')
  const { searchParams } = new URL(String(started.location))
  assert.deepEqual([...searchParams.keys()].sort(), ['client_id', 'request'])
  assert.equal(calls, 0)
})

test('a TLS certificate that names the IdP in its common name alone is refused, before anything is sent', async (t) => {
  let requests = 0
  const certificate = createSelfSigned() // For the common name `localhost`, and no subjectAltName.
  const usual = tls.getCACertificates()
  tls.setDefaultCACertificates([certificate.cert])
  t.after(() => tls.setDefaultCACertificates(usual))
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
  const [answer] = await once(get(`https://localhost:${port}/`, { agent: false }), 'response')
  assert.equal(answer.resume().statusCode, 200, 'Node by itself believes it')
  const error = await http
    .fetch(`https://localhost:${port}/token`, { method: 'POST', body: new URLSearchParams({ code: 'canary' }) })
    .catch((reason: unknown) => reason)
  assert.ok(error instanceof BffError, 'it was believed')
  assert.equal(requests, 1)
})

test('RO-10: a life of 29 or 301 seconds does not start, 30 and 300 do; nor does one that begins 11 seconds ago', () => {
  for (const life of ['29', '301', '0', '-1', '3600']) {
    assertRefused({ ...VALID_ENV, JAR_TTL_S: life }, 'JAR_TTL_S', /30 to 300|whole number/, ['nWGxne'])
  }
  for (const life of ['30', '300'])
    assert.equal(loadConfig({ ...VALID_ENV, JAR_TTL_S: life }).requestObject.ttlS, +life)
  assertRefused({ ...VALID_ENV, JAR_BACKDATE_S: '11' }, 'JAR_BACKDATE_S', /0 to 10/, ['nWGxne'])
})

test('RO-17: a key that is not an Ed25519 private key does not start', () => {
  const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const others = [
    pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
    pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
    pem(generateKeyPairSync('ed448').privateKey),
    pem(generateKeyPairSync('x25519').privateKey),
    generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    '{"kty":"oct","k":"AAAA"}',
  ]
  for (const key of others) {
    assertRefused({ ...VALID_ENV, JAR_KEYS: key }, 'JAR_KEYS', /Ed25519|public key|symmetric/, [key.slice(8, 28)])
  }
  assert.deepEqual(findFaults({ ...VALID_ENV, JAR_KEYS: pem(generateKeyPairSync('ed25519').privateKey) }), [])
})
