import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { BffError } from '../../src/errors.ts'
import { type DiscoveryOptions, fetchMetadata, MetadataUnusable } from '../../src/idp/discovery.ts'
import { createIdpHttp } from '../../src/idp/http.ts'
import { createTestLog } from './build-idp.ts'
import { type Answer, startHostileIdp } from './hostile-idp.ts'

const DISCOVERY = '/.well-known/openid-configuration'

async function build(t: TestContext, options: Partial<DiscoveryOptions> = {}) {
  const idp = await startHostileIdp(t)
  const log = createTestLog()
  const http = createIdpHttp({ allowInsecureIssuer: true, now: () => Date.now() / 1000, log })
  t.after(() => http.close())
  const fetchWith = (changes: Partial<DiscoveryOptions> = {}) =>
    fetchMetadata({
      issuer: idp.issuer,
      allowInsecureIssuer: true,
      requestObjectAlg: 'EdDSA',
      tokenAuth: 'auto',
      hasSecret: true,
      hasAssertionKeys: false,
      fetch: http.fetch,
      log,
      ...options,
      ...changes,
    })
  return { idp, log, fetch: fetchWith }
}

/** The message of the refusal; fails when there is none. */
async function refusal(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => assert.fail('the metadata was accepted'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof MetadataUnusable, String(error))
  return error.message
}

test('KY-01 good metadata is returned with every endpoint in it', async (t) => {
  const { idp, fetch } = await build(t)
  Object.assign(idp.metadata, { backchannel_logout_supported: true, unknown_member: { a: 1 } })
  const { as, ...metadata } = await fetch()
  assert.deepEqual(metadata, {
    issuer: idp.issuer,
    authorizationEndpoint: `${idp.issuer}/authorize`,
    tokenEndpoint: `${idp.issuer}/token`,
    jwksUri: `${idp.issuer}/jwks`,
    endSessionEndpoint: `${idp.issuer}/logout`,
    revocationEndpoint: `${idp.issuer}/revoke`,
    requiresIss: false,
    backchannelLogoutSupported: true,
    tokenAuthMethod: 'client_secret_basic',
  })
  assert.equal(as.issuer, idp.issuer)
  assert.equal(as.end_session_endpoint, `${idp.issuer}/logout`)
  assert.equal(as.revocation_endpoint, `${idp.issuer}/revoke`)
})

test('KY-01 an issuer that differs in any character is refused, and both are named', async (t) => {
  const { idp, fetch } = await build(t)
  for (const issuer of [
    `${idp.issuer}1`,
    `${idp.issuer}/x`,
    idp.issuer.replace('http', 'HTTP'),
    'https://evil.example',
  ]) {
    idp.metadata.issuer = issuer
    const message = await refusal(fetch())
    assert.ok(message.includes(`"${issuer}"`) && message.includes(`"${idp.issuer}"`), message)
    assert.doesNotMatch(message, /slash/)
  }
})

test('KY-01 where the two differ only by a trailing slash, the message says so', async (t) => {
  const { idp, fetch } = await build(t)
  idp.metadata.issuer = `${idp.issuer}/`
  assert.match(await refusal(fetch()), /they differ only by a trailing slash/)
  idp.metadata.issuer = idp.issuer
  assert.match(await refusal(fetch({ issuer: `${idp.issuer}/` })), /they differ only by a trailing slash/)
})

test('KY-01 a trailing slash and a path are kept in the issuer, and the slash left out of the address', async (t) => {
  const { idp, fetch } = await build(t)
  for (const [suffix, path] of [
    ['/', DISCOVERY],
    ['/tenant', `/tenant${DISCOVERY}`],
    ['/tenant/', `/tenant${DISCOVERY}`],
  ]) {
    const issuer = `${idp.issuer}${suffix}`
    idp.on(String(path), () => ({ body: { ...idp.metadata, issuer } }))
    assert.equal((await fetch({ issuer })).issuer, issuer)
  }
})

test('KY-01 an issuer that is missing or no text is refused', async (t) => {
  const { idp, fetch } = await build(t)
  for (const issuer of [undefined, null, 7, ['x']]) {
    idp.metadata.issuer = issuer
    assert.match(await refusal(fetch()), /^issuer is missing/)
  }
})

test('KY-01 a hostile issuer cannot fill the log', async (t) => {
  const { idp, fetch } = await build(t)
  idp.metadata.issuer = `https://${'x'.repeat(100_000)}`
  assert.ok((await refusal(fetch())).length < 400)
})

for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri']) {
  test(`KY-02 without a sound ${name} the metadata is unusable, and the reason names it`, async (t) => {
    const { idp, fetch } = await build(t)
    const good = idp.metadata[name]
    delete idp.metadata[name]
    assert.equal(await refusal(fetch()), `${name} is missing from the metadata`)
    const withUser = (user: string): string => String(good).replace('//', `//${user}@`)
    const near = [`${good}#fragment`, withUser('user'), withUser(':password'), withUser('user:password')]
    for (const value of [
      null,
      '',
      'not a url',
      '/relative',
      42,
      'ftp://127.0.0.1/x',
      'javascript:alert(1)',
      [good],
      ...near,
    ]) {
      idp.metadata[name] = value
      assert.ok((await refusal(fetch())).startsWith(name), String(value))
    }
    idp.metadata[name] = `${good}?tenant=a`
    await fetch()
  })

  test(`KY-02 an http ${name} is unusable where http was not allowed`, async (t) => {
    const { idp, fetch } = await build(t)
    const https = (path: string): string => `https://idp.example${path}`
    Object.assign(idp.metadata, {
      authorization_endpoint: https('/authorize'),
      token_endpoint: https('/token'),
      jwks_uri: https('/jwks'),
      issuer: 'https://idp.example',
    })
    // The document itself comes by a fetch that leads to the test's server, as a TLS proxy would.
    const viaProxy: DiscoveryOptions['fetch'] = async () => Response.json(idp.metadata)
    const strict = { allowInsecureIssuer: false, issuer: 'https://idp.example', fetch: viaProxy }
    assert.equal((await fetch(strict)).tokenEndpoint, 'https://idp.example/token')
    idp.metadata[name] = 'http://idp.example/x'
    assert.equal(await refusal(fetch(strict)), `${name} is not an https URL`)
  })
}

test('KY-02 code, S256 and the ID-token algorithm must be there, each named when missing', async (t) => {
  const { idp, fetch } = await build(t)
  const refused: [string, unknown][] = [
    ['response_types_supported', ['code id_token', 'token']],
    ['response_types_supported', undefined],
    ['response_types_supported', 'code'],
    ['code_challenge_methods_supported', ['plain']],
    ['code_challenge_methods_supported', 'S256'],
    ['id_token_signing_alg_values_supported', ['RS256', 'ES256']],
    ['id_token_signing_alg_values_supported', []],
  ]
  for (const [name, value] of refused) {
    const good = idp.metadata[name]
    idp.metadata[name] = value
    assert.ok((await refusal(fetch())).startsWith(name), `${name} ${value}`)
    idp.metadata[name] = good
  }
})

test('KY-02 lists that are not published say nothing; either name of the algorithm will do', async (t) => {
  const { idp, fetch } = await build(t)
  delete idp.metadata.code_challenge_methods_supported
  delete idp.metadata.id_token_signing_alg_values_supported
  await fetch()
  for (const name of ['EdDSA', 'Ed25519']) {
    idp.metadata.id_token_signing_alg_values_supported = ['RS256', name]
    await fetch()
  }
})

test('KY-02 optional endpoints that are no https URL are left out, with a warning', async (t) => {
  const { idp, log, fetch } = await build(t)
  Object.assign(idp.metadata, { end_session_endpoint: 'javascript:alert(1)', revocation_endpoint: 7 })
  const metadata = await fetch()
  assert.deepEqual([metadata.endSessionEndpoint, metadata.revocationEndpoint], [undefined, undefined])
  assert.deepEqual([metadata.as.end_session_endpoint, metadata.as.revocation_endpoint], [undefined, undefined])
  assert.deepEqual(
    log.lines.map(({ level, fields }) => [level, fields.field]),
    [
      ['warn', 'end_session_endpoint'],
      ['warn', 'revocation_endpoint'],
    ],
  )
})

test('CB-03 `iss` is required whenever the metadata does not plainly say otherwise', async (t) => {
  const { idp, fetch } = await build(t)
  for (const [value, required] of [
    [undefined, false],
    [false, false],
    [true, true],
    ['true', true],
  ]) {
    idp.metadata.authorization_response_iss_parameter_supported = value
    const metadata = await fetch()
    assert.equal(metadata.requiresIss, required)
    assert.equal(Boolean(metadata.as.authorization_response_iss_parameter_supported), required)
  }
})

test('RO-20 an IdP that takes no request objects, or not of our algorithm, is unusable', async (t) => {
  const { idp, fetch } = await build(t)
  idp.metadata.request_parameter_supported = false
  assert.equal(await refusal(fetch()), 'request_parameter_supported is false')
  idp.metadata.request_parameter_supported = true
  await fetch()
  const name = 'request_object_signing_alg_values_supported'
  const cases = [
    ['EdDSA', ['RS256', 'HS256'], false],
    ['EdDSA', ['EdDSA'], true],
    ['EdDSA', ['Ed25519'], true],
    ['Ed25519', ['EdDSA'], true],
    ['HS256', ['EdDSA', 'Ed25519'], false],
    ['HS256', ['HS256'], true],
  ] as const
  for (const [requestObjectAlg, list, usable] of cases) {
    idp.metadata[name] = list
    if (usable) await fetch({ requestObjectAlg })
    else assert.ok((await refusal(fetch({ requestObjectAlg }))).startsWith(name))
  }
})

test('TX-02 client authentication comes from the metadata, basic before post, unless it was configured', async (t) => {
  const { idp, log, fetch } = await build(t)
  const name = 'token_endpoint_auth_methods_supported'
  const method = async (published: unknown, changes: Partial<DiscoveryOptions> = {}) => {
    idp.metadata[name] = published
    return (await fetch(changes)).tokenAuthMethod
  }
  const withKeys = { hasAssertionKeys: true }
  assert.equal(await method(undefined), 'client_secret_basic')
  assert.equal(await method(['client_secret_post', 'client_secret_basic']), 'client_secret_basic')
  assert.equal(await method(['none', 'client_secret_post']), 'client_secret_post')
  assert.equal(await method(['private_key_jwt', 'client_secret_post'], withKeys), 'client_secret_post')
  assert.equal(await method(['private_key_jwt'], withKeys), 'private_key_jwt')
  assert.equal(
    await method(['client_secret_basic', 'private_key_jwt'], { ...withKeys, hasSecret: false }),
    'private_key_jwt',
  )
  assert.equal(log.lines.length, 0)
  assert.equal(await method(['client_secret_basic'], { tokenAuth: 'client_secret_post' }), 'client_secret_post')
  assert.deepEqual([log.lines.length, log.lines[0]?.fields.method], [1, 'client_secret_post'])
})

test('TX-02 without a method that both sides have, the metadata is unusable', async (t) => {
  const { idp, fetch } = await build(t)
  const name = 'token_endpoint_auth_methods_supported'
  idp.metadata[name] = ['private_key_jwt', 'tls_client_auth', 'none']
  assert.ok((await refusal(fetch())).startsWith(name))
  idp.metadata[name] = 'client_secret_basic'
  assert.ok((await refusal(fetch())).startsWith(name))
  delete idp.metadata[name]
  assert.ok((await refusal(fetch({ hasSecret: false, hasAssertionKeys: true }))).startsWith(name))
})

test('KY-01 an answer that is no metadata is unusable, one that says "not now" is an outage', async (t) => {
  const { idp, fetch } = await build(t)
  const wrong: Answer[] = [
    { status: 404 },
    { status: 401 },
    { status: 201, body: idp.metadata },
    { status: 302, headers: { location: '/elsewhere' } },
    { body: '<html>' },
    { body: [idp.metadata] },
    { body: 'null' },
    { body: '' },
  ]
  for (const answer of wrong) {
    idp.on(DISCOVERY, () => answer)
    assert.match(await refusal(fetch()), /^discovery answered/)
  }
  for (const status of [408, 425, 429, 500, 503]) {
    idp.on(DISCOVERY, () => ({ status, body: idp.metadata }))
    await assert.rejects(fetch(), (error) => error instanceof BffError && error.code === 'idp_unavailable')
  }
  await idp.stop()
  await assert.rejects(fetch(), (error) => error instanceof BffError && error.code === 'idp_unavailable')
})
