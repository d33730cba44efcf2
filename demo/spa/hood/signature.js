const toBytes = (base64url) =>
  Uint8Array.from(atob(base64url.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.codePointAt(0))

/**
 * Verifies a request object as Oten does: with the public key that the service publishes.
 *
 * @returns `verdict` (`valid`, `invalid` or `unknown`) and a sentence
 */
export async function verifySignature(jwt, { alg, kid }) {
  if (alg === 'HS256') {
    return {
      verdict: 'unknown',
      text: 'Signed with the client secret (HS256), which no page has: only Oten can verify it.',
    }
  }
  try {
    const response = await fetch('{{BFF_URL}}/auth/jwks.json')
    const { keys } = await response.json()
    const jwk = keys.find((candidate) => candidate.kid === kid)
    if (jwk === undefined) return { verdict: 'unknown', text: `The service no longer publishes the key ${kid}.` }
    const { kty, crv, x } = jwk
    const key = await crypto.subtle.importKey('jwk', { kty, crv, x }, 'Ed25519', false, ['verify'])
    const at = jwt.lastIndexOf('.')
    const signed = new TextEncoder().encode(jwt.slice(0, at))
    const isValid = await crypto.subtle.verify('Ed25519', key, toBytes(jwt.slice(at + 1)), signed)
    return isValid
      ? { verdict: 'valid', text: 'The signature is valid: this page has verified it with the key at /auth/jwks.json.' }
      : { verdict: 'invalid', text: 'The signature is not valid.' }
  } catch {
    return {
      verdict: 'unknown',
      text: 'This browser could not verify the signature: the key is out of reach, or Ed25519 unknown to it.',
    }
  }
}
