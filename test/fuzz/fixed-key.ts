import { createPrivateKey, createPublicKey } from 'node:crypto'
import { importJWK } from 'jose'
import { RFC_8037_JWK } from '../config/valid-env.ts'
import type { TestKey } from '../idp/hostile-idp.ts'

const { kty, crv, x } = RFC_8037_JWK
const privateKey = createPrivateKey({ key: { ...RFC_8037_JWK }, format: 'jwk' })

/** The same key in every run, so that a seed stands for the same octets. */
export const FIXED_KEY: TestKey = {
  kid: 'k1',
  privateKey,
  publicKey: createPublicKey(privateKey),
  jwk: { kty, crv, x, kid: 'k1', use: 'sig' },
}

const imported = await importJWK({ kty, crv, x }, 'EdDSA')
if (imported instanceof Uint8Array) throw new Error('not a key pair')
const publicKey = imported

/** An IdP's keys, this one alone. */
export const FIXED_KEYS = {
  findKey: async ({ kid }: { readonly kid?: string | undefined }) =>
    kid === undefined || kid === 'k1' ? publicKey : undefined,
}
