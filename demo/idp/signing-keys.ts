import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign as signBytes } from 'node:crypto'
import { compactVerify, type JWK } from 'jose'

/** Claims or header of a JWT, as they come. */
export type JsonObject = Record<string, unknown>

/** How an altered token is signed: `good` is the published key, all others must be refused by whoever receives it. */
export type SignMode = 'good' | 'other-key' | 'flip' | 'none' | 'HS256'

export interface SigningKeys {
  readonly alg: 'EdDSA' | 'Ed25519'
  /** What the JWKS endpoint publishes. */
  publicJwks(): { keys: JWK[] }
  currentKid(): string
  /** The key that signs now, with its private part. */
  currentJwk(): JWK
  /** A compact JWS; `header` is added to `alg` and `kid` and may replace both. */
  sign(claims: JsonObject, header?: JsonObject, mode?: SignMode, secret?: string): string
  /** @throws {Error} when no key of this simulator, however old, has signed it */
  verify(jwt: string): Promise<{ header: JsonObject; payload: JsonObject }>
  /** A new key signs from now on; the old one stays published if `keepOld`. @returns the new `kid` */
  rotate(keepOld: boolean): string
}

interface Key {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const encode = (value: JsonObject): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function createKey(): Key {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { kid: `sim-${randomUUID().slice(0, 8)}`, privateKey, publicKey }
}

function signatureFor(mode: SignMode, input: string, key: Key, secret: string | undefined): string {
  const data = Buffer.from(input)
  if (mode === 'none') return ''
  if (mode === 'HS256') {
    // Without a secret, the classic confusion: the published key used as an HMAC secret.
    const hmacKey = secret ?? key.publicKey.export({ type: 'spki', format: 'pem' })
    return createHmac('sha256', hmacKey).update(data).digest('base64url')
  }
  const signature = signBytes(null, data, mode === 'other-key' ? createKey().privateKey : key.privateKey)
  if (mode === 'flip') signature.writeUInt8(signature.readUInt8(0) ^ 1, 0)
  return signature.toString('base64url')
}

/**
 * The provider fixes its keys at start. Rotation, and tokens that are wrong on purpose, need keys that can change, so
 * the simulator signs ID tokens and logout tokens itself (see `take-over-signing.ts`).
 */
export function createSigningKeys(alg: 'EdDSA' | 'Ed25519'): SigningKeys {
  let current = createKey()
  let published: readonly Key[] = [current]
  const all = new Map([[current.kid, current]])

  return {
    alg,
    publicJwks: () => ({
      keys: published.map(({ kid, publicKey }) => ({ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg })),
    }),
    currentKid: () => current.kid,
    currentJwk: () => ({ ...current.privateKey.export({ format: 'jwk' }), kid: current.kid, use: 'sig' }),
    sign(claims, header = {}, mode = 'good', secret) {
      const named = mode === 'none' || mode === 'HS256' ? { alg: mode } : {}
      const input = `${encode({ alg, kid: current.kid, ...header, ...named })}.${encode(claims)}`
      return `${input}.${signatureFor(mode, input, current, secret)}`
    },
    async verify(jwt) {
      const { payload, protectedHeader } = await compactVerify(
        jwt,
        ({ kid }) => {
          const key = all.get(kid ?? '')
          if (key === undefined) throw new Error('no key of this simulator has this kid')
          return key.publicKey
        },
        { algorithms: ['EdDSA', 'Ed25519'] },
      )
      return { header: { ...protectedHeader }, payload: JSON.parse(new TextDecoder().decode(payload)) as JsonObject }
    },
    rotate(keepOld) {
      current = createKey()
      all.set(current.kid, current)
      published = keepOld ? [current, ...published] : [current]
      return current.kid
    },
  }
}
