import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'
import { type DiscoveryOptions, fetchMetadata, type IdpMetadata, MetadataUnusable } from '../idp/discovery.ts'
import type { FetchIdp } from '../idp/http.ts'
import { about, type Check } from './check.ts'
import { describeFailure, WAY_TO_IDP } from './failure.ts'
import { silentLog } from './silent-log.ts'

/** The discovery document as published, whatever it says. */
export type Document = Readonly<Record<string, unknown>>

export interface Discovered {
  readonly checks: readonly Check[]
  /** Undefined when no JSON object came back, or one of another issuer: nothing it says counts. */
  readonly document: Document | undefined
  /**
   * Where the requests of later checks go. There in spite of faults as long as the issuer is the right one (a slash
   * aside) and its endpoints are usable, so that one run shows as much as possible.
   */
  readonly metadata: IdpMetadata | undefined
  /** Why the service itself would not use what is published; undefined when it would. */
  readonly refusal: string | undefined
}

const issuerIs = about('issuer')
const endpointsAre = about('endpoints')

/** Members as they have to be, in place of those that have a check of their own. */
const REPAIRS = {
  response_types_supported: ['code'],
  code_challenge_methods_supported: ['S256'],
  id_token_signing_alg_values_supported: ['EdDSA'],
  request_parameter_supported: true,
  request_object_signing_alg_values_supported: undefined,
  token_endpoint_auth_methods_supported: undefined,
}

/** Fetches the discovery document, once, with the service's own client and checks (OIDC Discovery §4). */
export async function discover(config: Pick<Config, 'idp' | 'requestObject' | 'secrets'>, fetch: FetchIdp) {
  let answer: Response | undefined
  const capture: FetchIdp = async (url, init) => {
    const response = await fetch(url, init)
    answer = response.clone()
    return response
  }
  const options = buildOptions(config, capture)
  const outcome = await attempt(options)
  const document = toDocument(await answer?.json().catch(() => undefined))
  return judge(config.idp.issuer, options, outcome, document)
}

type Outcome = IdpMetadata | { readonly error: unknown }

async function attempt(options: DiscoveryOptions): Promise<Outcome> {
  try {
    return await fetchMetadata(options)
  } catch (error) {
    return { error }
  }
}

async function judge(
  issuer: string,
  options: DiscoveryOptions,
  outcome: Outcome,
  document: Document | undefined,
): Promise<Discovered> {
  if (!('error' in outcome)) {
    const checks = [issuerIs.ok(`${issuer} answers, and states this issuer`), endpointsAre.ok(listHosts(outcome))]
    return { checks, document, metadata: outcome, refusal: undefined }
  }
  const { error } = outcome
  const refusal = error instanceof MetadataUnusable ? error.message : 'discovery failed'
  if (document === undefined || typeof document.issuer !== 'string') {
    return { checks: [explainFailure(issuer, error)], document: undefined, metadata: undefined, refusal }
  }
  if (!isSameButForSlash(document.issuer, issuer)) {
    return {
      checks: [explainIssuer(error, document.issuer, issuer)],
      document: undefined,
      metadata: undefined,
      refusal,
    }
  }
  const isExact = document.issuer === issuer
  const first = isExact
    ? issuerIs.ok(`${issuer} answers, and states this issuer`)
    : explainIssuer(error, document.issuer, issuer)
  const repaired = await attempt({
    ...options,
    issuer: document.issuer,
    fetch: async () => Response.json({ ...document, ...REPAIRS }),
  })
  if (!('error' in repaired)) {
    return { checks: [first, endpointsAre.ok(listHosts(repaired))], document, metadata: repaired, refusal }
  }
  const reason = repaired.error instanceof Error ? repaired.error.message : 'unusable'
  const remedy = 'ask Oten support; the service needs an authorization, a token and a JWKS endpoint on https'
  return { checks: [first, endpointsAre.fail(reason, remedy)], document, metadata: undefined, refusal }
}

function buildOptions({ idp, requestObject, secrets }: Parameters<typeof discover>[0], fetch: FetchIdp) {
  const { clientSecret, assertionKeys } = secrets.current()
  return {
    issuer: idp.issuer,
    allowInsecureIssuer: idp.allowInsecureIssuer,
    requestObjectAlg: requestObject.alg,
    tokenAuth: idp.tokenAuth,
    hasSecret: clientSecret !== undefined,
    hasAssertionKeys: assertionKeys.length > 0,
    fetch,
    log: silentLog,
  } satisfies DiscoveryOptions
}

const toDocument = (value: unknown): Document | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined

const isSameButForSlash = (one: string, other: string): boolean => one.replace(/\/$/, '') === other.replace(/\/$/, '')

function listHosts({ authorizationEndpoint, tokenEndpoint, jwksUri }: IdpMetadata): string {
  const hosts = [authorizationEndpoint, tokenEndpoint, jwksUri].map((url) => new URL(url).host)
  return `authorization, token and JWKS endpoint are there (${[...new Set(hosts)].join(', ')})`
}

function explainIssuer(error: unknown, found: string, expected: string): Check {
  const detail = error instanceof Error ? error.message : 'the issuer is another one'
  if (isSameButForSlash(found, expected)) return issuerIs.fail(detail, `set OTEN_ISSUER=${found}`)
  return issuerIs.fail(detail, 'set OTEN_ISSUER to exactly what Oten states, if it is Oten that answers there')
}

function explainFailure(issuer: string, error: unknown): Check {
  if (error instanceof BffError && error.cause !== undefined) {
    const { kind, words } = describeFailure(error)
    return issuerIs.fail(`${issuer} cannot be reached: ${words}`, WAY_TO_IDP[kind])
  }
  if (error instanceof BffError) return issuerIs.fail(error.message, 'Oten has a failure of its own; try again later')
  const detail = error instanceof MetadataUnusable ? error.message : 'discovery answered something that is no metadata'
  const remedy =
    'set OTEN_ISSUER to the base address of Oten: https://account.oten.com, in the sandbox https://account.sbx.oten.dev'
  return issuerIs.fail(detail, remedy)
}
