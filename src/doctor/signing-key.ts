import { createPublicKey, sign, verify } from 'node:crypto'
import type { Config, Secrets } from '../config.ts'
import { about, type Check } from './check.ts'

const { ok, fail } = about('signing key')

/** Whether the key that signs request objects fits the one that is published. What Oten holds cannot be seen. */
export function checkSigningKey(alg: Config['requestObject']['alg'], { jarKeys }: Pick<Secrets, 'jarKeys'>): Check {
  if (alg === 'HS256')
    return ok('HS256 signs with OTEN_CLIENT_SECRET; the authorization request shows whether Oten takes it')
  const [signer] = jarKeys
  if (signer === undefined) return fail(`${alg} needs JAR_KEYS`, 'make a key: npm run keys -- generate')
  const probe = Buffer.from('oten-bff doctor')
  const published = createPublicKey({ key: { ...signer.publicJwk }, format: 'jwk' })
  if (!verify(null, probe, published, sign(null, probe, signer.privateKey))) {
    return fail(
      `${alg}, kid ${signer.kid}: what it signs cannot be verified with its public half`,
      'make another key: npm run keys -- generate',
    )
  }
  const unseen = 'Oten does not publish the keys it holds; the authorization request shows whether this is one of them'
  return ok(`${alg}, kid ${signer.kid}, signs; ${unseen}`)
}
