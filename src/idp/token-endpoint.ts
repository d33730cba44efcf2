import * as oauth from 'oauth4webapi'
import type { SecretSource } from '../config.ts'
import { createClientAuth } from './client-auth.ts'
import type { FetchIdp } from './http.ts'
import type { Jwks } from './jwks.ts'
import type { IdpLog } from './log.ts'
import type { IdpMetadata, Metadata } from './metadata.ts'
import type { TokenError } from './token-response.ts'

/** A little more than our own skew, so that of the two checks ours decides, to the second. */
const CLOCK_TOLERANCE_S = 31

/** What it takes to talk to the token and revocation endpoints. */
export interface TokenEndpointDeps {
  readonly clientId: string
  readonly allowInsecureIssuer: boolean
  readonly secrets: Pick<SecretSource, 'current'>
  readonly metadata: Pick<Metadata, 'get'>
  readonly jwks: Jwks
  readonly fetch: FetchIdp
  /** Epoch seconds. */
  readonly now: () => number
  readonly log: IdpLog
}

/** This client as oauth4webapi knows it: with our clock, not the machine's. */
export function buildClient({ clientId, now }: TokenEndpointDeps): oauth.Client {
  return {
    client_id: clientId,
    [oauth.clockSkew]: Math.floor(now()) - Math.floor(Date.now() / 1000),
    [oauth.clockTolerance]: CLOCK_TOLERANCE_S,
  }
}

/** The server as oauth4webapi checks ID tokens against it: either name of the one algorithm will do (D5). */
export function buildServer({ as }: IdpMetadata): oauth.AuthorizationServer {
  return { ...as, id_token_signing_alg_values_supported: ['EdDSA', 'Ed25519'] }
}

/** How this client authenticates, this time. */
export function buildAuth({ tokenAuthMethod }: IdpMetadata, { secrets }: TokenEndpointDeps): oauth.ClientAuth {
  return createClientAuth(tokenAuthMethod, secrets)
}

/** Our way of sending, for each of oauth4webapi's requests. */
export function buildRequestOptions({ fetch, allowInsecureIssuer }: TokenEndpointDeps) {
  return { [oauth.customFetch]: fetch, [oauth.allowInsecureRequests]: allowInsecureIssuer }
}

/** When the IdP refuses this service itself, every user is locked out, and only an operator can change that (TX-11). */
export function alertOperator(error: TokenError, { tokenAuthMethod }: IdpMetadata, { log }: TokenEndpointDeps): void {
  if (error !== 'invalid_client' && error !== 'unauthorized_client') return
  log.error(
    // Not `error`: that name is for errors, whose own words are left out.
    { oauth_error: error, tokenAuthMethod, alert: 'idp_client_refused' },
    'the identity provider refuses this client: check the client secret or the assertion keys, OTEN_TOKEN_AUTH, ' +
      'and whether its IP whitelist has the address that this service calls from',
  )
}
