import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { Report } from './findings.ts'

/** The public half of a signing key, as it is published (RFC 7517, RFC 8037 §2). */
export interface PublicSigningJwk {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  readonly kid: string
  readonly alg: 'EdDSA' | 'Ed25519'
  readonly use: 'sig'
}

/** An Ed25519 key that signs. `publicJwk` is safe to show; `privateKey` stays an object that prints nothing. */
export interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicJwk: PublicSigningJwk
}

export interface SigningKeyOptions {
  /** The name of the one signature by which the public JWK calls it. */
  readonly alg: PublicSigningJwk['alg']
  /** The `kid` of the first key, where that key carries none, or its mere thumbprint. */
  readonly keyId?: string | undefined
}

/** A private key as read, not yet named. */
interface Candidate {
  readonly privateKey: KeyObject
  readonly x: string
  /** A `kid` that somebody chose; a thumbprint is not one, since every key has it by itself. */
  readonly assignedKid: string | undefined
}

type Json = Readonly<Record<string, unknown>>

const NEEDED = 'an Ed25519 private key is needed (npm run keys -- generate)'

/** What else can be under a PEM label; a closed list, so that no text from the input reaches a message. */
const PEM_LABELS: Readonly<Record<string, string>> = {
  'PUBLIC KEY': 'a public key',
  'RSA PUBLIC KEY': 'an RSA public key',
  'RSA PRIVATE KEY': 'an RSA key',
  'EC PRIVATE KEY': 'an EC key',
  'EC PARAMETERS': 'a set of EC parameters',
  'DSA PRIVATE KEY': 'a DSA key',
  'ENCRYPTED PRIVATE KEY': 'an encrypted private key; decrypt it first',
  'OPENSSH PRIVATE KEY': 'an OpenSSH key, not PKCS#8',
  CERTIFICATE: 'a certificate',
}

/** What a key of another type is called; types as node:crypto, `kty` and `crv` name them. */
const KEY_TYPES: Readonly<Record<string, string>> = {
  rsa: 'an RSA key',
  'rsa-pss': 'an RSA key',
  ec: 'an EC key',
  dsa: 'a DSA key',
  oct: 'a symmetric key',
  ed448: 'an Ed448 key',
  x25519: 'an X25519 key',
  x448: 'an X448 key',
}

const describeKey = (type: unknown): string =>
  (typeof type === 'string' ? KEY_TYPES[type.toLowerCase()] : undefined) ?? 'a key of another type'

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

const getX = (privateKey: KeyObject): string => createPublicKey(privateKey).export({ format: 'jwk' }).x ?? ''

/** RFC 7638 with the members of RFC 8037 §2: the name a key has by itself. */
export function computeThumbprint(x: string): string {
  return createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url')
}

function parsePemBlock(label: string, pem: string, report: Report): Candidate | undefined {
  if (label !== 'PRIVATE KEY') {
    report(`is ${PEM_LABELS[label] ?? 'something else'}; ${NEEDED}`)
    return undefined
  }
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey({ key: pem, format: 'pem' })
  } catch {
    report(`is not readable as PKCS#8; ${NEEDED}`) // The parser's own message stays here: it knows the content.
    return undefined
  }
  if (privateKey.asymmetricKeyType === 'ed25519') return { privateKey, x: getX(privateKey), assignedKid: undefined }
  report(`is ${describeKey(privateKey.asymmetricKeyType)}; ${NEEDED}`)
  return undefined
}

function parsePem(text: string, report: Report): readonly (Candidate | undefined)[] {
  const pem = text.replaceAll('\\r', '').replaceAll('\\n', '\n') // As env files and dashboards write line breaks.
  const blocks = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g)]
  const begun = pem.match(/-----BEGIN /g)?.length ?? 0
  if (blocks.length !== begun) report('has an incomplete PEM block')
  return blocks.map(([block, label = ''], index) => {
    return parsePemBlock(label, block, (sentence) => report(`key ${index + 1} ${sentence}`))
  })
}

/** What speaks against a JWK, most telling first. */
function findJwkProblem(jwk: Json): string | undefined {
  const { kty, crv, use, key_ops: operations, alg, kid } = jwk
  if (kty !== 'OKP') return `is ${describeKey(kty)}; ${NEEDED}`
  if (crv !== 'Ed25519') return `is ${describeKey(crv)}; ${NEEDED}`
  if (jwk.d === undefined) return `is a public key; ${NEEDED}`
  if (use !== undefined && use !== 'sig') return 'is not for signatures (use); make a key for this purpose'
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('sign'))) {
    return 'is not for signing (key_ops); make a key for this purpose'
  }
  if (alg !== undefined && alg !== 'EdDSA' && alg !== 'Ed25519') return 'has an alg that is neither EdDSA nor Ed25519'
  if (kid !== undefined && (typeof kid !== 'string' || kid === ''))
    return 'has a kid that is not a name; correct or remove it'
  return undefined
}

function parseJwk(jwk: unknown, report: Report): Candidate | undefined {
  if (!isJson(jwk)) {
    report(`is not a JWK; ${NEEDED}`)
    return undefined
  }
  const problem = findJwkProblem(jwk)
  if (problem !== undefined) {
    report(problem)
    return undefined
  }
  const { d, x, kid } = jwk
  if (typeof d !== 'string' || typeof x !== 'string' || Buffer.from(d, 'base64url').toString('base64url') !== d) {
    report('has a d or an x that is missing or not base64url')
    return undefined
  }
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d, x }, format: 'jwk' })
  } catch {
    report('is not a valid Ed25519 key')
    return undefined
  }
  // Signatures would be made by `d` and checked with the published `x`: nobody could verify them.
  if (getX(privateKey) !== x) {
    report('has an x that does not belong to its d')
    return undefined
  }
  return { privateKey, x, assignedKid: typeof kid === 'string' && kid !== computeThumbprint(x) ? kid : undefined }
}

function parseJson(text: string, report: Report): readonly (Candidate | undefined)[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    report('is neither PEM nor JSON; give a PKCS#8 PEM, a private JWK or a JWK Set') // JSON.parse quotes its input.
    return []
  }
  if (!isJson(json) || !('keys' in json)) return [parseJwk(json, report)]
  if (!Array.isArray(json.keys) || json.keys.length === 0) {
    report('is a JWK Set without keys')
    return []
  }
  return json.keys.map((jwk, index) => parseJwk(jwk, (sentence) => report(`key ${index + 1} ${sentence}`)))
}

function nameKey(candidate: Candidate, keyId: string | undefined, alg: PublicSigningJwk['alg']): SigningKey {
  const { privateKey, x } = candidate
  const kid = candidate.assignedKid ?? keyId ?? computeThumbprint(x)
  const publicJwk = Object.freeze({ kty: 'OKP', crv: 'Ed25519', x, kid, alg, use: 'sig' } as const)
  return Object.freeze({ kid, privateKey, publicJwk })
}

/**
 * Reads Ed25519 private keys from a PKCS#8 PEM (one or several blocks), a private JWK, or a JWK Set (RFC 8037 §2).
 * Every other key is refused with what it is; no report holds key material.
 *
 * @returns the keys in their order; with any report the result must not be used
 */
export function parseSigningKeys(text: string, options: SigningKeyOptions, report: Report): readonly SigningKey[] {
  const { alg, keyId } = options
  const candidates = text.includes('-----BEGIN') ? parsePem(text, report) : parseJson(text, report)
  const [first] = candidates
  if (keyId !== undefined && first?.assignedKid !== undefined && first.assignedKid !== keyId) {
    report('has a kid in its first key that JAR_KEY_ID contradicts; remove one of the two')
  }
  const keys = candidates.flatMap((candidate, index) =>
    candidate === undefined ? [] : [nameKey(candidate, index === 0 ? keyId : undefined, alg)],
  )
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) report('has two keys of the same kid')
  else if (new Set(keys.map(({ publicJwk }) => publicJwk.x)).size < keys.length) report('has the same key twice')
  return Object.freeze(keys)
}

/** True when a key is in both lists, or a `kid` is: then one name would stand for two purposes (RFC 9101 §10.8). */
export function haveCommonKey(some: readonly SigningKey[], others: readonly SigningKey[]): boolean {
  return some.some(({ kid, publicJwk }) =>
    others.some((other) => other.kid === kid || other.publicJwk.x === publicJwk.x),
  )
}
