import type { JsonObject, SignMode } from './signing-keys.ts'

/** What can happen to any answer. */
export const TRANSPORT_KINDS = [
  'hang', //      no answer until the caller gives up
  'reset', //     the connection is reset (RST)
  'status', //    an error with `status` (503) and `retryAfter`
  'html', //      200 with an HTML page
  'truncated', // half of the JSON
  'huge', //      JSON of more than 2 MiB
  'redirect', //  302 to `location`
  'delay', //     the right answer, `delayMs` later
] as const
/** What can happen to a JSON document: members set (`set`) or taken away (`members`). */
export const DOCUMENT_KINDS = [...TRANSPORT_KINDS, 'alter', 'missing'] as const
export const TOKEN_KINDS = [...DOCUMENT_KINDS, 'invalid_grant', 'invalid_client', 'wrong-token-type'] as const
export const DISCOVERY_KINDS = [
  ...DOCUMENT_KINDS,
  'wrong-issuer',
  'no-s256',
  'no-endpoints',
  'no-end-session',
  'no-revocation',
  'no-request-parameter',
  'other-request-object-algs',
] as const
export const CALLBACK_KINDS = ['no-iss', 'wrong-iss', 'no-state', 'wrong-state', 'extra-parameters', 'error'] as const

export type TransportKind = (typeof TRANSPORT_KINDS)[number]
export type DocumentKind = (typeof DOCUMENT_KINDS)[number]
export type TokenKind = (typeof TOKEN_KINDS)[number]
export type DiscoveryKind = (typeof DISCOVERY_KINDS)[number]
export type CallbackKind = (typeof CALLBACK_KINDS)[number]

/** One thing that goes wrong, until it is taken away or `times` requests have met it. */
export interface Fault<Kind extends string = string> {
  readonly kind: Kind
  /** How many requests meet it; all, when absent. Counts down. */
  times?: number
  /** Of the token endpoint: only requests with this grant. */
  readonly grantType?: 'authorization_code' | 'refresh_token'
  /**
   * Whether the request is carried out first, so that only its answer is lost. Default: true where the answer is
   * altered (`html`, `truncated`, `huge`, `missing`, `alter`, `wrong-token-type`), false for all others.
   */
  readonly after?: boolean
  /** Of `status`: default 503. */
  readonly status?: number
  /** Of `status`: the `Retry-After` header. */
  readonly retryAfter?: string | number
  /** Of `redirect`. */
  readonly location?: string
  /** Of `delay`: default 1000. */
  readonly delayMs?: number
  /** Of `missing`: names of the members that are left out. */
  readonly members?: readonly string[]
  /** Of `alter`, `extra-parameters` and `error`: members or parameters with their values. */
  readonly set?: JsonObject
}

/** What to do to an ID token instead of sending it as it is; what is absent stays. */
export interface AlteredToken {
  readonly claims?: JsonObject
  readonly header?: JsonObject
  readonly sign?: SignMode
}

/**
 * All that can be made to go wrong. Set a member to switch a fault on, to `undefined` to switch it off:
 * `simulator.faults.token = { kind: 'status', status: 503, retryAfter: 2, times: 1, grantType: 'refresh_token' }`.
 */
export interface Faults {
  discovery?: Fault<DiscoveryKind> | undefined
  jwks?: Fault<DocumentKind> | undefined
  authorize?: Fault<TransportKind> | undefined
  token?: Fault<TokenKind> | undefined
  userinfo?: Fault<DocumentKind> | undefined
  revocation?: Fault<TransportKind> | undefined
  endSession?: Fault<TransportKind> | undefined
  /** What happens to the authorization response on its way to the redirect URI. */
  callback?: Fault<CallbackKind> | undefined
  alterDiscovery?: ((document: JsonObject) => JsonObject) | undefined
  alterJwks?: ((jwks: JsonObject) => JsonObject) | undefined
  alterTokenResponse?: ((body: JsonObject) => JsonObject) | undefined
  /** Called with the claims and header of each ID token before it is signed. */
  alterIdToken?: ((claims: JsonObject, header: JsonObject) => AlteredToken) | undefined
  /** Called with each signed ID token; its result is sent instead. */
  replaceIdToken?: ((jwt: string) => string) | undefined
  /** The same for logout tokens. */
  alterLogoutToken?: ((claims: JsonObject, header: JsonObject) => AlteredToken) | undefined
  alterCallback?: ((url: URL) => URL) | undefined
  /** Switches everything off. */
  clear(): void
}

/** The members that hold a `Fault`, with the kinds each accepts. */
export const FAULT_KINDS = {
  discovery: DISCOVERY_KINDS,
  jwks: DOCUMENT_KINDS,
  authorize: TRANSPORT_KINDS,
  token: TOKEN_KINDS,
  userinfo: DOCUMENT_KINDS,
  revocation: TRANSPORT_KINDS,
  endSession: TRANSPORT_KINDS,
  callback: CALLBACK_KINDS,
} as const satisfies Partial<Record<keyof Faults, readonly string[]>>

export type FaultPoint = keyof typeof FAULT_KINDS

/** All is well at first. */
export function createFaults(): Faults {
  const faults: Faults = {
    clear() {
      for (const name of Object.keys(faults)) if (name !== 'clear') delete faults[name as FaultPoint]
    },
  }
  return faults
}

/** @returns the fault that this request meets, if any, and counts it */
export function takeFault(faults: Faults, point: FaultPoint, grantType?: string): Fault | undefined {
  const fault = faults[point]
  if (fault === undefined) return undefined
  if (fault.grantType !== undefined && fault.grantType !== grantType) return undefined
  if (fault.times === undefined) return fault
  if (fault.times <= 0) return undefined
  fault.times -= 1
  return fault
}

/**
 * Switches faults on from JSON: each member is a kind, a `Fault`, or null to switch it off; `"clear": true` first
 * switches everything off.
 *
 * @throws {Error} naming what is unknown; nothing is switched then
 */
export function setFaults(faults: Faults, wanted: JsonObject): void {
  const changes: [FaultPoint, Fault | undefined][] = []
  for (const [point, value] of Object.entries(wanted)) {
    if (point === 'clear') continue
    if (!Object.hasOwn(FAULT_KINDS, point)) throw new Error(`unknown fault: ${point}`)
    const name = point as FaultPoint // Just checked.
    const fault = typeof value === 'string' ? { kind: value } : value
    if (fault === null) {
      changes.push([name, undefined])
      continue
    }
    const kind = typeof fault === 'object' && 'kind' in fault ? fault.kind : undefined
    const kinds: readonly unknown[] = FAULT_KINDS[name]
    if (!kinds.includes(kind)) throw new Error(`${point} must be one of: ${kinds.join(', ')}`)
    changes.push([name, fault as Fault])
  }
  if (wanted.clear === true) faults.clear()
  for (const [point, fault] of changes) Object.assign(faults, { [point]: fault })
}
