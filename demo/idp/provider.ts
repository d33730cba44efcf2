import { randomBytes } from 'node:crypto'
import Provider, { type Configuration, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'
import { ENDPOINTS, SIGN_IN_PATH } from './endpoints.ts'
import { askToLogOut, sendSignedOut } from './logout.ts'
import type { MemoryStore } from './memory-adapter.ts'
import { sendError } from './page.ts'
import { SCOPES } from './request-object-rules.ts'
import type { SigningKeys } from './signing-keys.ts'

/** Lifetimes in seconds. */
export interface Lifetimes {
  readonly code: number
  readonly accessToken: number
  readonly refreshToken: number
  readonly idToken: number
  /** The single sign-on session in the browser. */
  readonly session: number
}

/** A code lives ten minutes at Oten, an access token an hour in its examples; the others are not documented. */
export const DEFAULT_LIFETIMES: Lifetimes = {
  code: 600,
  accessToken: 3600,
  refreshToken: 30 * 86_400,
  idToken: 3600,
  session: 86_400,
}

interface ProviderDeps {
  readonly issuer: string
  readonly store: MemoryStore
  readonly keys: SigningKeys
  readonly lifetimes: Lifetimes
  readonly rotateRefreshToken: boolean
}

/** The provider, set up as Oten is known or assumed to behave. */
export function createProvider(deps: ProviderDeps): Provider {
  const { issuer, store, keys, lifetimes } = deps
  const algs = ['HS256', 'EdDSA', 'Ed25519'] as const
  const configuration: Configuration = {
    adapter: store.adapter,
    // A key must be there to choose from; what leaves the simulator is signed anew (`takeOverSigning`).
    jwks: { keys: [privateKeyFor(keys)] },
    routes: {
      authorization: ENDPOINTS.authorize,
      token: ENDPOINTS.token,
      userinfo: ENDPOINTS.userinfo,
      jwks: ENDPOINTS.jwks,
      revocation: ENDPOINTS.revocation,
      end_session: ENDPOINTS.endSession,
    },
    enabledJWA: {
      idTokenSigningAlgValues: [keys.alg],
      clientAuthSigningAlgValues: ['EdDSA', 'Ed25519'],
    },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    clientDefaults: { id_token_signed_response_alg: keys.alg },
    responseTypes: ['code'],
    scopes: [...SCOPES],
    claims: {
      acr: null,
      auth_time: null,
      iss: null,
      sid: null,
      openid: ['sub'],
      profile: ['name', 'picture', 'locale'],
      email: ['email', 'email_verified'],
    },
    conformIdTokenClaims: false, // Oten's samples read the profile from the ID token.
    pkce: { required: () => true },
    rotateRefreshToken: deps.rotateRefreshToken,
    cookies: {
      keys: [randomBytes(32).toString('base64url')],
      // Cookies ignore ports: these must not meet those of a service on the same host.
      names: { session: 'oten_sim_session', interaction: 'oten_sim_sign_in', resume: 'oten_sim_resume' },
    },
    ttl: toTtl(lifetimes),
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => claimsOf(issuer, sub) }),
    loadExistingGrant,
    interactions: { policy: signInPolicy(), url: (_ctx, interaction) => `${SIGN_IN_PATH}/${interaction.uid}` },
    extraParams: { as_requested: restoreRequest },
    discovery: {
      request_parameter_supported: true,
      require_signed_request_object: true,
      request_object_signing_alg_values_supported: [...algs],
    },
    fetch: fetchAnywhere,
    renderError: (ctx, out) => sendError(ctx, ctx.status, out.error, out.error_description ?? out.error),
    features: {
      devInteractions: { enabled: false },
      // Not documented by Oten; a pushed request would be a way around the rules for request objects.
      pushedAuthorizationRequests: { enabled: false },
      dPoP: { enabled: false },
      resourceIndicators: { enabled: false },
      backchannelLogout: { enabled: true },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: { enabled: true, logoutSource: askToLogOut, postLogoutSuccessSource: sendSignedOut },
    },
  }
  return new Provider(issuer, configuration)
}

function privateKeyFor(keys: SigningKeys): NonNullable<Configuration['jwks']>['keys'][number] {
  return keys.currentJwk() as NonNullable<Configuration['jwks']>['keys'][number] // An Ed25519 key of our own.
}

function toTtl(lifetimes: Lifetimes): NonNullable<Configuration['ttl']> {
  return {
    AuthorizationCode: lifetimes.code,
    AccessToken: lifetimes.accessToken,
    RefreshToken: lifetimes.refreshToken,
    IdToken: lifetimes.idToken,
    Session: lifetimes.session,
    Interaction: 600,
    Grant: Math.max(lifetimes.refreshToken, lifetimes.session, lifetimes.accessToken),
  }
}

function claimsOf(issuer: string, sub: string): { sub: string; [claim: string]: string | boolean } {
  const address = sub.toLowerCase().replace(/[^a-z0-9._-]+/g, '.')
  return {
    sub,
    name: sub.charAt(0).toUpperCase() + sub.slice(1),
    picture: `${issuer}/avatar.svg`,
    locale: 'en-US',
    email: sub.includes('@') ? sub : `${address}@example.com`,
    email_verified: true,
  }
}

/** No consent page, and a grant for each sign-in: what goes wrong with the tokens of one leaves the others alone. */
async function loadExistingGrant(ctx: KoaContextWithOIDC): Promise<InstanceType<Provider['Grant']>> {
  const { client, session, provider } = ctx.oidc
  const grant = new provider.Grant({ clientId: client?.clientId, accountId: session?.accountId })
  grant.addOIDCScope(SCOPES.join(' '))
  await grant.save()
  return grant
}

/** Only signing in interrupts a request by itself; the other prompts show the same form when they are asked for. */
function signInPolicy(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base()
  policy.remove('consent')
  for (const name of ['consent', 'select_account'])
    policy.add(new interactionPolicy.Prompt({ name, requestable: true }))
  return policy
}

/**
 * The provider drops `offline_access` unless the request prompts for consent, and `max_age=0` in favour of
 * `prompt=login`, which loses `auth_time`. Oten documents neither, so both come back as requested.
 */
function restoreRequest(ctx: KoaContextWithOIDC): void {
  const { scope, maxAge } = ctx.state
  const { params } = ctx.oidc
  if (params === undefined) return
  if (scope !== undefined) params.scope = scope
  if (maxAge !== undefined) params.max_age = maxAge
}

/** The provider refuses to call private addresses; the services it has to call here are all on loopback. */
const fetchAnywhere: NonNullable<Configuration['fetch']> = (input, init) => {
  const { dispatcher: _guarded, ...options } = (init ?? {}) as RequestInit & { dispatcher?: unknown }
  return fetch(input, options)
}
