import type { JSONWebKeySet, JWK } from 'jose'
import type { ClientMetadata } from 'oidc-provider'
import { standInFor } from './opaque-secrets.ts'

/** A confidential client as registered with Oten. */
export interface ClientSpec {
  readonly clientId: string
  /** Needed for HS256 request objects and for `client_secret_basic` and `client_secret_post`. */
  readonly clientSecret?: string | undefined
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  readonly backchannelLogoutUri?: string | undefined
  /** The one algorithm accepted for this client's request objects. */
  readonly requestObjectAlg: 'HS256' | 'EdDSA' | 'Ed25519'
  /** Where the client publishes its keys; loopback is allowed here. */
  readonly jwksUri?: string | undefined
  readonly jwks?: JSONWebKeySet | undefined
  readonly tokenAuth: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'
}

/** Seconds after which a client's published keys are read again in any case. */
const JWKS_MAX_AGE_S = 60
/** Seconds for which a failed look-up does not cause another one: forged request objects must not become a flood. */
const JWKS_COOLDOWN_S = 1

/** @throws {Error} when the parts do not fit together */
export function toClientMetadata(spec: ClientSpec, idTokenAlg: 'EdDSA' | 'Ed25519'): ClientMetadata {
  const needsSecret = spec.requestObjectAlg === 'HS256' || spec.tokenAuth !== 'private_key_jwt'
  if (needsSecret && !spec.clientSecret) throw new Error(`client ${spec.clientId} needs a clientSecret`)
  const needsKeys = spec.requestObjectAlg !== 'HS256' || spec.tokenAuth === 'private_key_jwt'
  if (needsKeys && spec.jwksUri === undefined && spec.jwks === undefined) {
    throw new Error(`client ${spec.clientId} needs jwks or jwksUri`)
  }
  return {
    client_id: spec.clientId,
    redirect_uris: [...spec.redirectUris],
    post_logout_redirect_uris: [...spec.postLogoutRedirectUris],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: spec.tokenAuth,
    id_token_signed_response_alg: idTokenAlg,
    backchannel_logout_session_required: true,
    ...(spec.clientSecret ? { client_secret: standInFor(spec.clientSecret) } : {}),
    ...(spec.backchannelLogoutUri ? { backchannel_logout_uri: spec.backchannelLogoutUri } : {}),
    ...(spec.jwks ? { jwks: { keys: spec.jwks.keys.map(publicPart) } } : {}),
    ...(!spec.jwks && spec.jwksUri ? { jwks_uri: spec.jwksUri } : {}),
  } as ClientMetadata // The members above are its members; only `jwks` is typed more narrowly there.
}

/** A registration holds public keys, even when a test hands over its whole pair. */
function publicPart({ d: _private, ...jwk }: JWK): JWK {
  return jwk
}

/** The keys that may have signed a request object of one client. */
export interface ClientKeys {
  /** @param refresh look again, since none of the known keys fitted */
  find(kid: string | undefined, refresh: boolean): Promise<JWK[]>
}

/** Keys of a client, fetched from its `jwksUri` when they were not registered by value. */
export function createClientKeys(spec: ClientSpec): ClientKeys {
  let keys: readonly JWK[] = spec.jwks?.keys ?? []
  let fetchedAtMs = Number.NEGATIVE_INFINITY

  let reading: Promise<void> | undefined

  const read = async (jwksUri: string): Promise<void> => {
    const response = await fetch(jwksUri, { redirect: 'error', signal: AbortSignal.timeout(2500) })
    if (!response.ok) throw new Error(`${jwksUri} answered ${response.status}`)
    const document = (await response.json()) as Partial<JSONWebKeySet> | null // `keys` is checked in the next line.
    if (!Array.isArray(document?.keys)) throw new Error(`${jwksUri} has no keys`)
    keys = document.keys
  }

  return {
    async find(kid, refresh) {
      const ageS = (Date.now() - fetchedAtMs) / 1000
      const due = ageS >= JWKS_MAX_AGE_S || (refresh && ageS >= JWKS_COOLDOWN_S)
      if (spec.jwks === undefined && spec.jwksUri !== undefined && due) {
        fetchedAtMs = Date.now()
        reading = read(spec.jwksUri).finally(() => {
          reading = undefined
        })
      }
      await reading // Whoever comes while the keys are read waits for them, too.
      return keys.filter((key) => key.kty === 'OKP' && key.crv === 'Ed25519' && (kid === undefined || key.kid === kid))
    },
  }
}

/** The clients that a simulator knows, with their keys. */
export interface ClientRegistry {
  add(spec: ClientSpec): void
  find(clientId: string): { readonly spec: ClientSpec; readonly keys: ClientKeys } | undefined
  list(): ClientSpec[]
}

export function createClientRegistry(): ClientRegistry {
  const clients = new Map<string, { spec: ClientSpec; keys: ClientKeys }>()
  return {
    add: (spec) => void clients.set(spec.clientId, { spec, keys: createClientKeys(spec) }),
    find: (clientId) => clients.get(clientId),
    list: () => [...clients.values()].map(({ spec }) => spec),
  }
}
