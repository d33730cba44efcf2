import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { CompactEncrypt } from 'jose'
import { signJws, type TestKey } from '../idp/hostile-idp.ts'

export type Claims = Readonly<Record<string, unknown>>

/** A key of another algorithm, and its public half as a provider would publish it. */
export interface ForeignKey {
  readonly alg: 'RS256' | 'ES256'
  readonly kid: string
  readonly privateKey: KeyObject
  readonly jwk: Record<string, unknown>
}

export function createForeignKey(alg: ForeignKey['alg'], kid: string): ForeignKey {
  const { privateKey, publicKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { alg, kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } }
}

const encode = (value: Claims): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Rightly signed, by an algorithm that nobody asked for. */
export function signForeign(claims: Claims, { alg, kid, privateKey }: ForeignKey): string {
  const input = `${encode({ alg, kid })}.${encode(claims)}`
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const // Means nothing to RSA.
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
}

export function signHmac(claims: Claims, secret: string | Buffer, kid: string): string {
  const input = `${encode({ alg: 'HS256', kid })}.${encode(claims)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

/** `alg` none, with nothing behind the last dot, or with octets that look like a signature. */
export const leaveUnsigned = (claims: Claims, signature = ''): string =>
  `${encode({ alg: 'none' })}.${encode(claims)}.${signature}`

/** Names the right key, and is signed by another one. */
export const signByOther = (claims: Claims, right: TestKey, other: TestKey): string =>
  signJws(claims, { ...other, kid: right.kid })

/** One bit of the signature is another one. */
export function flipSignature(jwt: string): string {
  const at = jwt.lastIndexOf('.') + 1
  const signature = Buffer.from(jwt.slice(at), 'base64url')
  signature.writeUInt8(signature.readUInt8(0) ^ 1, 0)
  return jwt.slice(0, at) + signature.toString('base64url')
}

/** Five segments, around a token that would be right. */
export const encrypt = (jwt: string, secret: Uint8Array): Promise<string> =>
  new CompactEncrypt(new TextEncoder().encode(jwt))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', cty: 'JWT' })
    .encrypt(secret)
