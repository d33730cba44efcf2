import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, type TestContext, test } from 'node:test'
import { createKey } from '../support/env.ts'
import { createWorld } from '../support/world.ts'
import { type Manifest, type Outcome, pick, render, run } from './chart.ts'
import { getData, type PodSpec } from './pod.ts'

/** What the pod is told to expect. */
interface Expected {
  readonly clientId: string
  readonly redirectUri: string
  readonly alg: string
  readonly typ: string
  readonly ttlS: number
  readonly keyId: string
  readonly audience: string
  readonly issuer: string
}

/** The script and its arguments, as `helm test` would run them. */
function readTest(manifests: readonly Manifest[]): { script: string; address: string; expected: Expected } {
  const [container] = (pick(manifests, 'Pod').spec as PodSpec).containers
  const [path = '', address = '', json = '{}'] = container?.args ?? []
  assert.deepEqual(container?.command, ['node'])
  const script = getData(pick(manifests, 'ConfigMap', 'login-oten-bff-test'))[path.replace('/test/', '')]
  assert.ok(script)
  return { script, address, expected: JSON.parse(json) as Expected }
}

let script = ''
let rendered: Expected | undefined

before(async () => {
  const found = readTest(await render())
  script = found.script
  rendered = found.expected
})

/** Runs the script of the chart against an address, with the rendered expectations and what differs here. */
async function runScript(t: TestContext, address: string, differing: Partial<Expected>): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'chart-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'sign-in.mjs')
  writeFileSync(path, script)
  return run(process.execPath, [path, address, JSON.stringify({ ...rendered, ...differing })])
}

async function createSubject(t: TestContext, alg: 'EdDSA' | 'Ed25519' | 'HS256' = 'EdDSA') {
  const { publicUrl, simulator } = await createWorld(t, { alg })
  const expected = { clientId: 'bff', redirectUri: `${publicUrl}/auth/callback`, issuer: simulator.issuer, alg }
  return { publicUrl, expected }
}

for (const alg of ['EdDSA', 'Ed25519'] as const) {
  test(`helm test passes on a service that signs with ${alg}, and has verified the signature`, async (t) => {
    const { publicUrl, expected } = await createSubject(t, alg)
    const { code, stdout } = await runScript(t, publicUrl, expected)
    assert.equal(code, 0, stdout)
    assert.doesNotMatch(stdout, /FAIL/)
    assert.match(stdout, /ok {4}the signature verifies with the published key/)
  })
}

test('helm test passes on a service that signs with HS256, and says what it could not check', async (t) => {
  const { publicUrl, expected } = await createSubject(t, 'HS256')
  const { code, stdout } = await runScript(t, publicUrl, expected)
  assert.equal(code, 0, stdout)
  assert.match(stdout, /the signature is not checked/)
})

/** What an operator may have got wrong, and the line that says so. */
const WRONG: readonly (readonly [differing: Partial<Expected>, says: RegExp])[] = [
  [
    { clientId: 'other' },
    /FAIL {2}client_id travels beside the request[\s\S]*FAIL {2}client_id and iss are the client/,
  ],
  [{ redirectUri: 'https://app.acme.test/auth/callback' }, /FAIL {2}redirect_uri is https:\/\/app\.acme\.test/],
  [{ alg: 'Ed25519' }, /FAIL {2}the request is signed with Ed25519/],
  [{ typ: 'JWT' }, /FAIL {2}its typ is JWT/],
  [{ ttlS: 60 }, /FAIL {2}it lives 60 s/],
  [{ keyId: 'assigned' }, /FAIL {2}its kid is the Key ID that Oten assigned/],
  [{ audience: 'https://account.oten.com' }, /FAIL {2}aud is the issuer/],
  [
    { issuer: 'https://account.oten.com' },
    /FAIL {2}the authorization endpoint is as protected as the issuer[\s\S]*FAIL {2}aud is the issuer/,
  ],
]

test('helm test fails for each thing that is not as configured, and says which', async (t) => {
  const { publicUrl, expected } = await createSubject(t)
  for (const [differing, says] of WRONG) {
    const { code, stdout } = await runScript(t, publicUrl, { ...expected, ...differing })
    assert.equal(code, 1, JSON.stringify(differing))
    assert.match(stdout, says)
  }
})

/** A server before the service that changes what it says. */
async function listen(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Passes on what the service says at a path, changed. */
const changing =
  (publicUrl: string, change: (path: string, body: string) => string): RequestListener =>
  (request, response) => {
    const path = request.url ?? '/'
    fetch(publicUrl + path)
      .then((answer) => answer.text())
      .then((body) => response.end(change(path, body)))
      .catch(() => response.destroy())
  }

const isKeys = (path: string): boolean => path === '/auth/jwks.json'

test('helm test fails when the published key is another one, even under the same kid', async (t) => {
  const { publicUrl, expected } = await createSubject(t)
  const { x } = createKey().publicJwk
  const replace = (body: string) => body.replace(/"x":"[^"]+"/, `"x":"${x}"`)
  const address = await listen(
    t,
    changing(publicUrl, (path, body) => (isKeys(path) ? replace(body) : body)),
  )
  const { code, stdout } = await runScript(t, address, expected)
  assert.equal(code, 1)
  assert.match(stdout, /FAIL {2}the signature verifies with the published key/)
})

test('helm test fails when the key is not published, or a private one is', async (t) => {
  const { publicUrl, expected } = await createSubject(t)
  const spoilt = [
    [(body: string) => body.replace(/"kid":"[^"]+"/, '"kid":"other"'), /FAIL {2}the key is published/],
    [(body: string) => body.replace('"x":', '"d":"secret","x":'), /FAIL {2}no private key is published/],
  ] as const
  for (const [spoil, says] of spoilt) {
    const address = await listen(
      t,
      changing(publicUrl, (path, body) => (isKeys(path) ? spoil(body) : body)),
    )
    const { code, stdout } = await runScript(t, address, expected)
    assert.equal(code, 1)
    assert.match(stdout, says)
  }
})

test('helm test fails when parameters travel unsigned, or there is no signed request at all', async (t) => {
  const { publicUrl, expected } = await createSubject(t)
  const spoilt = [
    [
      (body: string) => body.replace('client_id=', 'scope=openid&client_id='),
      /FAIL {2}nothing that must be signed travels unsigned/,
    ],
    [(body: string) => body.replace('&request=', '&other='), /FAIL {2}the authorization URL carries no signed request/],
  ] as const
  for (const [spoil, says] of spoilt) {
    const address = await listen(
      t,
      changing(publicUrl, (path, body) => (isKeys(path) ? body : spoil(body))),
    )
    const { code, stdout } = await runScript(t, address, expected)
    assert.equal(code, 1)
    assert.match(stdout, says)
  }
})

test('helm test waits for a service that is not ready yet, and does not hide what another answer says', async (t) => {
  const { publicUrl, expected } = await createSubject(t)
  let asked = 0
  const pass = changing(publicUrl, (_path, body) => body)
  const late = await listen(t, (request, response) => {
    asked += 1
    if (asked > 1) return pass(request, response)
    response.statusCode = 503
    response.end('{"error":"idp_unavailable"}')
  })
  assert.equal((await runScript(t, late, expected)).code, 0)
  const refusing = await listen(t, (_request, response) => {
    response.statusCode = 500
    response.end('{"error":"server_error"}')
  })
  const { code, stdout } = await runScript(t, refusing, expected)
  assert.equal(code, 1)
  assert.match(stdout, /FAIL {2}\/auth\/start\?response=json answered 500: \{"error":"server_error"\}/)
})

test('the pod of helm test asks the Service, with what the values say', async () => {
  const { address, expected } = readTest(await render({ scenario: 'clients' }).then(rename))
  assert.equal(address, 'http://login:80')
  assert.deepEqual(expected, {
    clientId: '6f1a7c5e-0c1e-4a55-9d8e-3f2b8f6f7c11',
    redirectUri: 'https://login.acme.test:8443/auth/callback',
    alg: 'EdDSA',
    typ: 'JWT',
    ttlS: 60,
    keyId: 'k-1',
    audience: 'https://account.oten.com/oauth',
    issuer: 'https://account.oten.com',
  })
})

/** Scenario `clients` has a name of its own. */
const rename = (manifests: readonly Manifest[]): Manifest[] =>
  manifests.map((one) => ({
    ...one,
    metadata: { ...one.metadata, name: one.metadata.name.replace(/^login-test$/, 'login-oten-bff-test') },
  }))
