/** From the platform: octets of its secure random generator. */
export type RandomBytes = (count: number) => Uint8Array

/** From the platform: the SHA-256 of octets. */
export type Sha256 = (octets: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Base64url without padding (RFC 4648 §5). By hand: not every JavaScript engine of a phone has `btoa`. */
export function encodeBase64Url(octets: Uint8Array): string {
  let text = ''
  for (let at = 0; at < octets.length; at += 3) {
    const [a = 0, b = 0, c = 0] = octets.subarray(at, at + 3)
    const bits = (a << 16) | (b << 8) | c
    const length = Math.min(4, Math.ceil(((octets.length - at) * 8) / 6))
    for (let digit = 0; digit < length; digit++) text += ALPHABET.charAt((bits >> (18 - 6 * digit)) & 63)
  }
  return text
}

/** 256 random bits in 43 characters: good as a code verifier (RFC 7636 §4.1) and as a state. */
export const createSecret = (randomBytes: RandomBytes): string => encodeBase64Url(randomBytes(32))

/** S256 of a verifier (RFC 7636 §4.2), whose characters are ASCII. */
export async function buildChallenge(verifier: string, sha256: Sha256): Promise<string> {
  return encodeBase64Url(await sha256(Uint8Array.from(verifier, (character) => character.charCodeAt(0))))
}
