import type Provider from 'oidc-provider'
import type { Faults } from './faults.ts'
import type { JsonObject, SigningKeys } from './signing-keys.ts'

type IdTokenPrototype = Provider['IdToken']['prototype']
type Alter = NonNullable<Faults['alterIdToken']>

function decode(part: string | undefined): JsonObject {
  return JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8')) as JsonObject // Our own provider's token.
}

/**
 * Lets the provider compose ID tokens and logout tokens but signs them with keys that can change while it runs, and
 * as the switched-on faults say. An `id_token_hint` is verified with every key that ever signed.
 */
export function takeOverSigning(provider: Provider, keys: SigningKeys, faults: Faults): void {
  const { IdToken, Client } = provider
  const prototype: IdTokenPrototype = IdToken.prototype
  const compose = prototype.issue

  prototype.issue = async function issue(context) {
    const [header, claims] = (await compose.call(this, context)).split('.')
    if (context.use === 'logout') return signAltered(keys, faults.alterLogoutToken, decode(header), decode(claims))
    const secret = this.client.clientSecret
    const jwt = signAltered(keys, faults.alterIdToken, decode(header), decode(claims), secret)
    return faults.replaceIdToken?.(jwt) ?? jwt
  }

  IdToken.validate = async (jwt, client) => {
    const { header, payload } = await keys.verify(jwt)
    if (payload.iss !== provider.issuer || payload.aud !== client.clientId || typeof payload.sub !== 'string') {
      throw new Error('not an ID token that was issued here to this client')
    }
    return { header, payload }
  }

  // Every ID token names its session, also for a client that registered no back-channel logout.
  Client.prototype.includeSid = () => true
}

function signAltered(
  keys: SigningKeys,
  alter: Alter | undefined,
  composedHeader: JsonObject,
  composedClaims: JsonObject,
  secret?: string,
): string {
  const header = { ...composedHeader, kid: keys.currentKid() }
  const altered = alter?.(composedClaims, header) ?? {}
  return keys.sign(altered.claims ?? composedClaims, altered.header ?? header, altered.sign ?? 'good', secret)
}
