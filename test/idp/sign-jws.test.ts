import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { compactVerify } from 'jose'
import { type JwsHeader, signJws } from '../../src/idp/sign-jws.ts'
import { RFC_8037_JWK } from '../config/valid-env.ts'

const ED25519 = createPrivateKey({ key: { ...RFC_8037_JWK }, format: 'jwk' })

test('RFC 8037 Appendix A.4: header, payload and signature to the octet', () => {
  assert.equal(
    signJws({ alg: 'EdDSA' }, 'Example of Ed25519 signing', ED25519),
    'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
  )
})

/** What `jose` reads of it; its verification fails the test otherwise. */
async function verify(header: JwsHeader, payload: string, key: KeyObject, verifier: KeyObject | Uint8Array) {
  const { alg } = header
  const verified = await compactVerify(signJws(header, payload, key), verifier, { algorithms: [alg] })
  return { header: verified.protectedHeader, payload: new TextDecoder().decode(verified.payload) }
}

const TEXTS = ['', '{"scope":"openid profile"}', '{"login_hint":"ada@ß \u{1f600}"}']

for (const alg of ['EdDSA', 'Ed25519'] as const) {
  test(`jose verifies what is signed under the name ${alg} with the public half of the key`, async () => {
    const header = { alg, typ: 'oauth-authz-req+jwt', kid: 'größe/1' }
    for (const payload of TEXTS) {
      assert.deepEqual(await verify(header, payload, ED25519, createPublicKey(ED25519)), { header, payload })
    }
  })
}

for (const secret of [
  'a-client-secret-of-32-octets-or-more',
  'YS1zZWNyZXQtdGhhdC1sb29rcy1saWtlLWJhc2U2NA==',
  'größenwahn-größenwahn-größenwahn-\u{1f600}',
]) {
  test(`jose verifies what is signed by HS256 with the UTF-8 octets of "${secret}"`, async () => {
    const header = { alg: 'HS256', typ: 'oauth-authz-req+jwt' } as const
    const octets = new TextEncoder().encode(secret)
    for (const payload of TEXTS) {
      assert.deepEqual(await verify(header, payload, createSecretKey(octets), octets), { header, payload })
    }
  })
}

test('a key of another kind than the header says signs nothing', () => {
  const secret = createSecretKey(Buffer.alloc(32, 1))
  const others = [
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    generateKeyPairSync('ed448').privateKey,
    createPublicKey(ED25519),
    secret,
  ]
  for (const key of others) assert.throws(() => signJws({ alg: 'EdDSA' }, 'x', key), Error)
  for (const key of [ED25519, createPublicKey(ED25519)]) assert.throws(() => signJws({ alg: 'HS256' }, 'x', key), Error)
})
