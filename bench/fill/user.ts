import { randomBytes } from 'node:crypto'
import type { NewSession } from '../../src/session/record.ts'

/** An access token of Oten is a JWT of about this length; an opaque refresh token, which here names its user first. */
const ACCESS_TOKEN_OCTETS = 700
const REFRESH_TOKEN_OCTETS = 43
const SIGNATURE_OCTETS = 64

/** A signed-in user. No two have a token or a name in common, or what is stored could be smaller than it ever is. */
export function buildUser(issuer: string, index: number, tokenLifeS: number): NewSession {
  const now = Math.floor(Date.now() / 1000)
  const [sub, sid] = [`user-${index}`, `sid-${index}`]
  const claims = { sub, name: `User ${index}`, email: `user${index}@example.com`, email_verified: true, locale: 'en' }
  const idToken = {
    iss: issuer,
    aud: 'bff',
    sid,
    iat: now,
    exp: now + 600,
    auth_time: now,
    nonce: randomText(43),
    ...claims,
  }
  return {
    kind: 'browser-cookie',
    issuer,
    sub,
    sid,
    claims,
    tokens: {
      accessToken: randomText(ACCESS_TOKEN_OCTETS),
      accessTokenExpiresAt: now + tokenLifeS,
      refreshToken: `${sub}.${randomText(REFRESH_TOKEN_OCTETS - sub.length - 1)}`,
      idToken: [
        encode({ alg: 'EdDSA', kid: 'bench' }),
        encode(idToken),
        randomBytes(SIGNATURE_OCTETS).toString('base64url'),
      ].join('.'),
      scope: 'openid profile email offline_access',
      obtainedAt: now,
    },
    userAgent: 'Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  }
}

const randomText = (length: number): string => randomBytes(length).toString('base64url').slice(0, length)
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
