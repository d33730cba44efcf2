import * as oauth from 'oauth4webapi'
import type { Config, SecretSource, Secrets } from '../config.ts'

export type TokenAuthMethod = Exclude<Config['idp']['tokenAuth'], 'auto'>

/** How far an assertion's stamps lie back: strict verifiers refuse one that is a second ahead of their clock. */
const ASSERTION_BACKDATE_S = 5
const ASSERTION_TTL_S = 60

export interface TokenAuthChoice {
  readonly tokenAuth: Config['idp']['tokenAuth']
  readonly hasSecret: boolean
  readonly hasAssertionKeys: boolean
}

/**
 * The one method to authenticate with: the configured one, or for `auto` the first that the IdP announces and a
 * credential is there for: basic, post, private_key_jwt. Unpublished means basic (OIDC Discovery §3).
 */
export function chooseTokenAuthMethod(
  published: readonly unknown[] = ['client_secret_basic'],
  { tokenAuth, hasSecret, hasAssertionKeys }: TokenAuthChoice,
): TokenAuthMethod | undefined {
  if (tokenAuth !== 'auto') return tokenAuth
  if (hasSecret && published.includes('client_secret_basic')) return 'client_secret_basic'
  if (hasSecret && published.includes('client_secret_post')) return 'client_secret_post'
  if (hasAssertionKeys && published.includes('private_key_jwt')) return 'private_key_jwt'
  return undefined
}

/**
 * Client authentication for oauth4webapi, by exactly one method (RFC 6749 §2.3). The credential is read at each use, so
 * that a rotated one counts at once.
 *
 * @throws {Error} at use, when the method has no credential; configuration refuses that at start
 */
export function createClientAuth(method: TokenAuthMethod, secrets: Pick<SecretSource, 'current'>): oauth.ClientAuth {
  switch (method) {
    case 'client_secret_basic':
      return (_as, { client_id }, _body, headers) => {
        headers.set('authorization', buildBasicCredentials(client_id, requireSecret(secrets.current())))
      }
    case 'client_secret_post':
      return (...request) => oauth.ClientSecretPost(requireSecret(secrets.current()))(...request)
    case 'private_key_jwt':
      return async (...request) => (await createAssertion(secrets.current()))(...request)
  }
}

function requireSecret({ clientSecret }: Secrets): string {
  if (clientSecret === undefined) throw new Error('this client authentication needs OTEN_CLIENT_SECRET')
  return clientSecret
}

/**
 * RFC 6749 §2.3.1: both parts form-encoded, then base64. Not oauth4webapi's: it also encodes `-`, `.`, `_` and `*`,
 * which the form encoding leaves alone, and a server that forgets to decode would not know a client id that is a UUID.
 */
function buildBasicCredentials(clientId: string, secret: string): string {
  return `Basic ${btoa(`${formEncode(clientId)}:${formEncode(secret)}`)}`
}

const formEncode = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)

/** RFC 7523 §3: `iss` and `sub` are the client, `aud` is the issuer alone, as one string; `jti` is fresh per call. */
async function createAssertion({ assertionKeys: [signer] }: Secrets): Promise<oauth.ClientAuth> {
  if (signer === undefined) throw new Error('private_key_jwt needs CLIENT_ASSERTION_KEYS')
  const pkcs8 = new Uint8Array(signer.privateKey.export({ format: 'der', type: 'pkcs8' }))
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign'])
  return oauth.PrivateKeyJwt(
    { key, kid: signer.kid },
    {
      [oauth.modifyAssertion]: (header, payload) => {
        header.alg = signer.publicJwk.alg // The library says `Ed25519`; the IdP knows the key by its registered name.
        const issuedAt = Math.floor(Number(payload.iat)) - ASSERTION_BACKDATE_S
        Object.assign(payload, { iat: issuedAt, nbf: issuedAt, exp: issuedAt + ASSERTION_TTL_S })
      },
    },
  )
}
