import type Provider from 'oidc-provider'
import type { ClientRegistry } from './clients.ts'

const VISIBLE_ASCII = /^[ -~]*$/

/**
 * The provider takes secrets of visible ASCII only (RFC 6749 appendix A.2), while Oten's are opaque UTF-8.
 *
 * @returns the secret itself where the provider takes it, otherwise one that it takes in its place
 */
export function standInFor(secret: string): string {
  return VISIBLE_ASCII.test(secret) ? secret : encodeURIComponent(secret)
}

/** Lets a client authenticate with its secret as registered, whatever characters that has. */
export function acceptOpaqueSecrets(provider: Provider, clients: ClientRegistry): void {
  provider.Client.prototype.compareClientSecret = function compareClientSecret(actual) {
    const secret = clients.find(this.clientId)?.spec.clientSecret
    return secret !== undefined && (actual === secret || (!VISIBLE_ASCII.test(secret) && actual === standInFor(secret)))
  }
  provider.use((ctx, next) => {
    const { authorization } = ctx.req.headers
    if (authorization !== undefined) ctx.req.headers.authorization = replaceSecret(authorization)
    return next()
  })
}

/** @returns the header as it was, unless it is HTTP Basic with a secret that the provider would not read */
function replaceSecret(authorization: string): string {
  const [, encoded] = /^basic ([A-Za-z0-9+/]+=*)$/i.exec(authorization) ?? []
  if (encoded === undefined) return authorization
  const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(':', 2)
  try {
    const plain = decodeURIComponent(secret.replaceAll('+', '%20'))
    if (VISIBLE_ASCII.test(plain)) return authorization
    return `Basic ${Buffer.from(`${id}:${encodeURIComponent(standInFor(plain))}`).toString('base64')}`
  } catch {
    return authorization // Not form-encoded: for the provider to refuse.
  }
}
