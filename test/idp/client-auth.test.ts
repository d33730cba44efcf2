import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { jwtVerify } from 'jose'
import { chooseTokenAuthMethod } from '../../src/idp/client-auth.ts'
import { buildIdp, CLIENT_ID, CLIENT_SECRET, createSigningKey } from './build-idp.ts'
import { signJws } from './hostile-idp.ts'

/** The token request that a sign-in makes with this configuration. */
async function redeem(t: TestContext, changes: Parameters<typeof buildIdp>[1]) {
  const world = await buildIdp(t, changes)
  const send = async () => {
    await world.idp.redeemCode(world.redeemInput())
    return world.hostile.last('/token')
  }
  return { ...world, send, request: await send() }
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
const credentialNames = ['client_secret', 'client_assertion', 'client_assertion_type']

test('TX-02 basic: the header alone, nothing in the body or the address', async (t) => {
  const { request } = await redeem(t, { tokenAuth: 'client_secret_basic' })
  assert.equal(request.headers.authorization, basic(`${CLIENT_ID}:${CLIENT_SECRET}`))
  for (const name of [...credentialNames, 'client_id']) assert.equal(request.body.has(name), false)
  assert.equal(request.query.size, 0)
})

test('TX-02 basic: id and secret are form-encoded before base64 (RFC 6749 §2.3.1)', async (t) => {
  const clientSecret = 'a:b%c+d/e f*g-h_i.j~k&l=mäö€💚\'"()!'
  const clientId = 'id:with space+'
  const secrets = { clientSecret }
  const { idp, hostile, key, claims, grant, redeemInput } = await buildIdp(t, { tokenAuth: 'auto', clientId, secrets })
  grant({ id_token: signJws(claims({ aud: clientId }), key) })
  await idp.redeemCode(redeemInput())
  const [, encoded = ''] = String(hostile.last('/token').headers.authorization).split(' ')
  // Typed from the application/x-www-form-urlencoded rules: only letters, digits, and * - . _ stand for themselves.
  assert.equal(
    Buffer.from(encoded, 'base64').toString('latin1'),
    'id%3Awith+space%2B:' + 'a%3Ab%25c%2Bd%2Fe+f*g-h_i.j%7Ek%26l%3Dm%C3%A4%C3%B6%E2%82%AC%F0%9F%92%9A%27%22%28%29%21',
  )
})

test('TX-02 post: id and secret in the body, and no header', async (t) => {
  const { request } = await redeem(t, { tokenAuth: 'client_secret_post' })
  assert.equal(request.headers.authorization, undefined)
  assert.deepEqual([request.body.get('client_id'), request.body.get('client_secret')], [CLIENT_ID, CLIENT_SECRET])
  assert.equal(request.body.has('client_assertion'), false)
  assert.equal(request.query.size, 0)
})

for (const alg of ['EdDSA', 'Ed25519'] as const) {
  test(`TX-12 private_key_jwt with ${alg}: a short assertion for the issuer alone, fresh each time`, async (t) => {
    const signer = createSigningKey('assertion-1', alg)
    const changes = { tokenAuth: 'private_key_jwt', secrets: { assertionKeys: [signer] } } as const
    const { request, send, hostile, time } = await redeem(t, changes)
    assert.equal(request.headers.authorization, undefined)
    assert.equal(request.body.has('client_secret'), false)
    assert.equal(request.body.get('client_assertion_type'), 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    const assertion = request.body.get('client_assertion') ?? ''
    const publicKey = createPublicKey({ key: { ...signer.publicJwk }, format: 'jwk' })
    const { payload, protectedHeader } = await jwtVerify(assertion, publicKey, {
      currentDate: new Date(time.now * 1000),
    })
    assert.deepEqual(protectedHeader, { alg, kid: 'assertion-1' })
    const { iat = 0, nbf = 0, exp = 0, jti, ...parties } = payload
    assert.deepEqual(parties, { iss: CLIENT_ID, sub: CLIENT_ID, aud: hostile.issuer })
    assert.ok(iat <= time.now && nbf <= time.now && exp > time.now && exp - iat <= 60)
    const again = await jwtVerify((await send()).body.get('client_assertion') ?? '', publicKey)
    assert.ok(typeof jti === 'string' && jti.length >= 22 && jti !== again.payload.jti)
  })
}

test('TX-02 auto: an IdP that offers private_key_jwt alone gets it where there are keys', async (t) => {
  for (const [assertionKeys, sent] of [
    [[createSigningKey('assertion-1')], 1],
    [[], 0],
  ] as const) {
    const { idp, hostile, redeemInput } = await buildIdp(t, { secrets: { assertionKeys } })
    hostile.metadata.token_endpoint_auth_methods_supported = ['private_key_jwt']
    await idp.redeemCode(redeemInput()).catch(() => {})
    assert.equal(hostile.count('/token'), sent)
    assert.equal(idp.metadata.status().state, sent === 1 ? 'ok' : 'unusable')
    if (sent === 1) assert.ok(hostile.last('/token').body.has('client_assertion'))
  }
})

test('TX-02 auto: the first method that the IdP announces and a credential is there for; unpublished means basic', () => {
  const choose = (published: readonly string[] | undefined, hasSecret: boolean, hasAssertionKeys: boolean) =>
    chooseTokenAuthMethod(published, { tokenAuth: 'auto', hasSecret, hasAssertionKeys })
  const all = ['private_key_jwt', 'client_secret_post', 'client_secret_basic']
  assert.equal(choose(all, true, true), 'client_secret_basic')
  assert.equal(choose(all.slice(0, 2), true, true), 'client_secret_post')
  assert.equal(choose(all.slice(0, 1), true, true), 'private_key_jwt')
  assert.equal(choose(all, false, true), 'private_key_jwt')
  assert.equal(choose(undefined, true, true), 'client_secret_basic')
  for (const published of [all, undefined, [], ['none']]) assert.equal(choose(published, false, false), undefined)
  assert.equal(choose(undefined, false, true), undefined)
})

test("TX-12 an assertion's stamps follow the clock that was given", async (t) => {
  const signer = createSigningKey('assertion-1')
  const world = await buildIdp(t, { tokenAuth: 'private_key_jwt', secrets: { assertionKeys: [signer] } })
  world.time.now += 86_400
  world.grant()
  await world.idp.redeemCode(world.redeemInput())
  const [, payload = ''] = (world.hostile.last('/token').body.get('client_assertion') ?? '').split('.')
  const { iat, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString())
  assert.ok(Math.abs(iat + 5 - world.time.now) <= 1)
  assert.equal(exp - iat, 60)
})

test('TX-02 a rotated secret or key counts from the next request on', async (t) => {
  const { secrets, send } = await redeem(t, { tokenAuth: 'client_secret_post' })
  secrets.current = { ...secrets.current, clientSecret: 'the-next-secret' }
  assert.equal((await send()).body.get('client_secret'), 'the-next-secret')

  const keyed = await redeem(t, {
    tokenAuth: 'private_key_jwt',
    secrets: { assertionKeys: [createSigningKey('old')] },
  })
  keyed.secrets.current = {
    ...keyed.secrets.current,
    assertionKeys: [createSigningKey('new'), createSigningKey('old')],
  }
  const [header = ''] = ((await keyed.send()).body.get('client_assertion') ?? '').split('.')
  assert.equal(JSON.parse(Buffer.from(header, 'base64url').toString()).kid, 'new')
})

test('TX-02 a method without its credential sends nothing', async (t) => {
  for (const tokenAuth of ['client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const) {
    const { idp, hostile, redeemInput } = await buildIdp(t, { tokenAuth, secrets: { clientSecret: undefined } })
    await assert.rejects(idp.redeemCode(redeemInput()), /needs/)
    assert.equal(hostile.count('/token'), 0)
  }
})
