import * as oauth from 'oauth4webapi'
import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'
import { chooseTokenAuthMethod, type TokenAuthMethod } from './client-auth.ts'
import { type FetchIdp, RedirectRefused } from './http.ts'
import type { IdpLog } from './log.ts'

/** Both names of the one signature that is accepted (RFC 8037, RFC 9864; D5). */
const ED25519_NAMES = ['EdDSA', 'Ed25519']

/** Answers that say "not now" rather than "not here". */
const PASSING_STATUSES = [408, 425, 429]

/** The IdP's validated metadata: every endpoint was checked, so using one needs no further check. */
export interface IdpMetadata {
  /** As discovered, for oauth4webapi; optional endpoints that failed the check are absent. */
  readonly as: oauth.AuthorizationServer
  readonly issuer: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly jwksUri: string
  readonly endSessionEndpoint: string | undefined
  readonly revocationEndpoint: string | undefined
  /** True when the IdP announces `iss` in its authorization responses (RFC 9207 §3). */
  readonly requiresIss: boolean
  readonly backchannelLogoutSupported: boolean
  /** The one method this client authenticates with (TX-02). */
  readonly tokenAuthMethod: TokenAuthMethod
}

export interface DiscoveryOptions {
  /** As configured; the document must state exactly this. */
  readonly issuer: string
  readonly allowInsecureIssuer: boolean
  readonly requestObjectAlg: Config['requestObject']['alg']
  readonly tokenAuth: Config['idp']['tokenAuth']
  readonly hasSecret: boolean
  readonly hasAssertionKeys: boolean
  readonly fetch: FetchIdp
  readonly log: IdpLog
}

/** What came back cannot be worked with. `message` names the field, for the operator. */
export class MetadataUnusable extends Error {
  /** False when the answer was no metadata at all, which also an outage looks like. */
  readonly isMetadata: boolean

  constructor(message: string, isMetadata = true) {
    super(message)
    this.name = 'MetadataUnusable'
    this.isMetadata = isMetadata
  }
}

type Document = Readonly<Record<string, unknown>>

/**
 * Fetches and checks the discovery document (OIDC Discovery §4).
 *
 * @throws {BffError} idp_unavailable when the IdP is out of reach
 * @throws {MetadataUnusable} when it answers, but not with what this client can use (KY-01, KY-02, RO-20)
 */
export async function fetchMetadata(options: DiscoveryOptions): Promise<IdpMetadata> {
  const issuer = new URL(options.issuer)
  const response = await request(issuer, options)
  const document = await readDocument(response.clone())
  requireIssuer(document, options.issuer)
  const as = await oauth.processDiscoveryResponse(issuer, response)
  requireAbilities(document, options)
  return buildMetadata(as, document, options)
}

async function request(issuer: URL, { allowInsecureIssuer, fetch }: DiscoveryOptions): Promise<Response> {
  try {
    return await oauth.discoveryRequest(issuer, {
      [oauth.customFetch]: fetch,
      [oauth.allowInsecureRequests]: allowInsecureIssuer,
    })
  } catch (error) {
    if (error instanceof BffError && error.cause instanceof RedirectRefused) {
      throw new MetadataUnusable(`discovery ${error.cause.message}`, false)
    }
    throw error
  }
}

async function readDocument(response: Response): Promise<Document> {
  const { status } = response
  if (status >= 500 || PASSING_STATUSES.includes(status)) {
    throw new BffError('idp_unavailable', `discovery answered ${status}`)
  }
  if (status !== 200) throw new MetadataUnusable(`discovery answered ${status}: check OTEN_ISSUER`, false)
  const document: unknown = await response.json().catch(() => undefined)
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new MetadataUnusable('discovery answered something other than a JSON object', false)
  }
  return document as Document
}

/** Character by character: an issuer that is almost the right one is another one (OIDC Discovery §4.3, KY-01). */
function requireIssuer({ issuer }: Document, expected: string): void {
  if (issuer === expected) return
  if (typeof issuer !== 'string') throw new MetadataUnusable('issuer is missing from the metadata')
  const found = issuer.slice(0, 200) // The IdP's text, into a log line.
  const hint = withoutSlash(issuer) === withoutSlash(expected) ? ': they differ only by a trailing slash' : ''
  throw new MetadataUnusable(`issuer is "${found}" in the metadata and "${expected}" in OTEN_ISSUER${hint}`)
}

const withoutSlash = (url: string): string => url.replace(/\/$/, '')

function requireAbilities(document: Document, { requestObjectAlg }: DiscoveryOptions): void {
  if (!readList(document, 'response_types_supported')?.includes('code')) {
    throw new MetadataUnusable('response_types_supported lacks code')
  }
  requireAnyOf(document, 'code_challenge_methods_supported', ['S256'])
  requireAnyOf(document, 'id_token_signing_alg_values_supported', ED25519_NAMES)
  if (document.request_parameter_supported === false) throw new MetadataUnusable('request_parameter_supported is false')
  const names = ED25519_NAMES.includes(requestObjectAlg) ? ED25519_NAMES : [requestObjectAlg]
  requireAnyOf(document, 'request_object_signing_alg_values_supported', names)
}

/** An absent list says nothing; a published one is exhaustive. */
function requireAnyOf(document: Document, name: string, values: readonly string[]): void {
  const list = readList(document, name)
  if (list === undefined || values.some((value) => list.includes(value))) return
  throw new MetadataUnusable(`${name} lacks ${values.join(' and ')}`)
}

function readList(document: Document, name: string): readonly unknown[] | undefined {
  const list = document[name]
  if (list !== undefined && !Array.isArray(list)) throw new MetadataUnusable(`${name} is not a list`)
  return list
}

function buildMetadata(as: oauth.AuthorizationServer, document: Document, options: DiscoveryOptions): IdpMetadata {
  const endSessionEndpoint = findEndpoint(document, 'end_session_endpoint', options)
  const revocationEndpoint = findEndpoint(document, 'revocation_endpoint', options)
  const { end_session_endpoint: _logout, revocation_endpoint: _revocation, ...rest } = as
  return Object.freeze({
    as: Object.freeze({
      ...rest,
      ...(endSessionEndpoint !== undefined && { end_session_endpoint: endSessionEndpoint }),
      ...(revocationEndpoint !== undefined && { revocation_endpoint: revocationEndpoint }),
    }),
    issuer: options.issuer,
    authorizationEndpoint: requireEndpoint(document, 'authorization_endpoint', options),
    tokenEndpoint: requireEndpoint(document, 'token_endpoint', options),
    jwksUri: requireEndpoint(document, 'jwks_uri', options),
    endSessionEndpoint,
    revocationEndpoint,
    // Any value that is not plainly "no": where it is unclear, `iss` is asked for.
    requiresIss: Boolean(document.authorization_response_iss_parameter_supported),
    backchannelLogoutSupported: document.backchannel_logout_supported === true,
    tokenAuthMethod: requireTokenAuthMethod(document, options),
  })
}

function requireEndpoint(document: Document, name: string, options: DiscoveryOptions): string {
  const endpoint = document[name]
  if (endpoint === undefined) throw new MetadataUnusable(`${name} is missing from the metadata`)
  if (!isEndpoint(endpoint, options)) throw new MetadataUnusable(`${name} is not an https URL`)
  return endpoint
}

function findEndpoint(document: Document, name: string, options: DiscoveryOptions): string | undefined {
  const endpoint = document[name]
  if (endpoint === undefined || isEndpoint(endpoint, options)) return endpoint
  options.log.warn({ field: name }, 'the identity provider’s metadata has an endpoint that is not https; not used')
  return undefined
}

/** RFC 6749 §3.1, §3.2: an endpoint has no fragment; one with a user name in it looks like another host. */
function isEndpoint(endpoint: unknown, { allowInsecureIssuer }: DiscoveryOptions): endpoint is string {
  const url = typeof endpoint === 'string' ? URL.parse(endpoint) : null
  if (url === null || url.hash !== '' || url.username !== '' || url.password !== '') return false
  return url.protocol === 'https:' || (allowInsecureIssuer && url.protocol === 'http:')
}

function requireTokenAuthMethod(document: Document, options: DiscoveryOptions): TokenAuthMethod {
  const field = 'token_endpoint_auth_methods_supported'
  const published = readList(document, field)
  const method = chooseTokenAuthMethod(published, options)
  if (method === undefined) throw new MetadataUnusable(`${field} has no method that is configured here`)
  if (published !== undefined && !published.includes(method)) {
    options.log.warn({ field, method }, 'OTEN_TOKEN_AUTH names a method that the identity provider does not announce')
  }
  return method
}
