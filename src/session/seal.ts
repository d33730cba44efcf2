import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import type { SealKey } from '../config.ts'
import { drawRandom } from '../random.ts'

const VERSION = '1'
const IV_OCTETS = 12
const TAG_OCTETS = 16

/** What a sealed value is for. Bound into its key, so that one kind of record can never be opened as another. */
export type SealPurpose = 'session' | 'session-use' | 'session-meta' | 'transaction' | 'handoff' | 'sign-out'

/**
 * Encryption at rest. The key comes from a sealing key *and* the credential that the client holds (HKDF, RFC 5869), so
 * that neither a stolen store nor a leaked `SESSION_KEYS` opens a record alone: it takes both, and the one client.
 */
export interface Seal {
  /** @returns `version.keyId.base64url(iv ciphertext tag)` under the first key */
  seal(purpose: SealPurpose, credential: string, plaintext: string): string
  /** @returns undefined when it was not sealed by one of the keys for this purpose and this credential, or was altered */
  open(purpose: SealPurpose, credential: string, sealed: string): string | undefined
  /** False when the key of this value is not, not yet, or not any more among the keys. */
  hasKeyOf(sealed: string): boolean
  /** The keys of this moment; another object once they have changed. For those who keep what was opened. */
  keys(): readonly SealKey[]
}

/** @param keys read at every use, so that a rotation takes effect at once; the first seals, all open */
export function createSeal(keys: () => readonly SealKey[]): Seal {
  const findKey = (sealed: string): SealKey | undefined => {
    const [version, keyId] = sealed.split('.', 2)
    return version === VERSION ? keys().find(({ id }) => id === keyId) : undefined
  }

  return {
    keys,
    hasKeyOf: (sealed) => findKey(sealed) !== undefined,

    seal(purpose, credential, plaintext) {
      const [key] = keys()
      if (key === undefined) throw new Error('there is no sealing key')
      const iv = drawRandom(IV_OCTETS)
      const cipher = createCipheriv('aes-256-gcm', deriveKey(key, purpose, credential), iv)
      const ciphertext = Buffer.concat([iv, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `${VERSION}.${key.id}.${ciphertext.toString('base64url')}`
    },

    open(purpose, credential, sealed) {
      const key = findKey(sealed)
      const [, , body, ...rest] = sealed.split('.')
      if (key === undefined || body === undefined || rest.length > 0) return undefined
      const octets = Buffer.from(body, 'base64url')
      if (octets.length < IV_OCTETS + TAG_OCTETS) return undefined
      const decipher = createDecipheriv(
        'aes-256-gcm',
        deriveKey(key, purpose, credential),
        octets.subarray(0, IV_OCTETS),
        // Stated, or a shortened tag would be accepted and could be guessed.
        { authTagLength: TAG_OCTETS },
      )
      decipher.setAuthTag(octets.subarray(-TAG_OCTETS))
      try {
        const plaintext = decipher.update(octets.subarray(IV_OCTETS, -TAG_OCTETS), undefined, 'utf8')
        return plaintext + decipher.final('utf8')
      } catch {
        return undefined // The tag does not fit: altered, or another client's record.
      }
    },
  }
}

function deriveKey(key: SealKey, purpose: SealPurpose, credential: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key.key, credential, `oten-bff ${VERSION} ${purpose}`, 32))
}
