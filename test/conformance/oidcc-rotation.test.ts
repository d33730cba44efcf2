import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from 'undici'
import { createKey, signJws } from '../idp/hostile-idp.ts'
import { createForeignKey } from './forge.ts'
import { assertSignedIn, assertTokensRefused, type Journey, startJourney } from './journey.ts'

const { jwk: rsaJwk } = createForeignKey('RS256', 'rsa-1')

/** A new key signs, and is alone in what `/jwks` publishes. */
function rotate({ provider }: Journey, kid: string): void {
  provider.key = createKey(kid)
  provider.idp.keys = [provider.key.jwk]
}

/** Nobody is sent to the provider, and the operator is told why. */
async function assertUnusable(journey: Journey, reason: RegExp): Promise<void> {
  const { idp } = journey.provider
  const browser = journey.browser()
  const page = await browser.navigate('/auth/start?return_to=/inbox')
  const fetched = await browser.fetch('/auth/start')
  assert.deepEqual([page.status, page.location, page.setCookies], [503, null, []])
  assert.deepEqual([fetched.status, fetched.json().error, fetched.setCookies], [503, 'idp_unavailable', []])
  assert.ok(idp.requests.every(({ path }) => path === '/.well-known/openid-configuration'))
  const ready = await request(`${journey.adminUrl}/health/ready`)
  assert.equal(ready.statusCode, 503)
  const { checks } = (await ready.body.json()) as { checks: { idp: { status: string; reason: string } } }
  assert.equal(checks.idp.status, 'unusable')
  assert.match(checks.idp.reason, reason)
}

test('oidcc-client-test-discovery-openid-config: the endpoints that the document names are used, and no others', async (t) => {
  const journey = await startJourney(t)
  const { idp, answerAuthorize, answerToken } = journey.provider
  Object.assign(idp.metadata, {
    authorization_endpoint: `${idp.issuer}/elsewhere/authorize`,
    token_endpoint: `${idp.issuer}/elsewhere/token?tenant=a`,
  })
  idp.on('/elsewhere/authorize', answerAuthorize)
  idp.on('/elsewhere/token', answerToken)
  const { answer, browser } = await journey.signIn()
  assert.equal(answer.headers.get('location'), '/inbox')
  assert.equal((await browser.session()).authenticated, true)
  assert.deepEqual([idp.count('/authorize'), idp.count('/token')], [0, 0])
  assert.equal(idp.count('/elsewhere/token'), 1)
  assert.equal(idp.last('/elsewhere/token').query.get('tenant'), 'a')
})

test('oidcc-client-test-discovery-jwks-uri-keys: keys come from jwks_uri, once, and those of other kinds are passed over', async (t) => {
  const journey = await startJourney(t)
  const { idp, key } = journey.provider
  const address = '/elsewhere/keys'
  idp.metadata.jwks_uri = `${idp.issuer}${address}`
  idp.on(address, () => ({ body: { keys: [rsaJwk, { kty: 'new' }, null, key.jwk] } }))
  for (let round = 0; round < 3; round++) {
    const { answer, browser } = await journey.signIn()
    assert.equal(answer.headers.get('location'), '/inbox')
    assert.equal((await browser.session()).authenticated, true)
  }
  assert.equal(idp.count(address), 1)
  assert.equal(idp.count('/jwks'), 0)
})

for (const { title, alter } of [
  {
    title:
      'oidcc-client-test-discovery-issuer-mismatch: a document of another issuer stops every sign-in before it begins',
    alter: (issuer: string) => `${issuer}1`,
  },
  {
    title: 'oidcc-client-test-discovery-issuer-mismatch: a slash more is another issuer',
    alter: (issuer: string) => `${issuer}/`,
  },
]) {
  test(title, async (t) => {
    const journey = await startJourney(t)
    const { metadata, issuer } = journey.provider.idp
    metadata.issuer = alter(issuer)
    await assertUnusable(journey, /^issuer is "http.+" in the metadata and "http.+" in OTEN_ISSUER/)
  })
}

test('oidcc-client-test-idtoken-sig-rs256: a provider that announces RS256 alone is not used at all', async (t) => {
  const metadata = { id_token_signing_alg_values_supported: ['RS256'] }
  await assertUnusable(await startJourney(t, { metadata }), /^id_token_signing_alg_values_supported lacks/)
})

test('oidcc-client-test-signing-key-rotation: after a rotation between two sign-ins the keys are fetched again', async (t) => {
  const journey = await startJourney(t)
  const { idp } = journey.provider
  await assertSignedIn(journey, await journey.signIn())
  rotate(journey, 'provider-2')
  await assertSignedIn(journey, await journey.signIn())
  assert.equal(idp.count('/jwks'), 2)
  await assertSignedIn(journey, await journey.signIn())
  assert.equal(idp.count('/jwks'), 2)
})

test('oidcc-client-test-signing-key-rotation: a key that is not published any more signs nobody in', async (t) => {
  const journey = await startJourney(t)
  const { key: old } = journey.provider
  await assertSignedIn(journey, await journey.signIn())
  rotate(journey, 'provider-2')
  await assertSignedIn(journey, await journey.signIn())
  journey.advance(11) // Unknown key ids are looked for at most every ten seconds.
  const outcome = await journey.signIn({ idToken: (claims) => signJws(claims, old) })
  await assertTokensRefused(journey, outcome, 'key_unknown')
})

test('oidcc-client-test-signing-key-rotation-just-before-signing: a key that was made for this very ID token is found', async (t) => {
  const journey = await startJourney(t)
  const { idp } = journey.provider
  await assertSignedIn(journey, await journey.signIn())
  const idToken = (claims: Readonly<Record<string, unknown>>): string => {
    rotate(journey, 'provider-2')
    return signJws(claims, journey.provider.key)
  }
  await assertSignedIn(journey, await journey.signIn({ idToken }))
  assert.equal(idp.count('/jwks'), 2)
})
