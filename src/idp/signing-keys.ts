import type { Secrets, SigningKey } from '../config.ts'

/** A JWK Set as published: public parameters only (RFC 7517 §5, RFC 8037 §2). */
export interface PublicJwks {
  readonly keys: readonly SigningKey['publicJwk'][]
}

/**
 * The public half of every key that may have signed something the IdP still holds: request objects and client
 * assertions, the retired ones included, so that a rotation never outruns a cache (OIDC Core §10.1.1).
 */
export function buildPublicJwks({ jarKeys, assertionKeys }: Pick<Secrets, 'jarKeys' | 'assertionKeys'>): PublicJwks {
  return {
    keys: [...jarKeys, ...assertionKeys].map(({ publicJwk: { kty, crv, x, kid, alg, use } }) => {
      // Member by member: a private parameter that slipped into the object cannot slip out of it.
      return { kty, crv, x, kid, alg, use }
    }),
  }
}
