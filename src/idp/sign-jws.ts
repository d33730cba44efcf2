import { createHmac, type KeyObject, sign } from 'node:crypto'

/** The protected header of a JWS (RFC 7515 §4.1). `EdDSA` and `Ed25519` name the same signature (RFC 8037 §3.1, RFC 9864). */
export interface JwsHeader {
  readonly alg: 'HS256' | 'EdDSA' | 'Ed25519'
  readonly typ?: string
  readonly kid?: string
}

/**
 * Signs a text into a compact JWS (RFC 7515 §5.1), in the caller's turn of the event loop. `jose`, which verifies, signs by
 * WebCrypto: each signature is then a job for the thread pool and a conversion of the key, three times the work itself.
 *
 * @param key a secret one for HS256, else an Ed25519 private key
 * @throws {Error} when the key is of another kind than the header says
 */
export function signJws(header: JwsHeader, payload: string, key: KeyObject): string {
  const input = `${encode(JSON.stringify(header))}.${encode(payload)}`
  return `${input}.${(header.alg === 'HS256' ? signHmac(input, key) : signEd25519(input, key)).toString('base64url')}`
}

const encode = (text: string): string => Buffer.from(text, 'utf8').toString('base64url')

/** RFC 7518 §3.2. Node itself takes no other key for an HMAC. */
const signHmac = (input: string, key: KeyObject): Buffer => createHmac('sha256', key).update(input).digest()

/** RFC 8037 §3.1. An RSA or EC key would sign as well, and nobody could verify it under this name. */
function signEd25519(input: string, key: KeyObject): Buffer {
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('EdDSA needs an Ed25519 key')
  return sign(null, Buffer.from(input), key) // `null`: Ed25519 hashes by itself (RFC 8032 §5.1).
}
