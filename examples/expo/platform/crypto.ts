import { CryptoDigestAlgorithm, digest, getRandomBytes } from 'expo-crypto'
import type { RandomBytes, Sha256 } from '../protocol/secrets.ts'

/** The system's generator: SecRandomCopyBytes, SecureRandom. */
export const randomBytes: RandomBytes = (count) => getRandomBytes(count)

export const sha256: Sha256 = async (octets) => new Uint8Array(await digest(CryptoDigestAlgorithm.SHA256, octets))
