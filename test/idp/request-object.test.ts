import assert from 'node:assert/strict'
import { createHmac, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { test } from 'node:test'
import { type RequestObjectInput, signRequestObject } from '../../src/idp/request-object.ts'
import { RFC_8037_JWK, RFC_8037_THUMBPRINT } from '../config/valid-env.ts'
import { createSigningKey } from './build-idp.ts'

const KEY = createSigningKey('registered-with-oten')

const INPUT: RequestObjectInput = {
  clientId: '6f1a7c5e-client',
  audience: 'https://account.oten.test/',
  parameters: {
    redirectUri: 'https://app.example.com/auth/callback',
    scope: 'openid profile',
    state: 'a-state',
    nonce: 'a-nonce',
    codeChallenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  },
  settings: { alg: 'EdDSA', ttlS: 120, backdateS: 5, typ: 'oauth-authz-req+jwt', audience: undefined },
  secrets: { clientSecret: 'a-client-secret-of-32-octets-or-more', jarKeys: [KEY, createSigningKey('retired')] },
  now: 1_800_000_000,
  jti: 'a-jti',
}

type Json = Record<string, unknown>
const parse = (part = ''): Json => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Json

async function build(changes: Partial<RequestObjectInput> = {}) {
  const { jwt, expiresAt } = await signRequestObject({ ...INPUT, ...changes })
  const [header = '', payload = '', signature = '', ...more] = jwt.split('.')
  assert.deepEqual(more, [])
  const signed = Buffer.from(`${header}.${payload}`)
  return {
    jwt,
    expiresAt,
    header: parse(header),
    claims: parse(payload),
    signed,
    signature: Buffer.from(signature, 'base64url'),
  }
}
const withSettings = (settings: Partial<RequestObjectInput['settings']>) => ({
  settings: { ...INPUT.settings, ...settings },
})

test('RO-01 RO-02 RO-03 RO-04: a compact JWS whose header has alg, typ and kid, and nothing that brings a key along', async () => {
  const { jwt, header } = await build()
  assert.match(jwt, /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}$/)
  assert.deepEqual(header, { alg: 'EdDSA', typ: 'oauth-authz-req+jwt', kid: 'registered-with-oten' })
})

test('RO-04 RO-17: the published key of that kid verifies it, the retired one does not', async () => {
  const { header, signed, signature } = await build()
  const [first, retired] = INPUT.secrets.jarKeys.map(({ publicJwk: { kid, kty, crv, x } }) => {
    return { kid, key: createPublicKey({ key: { kty, crv, x }, format: 'jwk' }) }
  })
  assert.ok(first && retired)
  assert.equal(header.kid, first.kid)
  assert.equal(verify(null, signed, first.key, signature), true)
  assert.equal(verify(null, signed, retired.key, signature), false)
})

test('RO-17: the signature is that of RFC 8037 Appendix A: deterministic, by the key as given', async () => {
  const privateKey = createPrivateKey({ key: { ...RFC_8037_JWK }, format: 'jwk' })
  const publicJwk = { ...KEY.publicJwk, x: RFC_8037_JWK.x, kid: RFC_8037_THUMBPRINT }
  const secrets = { clientSecret: undefined, jarKeys: [{ kid: RFC_8037_THUMBPRINT, privateKey, publicJwk }] }
  const [first, second] = [await build({ secrets }), await build({ secrets })]
  assert.equal(first.jwt, second.jwt)
  assert.deepEqual(first.signature, sign(null, first.signed, privateKey))
})

test('RO-17: JAR_ALG=Ed25519 gives the same signature its other name (RFC 9864)', async () => {
  const { header, signed, signature } = await build(withSettings({ alg: 'Ed25519' }))
  assert.equal(header.alg, 'Ed25519')
  assert.equal(verify(null, signed, createPublicKey(KEY.privateKey), signature), true)
})

test('RO-03: JAR_TYP=JWT is said in the header', async () => {
  assert.equal((await build(withSettings({ typ: 'JWT' }))).header.typ, 'JWT')
})

test('RO-05 RO-06 RO-07 RO-08 RO-09 RO-10 RO-11 RO-12 RO-13: these claims, in these types, and no others', async () => {
  const { claims } = await build()
  assert.deepEqual(claims, {
    iss: '6f1a7c5e-client',
    client_id: '6f1a7c5e-client',
    aud: 'https://account.oten.test/', // One string, the slash included.
    response_type: 'code',
    redirect_uri: 'https://app.example.com/auth/callback',
    scope: 'openid profile',
    state: 'a-state',
    nonce: 'a-nonce',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    jti: 'a-jti',
    iat: 1_799_999_995,
    nbf: 1_799_999_995,
    exp: 1_800_000_115,
  })
})

test('RO-09 RO-13: the optional parameters under their names; max_age is a number, also when it is 0', async () => {
  const hints = { prompt: 'login', maxAge: 0, loginHint: 'ada@ß', uiLocales: 'de en', acrValues: 'phr' }
  const { claims } = await build({ parameters: { ...INPUT.parameters, ...hints } })
  const { prompt, max_age, login_hint, ui_locales, acr_values } = claims
  assert.deepEqual(
    { prompt, max_age, login_hint, ui_locales, acr_values },
    {
      prompt: 'login',
      max_age: 0,
      login_hint: 'ada@ß',
      ui_locales: 'de en',
      acr_values: 'phr',
    },
  )
})

test('RO-13: a parameter that is not used is absent, not null', async () => {
  const hints = {
    prompt: undefined,
    maxAge: undefined,
    loginHint: undefined,
    uiLocales: undefined,
    acrValues: undefined,
  }
  const { claims } = await build({ parameters: { ...INPUT.parameters, ...hints } })
  assert.equal(Object.keys(claims).length, 14)
  assert.ok(!Object.values(claims).includes(null))
})

test('RO-05 RO-08: what comes in with the parameters replaces no claim of ours and adds none', async () => {
  const extra = {
    iss: 'x',
    aud: 'x',
    sub: 'x',
    client_id: 'x',
    jti: 'x',
    exp: 1,
    iat: 1,
    request: 'x',
    request_uri: 'x',
  }
  const secrets = { client_secret: 'x', code_verifier: 'x', codeVerifier: 'x', responseType: 'token' }
  const { claims } = await build({ parameters: { ...INPUT.parameters, ...extra, ...secrets } })
  assert.deepEqual(claims, (await build()).claims)
})

test('RO-10 RO-11: whole seconds; exp is JAR_TTL_S after iat, which is JAR_BACKDATE_S back; nbf is iat', async () => {
  for (const [ttlS, backdateS] of [
    [30, 10],
    [120, 0],
    [300, 5],
  ] as const) {
    for (const now of [1_800_000_000, 1_800_000_000.999]) {
      const { claims, expiresAt } = await build({ now, ...withSettings({ ttlS, backdateS }) })
      assert.equal(claims.iat, 1_800_000_000 - backdateS)
      assert.equal(claims.nbf, claims.iat)
      assert.equal(claims.exp, 1_800_000_000 - backdateS + ttlS)
      assert.equal(expiresAt, claims.exp)
      assert.ok(Number(claims.exp) < 1e11) // Seconds, not milliseconds.
    }
  }
})

for (const secret of [
  'a-client-secret-of-32-octets-or-more',
  'YS1zZWNyZXQtdGhhdC1sb29rcy1saWtlLWJhc2U2NA==',
  '0123456789abcdef0123456789abcdef0123456789abcdef',
  '  blanks at both ends are part of it  ',
  'größenwahn-größenwahn-größenwahn-\u{1f600}',
  'sixteen-octets-!',
]) {
  test(`RO-02 RO-16: HS256 signs with the UTF-8 octets of "${secret}", undecoded and untrimmed`, async () => {
    const { header, signed, signature } = await build({
      ...withSettings({ alg: 'HS256' }),
      secrets: { clientSecret: secret, jarKeys: [KEY] },
    })
    assert.deepEqual(header, { alg: 'HS256', typ: 'oauth-authz-req+jwt' }) // No kid: there is one secret.
    assert.deepEqual(signature, createHmac('sha256', Buffer.from(secret, 'utf8')).update(signed).digest())
  })
}

test('RO-01: without the key of its algorithm nothing is signed at all', async () => {
  const none = { clientSecret: undefined, jarKeys: [] }
  await assert.rejects(build({ secrets: none }), /EdDSA needs JAR_KEYS/)
  await assert.rejects(
    build({ ...withSettings({ alg: 'HS256' }), secrets: { ...none, jarKeys: [KEY] } }),
    /HS256 needs OTEN_CLIENT_SECRET/,
  )
})
