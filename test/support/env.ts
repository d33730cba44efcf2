import { generateKeyPairSync, randomBytes } from 'node:crypto'

/** A fresh Ed25519 key as a private JWK, and its public half. */
export function createKey(): { privateJwk: string; publicJwk: Record<string, unknown> } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    privateJwk: JSON.stringify(privateKey.export({ format: 'jwk' })),
    publicJwk: publicKey.export({ format: 'jwk' }),
  }
}

export const createSessionKey = (): string => randomBytes(32).toString('base64url')

export const CLIENT_SECRET = 'a-client-secret-of-more-than-thirty-two-octets:%+/='

/** What a deployment would set, apart from where things are. */
export const baseEnv = (): Record<string, string> => ({
  OTEN_CLIENT_ID: 'bff',
  OTEN_CLIENT_SECRET: CLIENT_SECRET,
  OTEN_SCOPE: 'openid profile email offline_access',
  SESSION_KEYS: createSessionKey(),
  SESSION_STORE: 'memory:',
  HOST: '127.0.0.1',
  ADMIN_PORT: '0',
  LOG_LEVEL: 'trace',
})
