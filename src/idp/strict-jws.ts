import { type CryptoKey, compactVerify } from 'jose'
import type { Jwks } from './jwks.ts'

/** Both names of Ed25519 (D5) and nothing else: an HMAC could be made with the public key's octets (RFC 8725 §3.1). */
const ALGORITHMS = ['EdDSA', 'Ed25519']

/** An ID token has some hundred octets; a reader of unlimited ones does unlimited work. */
const OCTETS_MAX = 16 * 1024

export type JsonObject = Readonly<Record<string, unknown>>

export interface Jws {
  readonly header: JsonObject & { readonly alg: string; readonly kid?: string }
  readonly claims: JsonObject
}

/** A token from the IdP that is not believed. `reason` is a fixed word, for the log. */
export class TokenRefused extends Error {
  readonly reason: string

  constructor(reason: string, options?: ErrorOptions) {
    super(`token refused: ${reason}`, options)
    this.name = 'TokenRefused'
    this.reason = reason
  }
}

/**
 * The claims of a compact JWS that one of the IdP's keys signed. Shared by ID tokens and logout tokens. Of the header
 * only `alg`, `kid` and `crit` count: a key that the token itself brings or names (`jwk`, `jku`, `x5c`, `x5u`) proves
 * nothing (RFC 7515 §4.1, RFC 8725 §3.10).
 *
 * @throws {TokenRefused} when it is malformed, of another algorithm, or not signed by the IdP
 * @throws {BffError} idp_unavailable when the IdP's keys cannot be had
 */
export async function verifyJws(token: string, { findKey }: Jwks): Promise<Jws> {
  const jws = parseJws(token)
  const key = await findKey({ kid: jws.header.kid })
  if (key === undefined) throw new TokenRefused('key_unknown')
  await verifySignature(token, key)
  return jws
}

/** What a compact JWS says, believed by nobody yet. @throws {TokenRefused} when it is malformed (RFC 7515 §5.2) */
export function parseJws(token: string): Jws {
  if (token.length > OCTETS_MAX) throw new TokenRefused('too_long')
  const segments = token.split('.')
  if (segments.length === 5) throw new TokenRefused('encrypted')
  const [header, claims, signature] = segments.map(decodeSegment)
  if (segments.length !== 3 || !header || !claims || !signature) throw new TokenRefused('segments')
  return { header: requireHeader(parseObject(header)), claims: parseObject(claims) }
}

async function verifySignature(token: string, key: CryptoKey): Promise<void> {
  try {
    await compactVerify(token, key, { algorithms: ALGORITHMS })
  } catch (cause) {
    throw new TokenRefused('signature', { cause })
  }
}

/** Unpadded and canonical: bits that no reader looks at would make two spellings of one token. */
function decodeSegment(segment: string): Buffer {
  const octets = Buffer.from(segment, 'base64url')
  if (octets.length === 0 || octets.toString('base64url') !== segment) throw new TokenRefused('segments')
  return octets
}

function parseObject(octets: Buffer): JsonObject {
  try {
    const json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets)
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && !repeatsName(json)) {
      return value as JsonObject
    }
  } catch {
    // Fall through: the parser's own words may quote the token.
  }
  throw new TokenRefused('json')
}

/**
 * Whether any object in this valid JSON text has a member twice: of two `sub`, one reader takes the first and another
 * the last (RFC 7519 §4). Names are compared unescaped.
 */
function repeatsName(json: string): boolean {
  const open: Set<string>[] = []
  for (const [token, name] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (name !== undefined) {
      const names = open.at(-1)
      const plain: string = JSON.parse(name)
      if (names?.has(plain)) return true
      names?.add(plain)
    }
  }
  return false
}

function requireHeader(header: JsonObject): Jws['header'] {
  const { alg, kid, crit } = header
  if (typeof alg !== 'string' || !ALGORITHMS.includes(alg)) throw new TokenRefused('alg')
  // Whoever lists an extension there wants it understood, and none is.
  if (crit !== undefined) throw new TokenRefused('crit')
  if (kid !== undefined && typeof kid !== 'string') throw new TokenRefused('kid')
  return header as Jws['header'] // `alg` and `kid` are as the type says: checked above.
}
