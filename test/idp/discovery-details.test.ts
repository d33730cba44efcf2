import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BffError } from '../../src/errors.ts'
import { type DiscoveryOptions, fetchMetadata, MetadataUnusable } from '../../src/idp/discovery.ts'
import { RedirectRefused } from '../../src/idp/http.ts'
import { createTestLog } from './build-idp.ts'

const ISSUER = 'https://idp.example'
const DOCUMENT = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
  jwks_uri: `${ISSUER}/jwks`,
  response_types_supported: ['code'],
}

/** What comes of a discovery that is answered with this; members that are undefined are absent. */
function discover(answer: Response | BffError | Record<string, unknown>, changes: Partial<DiscoveryOptions> = {}) {
  const log = createTestLog()
  const fetch = async () => {
    if (answer instanceof BffError) throw answer
    return answer instanceof Response ? answer : Response.json({ ...DOCUMENT, ...answer })
  }
  const metadata = fetchMetadata({
    issuer: ISSUER,
    allowInsecureIssuer: false,
    requestObjectAlg: 'EdDSA',
    tokenAuth: 'auto',
    hasSecret: true,
    hasAssertionKeys: false,
    fetch,
    log,
    ...changes,
  })
  return { metadata, log }
}

/** The refusal's message, and whether what came was metadata at all. */
async function judge(answer: Parameters<typeof discover>[0]) {
  const error = await discover(answer).metadata.catch((reason: unknown) => reason)
  assert.ok(error instanceof MetadataUnusable, String(error))
  return [error.isMetadata, error.message]
}

test('KY-02 optional endpoints that are absent are no fault, and no line in the log', async () => {
  const { metadata, log } = discover({})
  const { endSessionEndpoint, revocationEndpoint } = await metadata
  assert.deepEqual([endSessionEndpoint, revocationEndpoint, log.lines], [undefined, undefined, []])
})

test('KY-02 the warning about an endpoint names it and says what is wrong with it', async () => {
  const { metadata, log } = discover({ end_session_endpoint: 'http://idp.example/logout' })
  assert.equal((await metadata).endSessionEndpoint, undefined)
  const [{ fields, message } = assert.fail()] = log.lines
  assert.deepEqual(fields, { field: 'end_session_endpoint' })
  assert.match(message, /not https; not used/)
})

test('TX-02 the warning about a method that is not announced names the setting', async () => {
  const methods = { token_endpoint_auth_methods_supported: ['client_secret_basic'] }
  const { metadata, log } = discover(methods, { tokenAuth: 'client_secret_post' })
  assert.equal((await metadata).tokenAuthMethod, 'client_secret_post')
  assert.match(log.lines[0]?.message ?? '', /^OTEN_TOKEN_AUTH names a method/)
})

test('an IdP announces back-channel logout by a plain true, and by nothing else', async () => {
  for (const [value, supported] of [
    [true, true],
    [undefined, false],
    [false, false],
    ['true', false],
    [1, false],
  ]) {
    const { metadata } = discover({ backchannel_logout_supported: value })
    assert.equal((await metadata).backchannelLogoutSupported, supported)
  }
})

test('KY-01 a refusal says what differs, and tells metadata that is wrong from an answer that is none', async () => {
  assert.deepEqual(await judge({ issuer: `${ISSUER}1` }), [
    true,
    `issuer is "${ISSUER}1" in the metadata and "${ISSUER}" in OTEN_ISSUER`,
  ])
  assert.deepEqual(await judge({ id_token_signing_alg_values_supported: ['RS256'] }), [
    true,
    'id_token_signing_alg_values_supported lacks EdDSA and Ed25519',
  ])
  const none = 'discovery answered something other than a JSON object'
  assert.deepEqual(await judge(new Response('<html>')), [false, none])
  assert.deepEqual(await judge(Response.json([DOCUMENT])), [false, none])
  const redirect = new BffError('idp_unavailable', 'GET', { cause: new RedirectRefused(302) })
  assert.deepEqual(await judge(redirect), [false, 'discovery answered 302: redirects are not followed'])
  assert.deepEqual(await judge(new Response(null, { status: 404 })), [
    false,
    'discovery answered 404: check OTEN_ISSUER',
  ])
})

test('KY-01 an outage says with which status', async () => {
  const answer = new Response(null, { status: 503 })
  await assert.rejects(discover(answer).metadata, { code: 'idp_unavailable', message: 'discovery answered 503' })
})
