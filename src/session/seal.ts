import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import type { SealKey } from '../config.ts'
import { drawRandom } from '../random.ts'

const VERSION = '2'
const IV_OCTETS = 12
const TAG_OCTETS = 16

/** What a sealed value is for. Bound into its key, so that one kind of record can never be opened as another. */
export type SealPurpose = 'session' | 'session-use' | 'session-meta' | 'transaction' | 'handoff' | 'sign-out'

/**
 * Encryption at rest. The key comes from a sealing key *and* the credential that the client holds (HKDF, RFC 5869), so
 * that neither a stolen store nor a leaked `SESSION_KEYS` opens a record alone: it takes both, and the one client.
 */
export interface Seal {
  /**
   * @param beside what stands beside it in the store and may not be exchanged: needed again, unaltered, to open
   * @returns `version.keyId.`, then iv, ciphertext and tag: an octet for each character, as the store takes values
   */
  seal(purpose: SealPurpose, credential: string, plaintext: string | Uint8Array, beside?: string): string
  /** @returns undefined when it was not sealed by one of the keys for this purpose and this credential, or was altered */
  open(purpose: SealPurpose, credential: string, sealed: string, beside?: string): Buffer | undefined
  /** False when the key of this value is not, not yet, or not any more among the keys. */
  hasKeyOf(sealed: string): boolean
  /** The keys of this moment; another object once they have changed. For those who keep what was opened. */
  keys(): readonly SealKey[]
}

/** @param keys read at every use, so that a rotation takes effect at once; the first seals, all open */
export function createSeal(keys: () => readonly SealKey[]): Seal {
  const deriveKey = createDerivation()
  const findKey = (sealed: string): SealKey | undefined => {
    const [version, keyId] = sealed.split('.', 2)
    return version === VERSION ? keys().find(({ id }) => id === keyId) : undefined
  }

  return {
    keys,
    hasKeyOf: (sealed) => findKey(sealed) !== undefined,

    seal(purpose, credential, plaintext, beside) {
      const [key] = keys()
      if (key === undefined) throw new Error('there is no sealing key')
      const iv = drawRandom(IV_OCTETS)
      const cipher = createCipheriv('aes-256-gcm', deriveKey(key, purpose, credential), iv)
      if (beside !== undefined) cipher.setAAD(Buffer.from(beside, 'latin1'))
      const body = Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
      return headerOf(key) + body.toString('latin1')
    },

    open(purpose, credential, sealed, beside) {
      const key = findKey(sealed)
      if (key === undefined) return undefined
      const octets = Buffer.from(sealed.slice(headerOf(key).length), 'latin1')
      if (octets.length < IV_OCTETS + TAG_OCTETS) return undefined
      const decipher = createDecipheriv(
        'aes-256-gcm',
        deriveKey(key, purpose, credential),
        octets.subarray(0, IV_OCTETS),
        // Stated, or a shortened tag would be accepted and could be guessed.
        { authTagLength: TAG_OCTETS },
      )
      if (beside !== undefined) decipher.setAAD(Buffer.from(beside, 'latin1'))
      decipher.setAuthTag(octets.subarray(-TAG_OCTETS))
      try {
        return Buffer.concat([decipher.update(octets.subarray(IV_OCTETS, -TAG_OCTETS)), decipher.final()])
      } catch {
        return undefined // The tag does not fit: altered, or another client's record.
      }
    },
  }
}

const headerOf = ({ id }: SealKey): string => `${VERSION}.${id}.`

/** By key objects: with a key in a Buffer, Node takes twice as long to derive, and five times to begin a cipher. */
function createDerivation(): (key: SealKey, purpose: SealPurpose, credential: string) => KeyObject {
  const known = new WeakMap<SealKey, KeyObject>() // No longer than the key is among those of the configuration.
  return (key, purpose, credential) => {
    const secret = known.get(key) ?? createSecretKey(key.key)
    known.set(key, secret)
    return createSecretKey(Buffer.from(hkdfSync('sha256', secret, credential, `oten-bff ${VERSION} ${purpose}`, 32)))
  }
}
