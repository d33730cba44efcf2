import { compactVerify, decodeProtectedHeader, importJWK, type ProtectedHeaderParameters } from 'jose'
import type { ClientKeys, ClientSpec } from './clients.ts'
import type { JsonObject } from './signing-keys.ts'

/** Oten: `exp` is at most this far after `iat`. */
const LIFETIME_MAX_S = 300
const CLOCK_TOLERANCE_S = 5
const TYPES: readonly unknown[] = ['oauth-authz-req+jwt', 'JWT', undefined]
export const SCOPES = ['openid', 'profile', 'email', 'offline_access'] as const

const REQUIRED = ['redirect_uri', 'response_type', 'scope', 'state', 'code_challenge', 'code_challenge_method'] as const
const OPTIONAL = [
  'nonce',
  'prompt',
  'ui_locales',
  'login_hint',
  'acr_values',
  'response_mode',
  'id_token_hint',
] as const

/** Why a request object was refused, in words for the log; the code and the words also go to the client. */
export class Refusal extends Error {
  readonly error: string
  readonly status: number
  /** Set once the signature has been verified and the address is registered: only then may the browser be sent back. */
  readonly returnTo: { readonly redirectUri: string; readonly state: string | undefined } | undefined

  constructor(error: string, reason: string, status = 400, returnTo?: Refusal['returnTo']) {
    super(reason)
    this.name = 'Refusal'
    this.error = error
    this.status = status
    this.returnTo = returnTo
  }
}

/** Marks a `jti` as used, in one step: of two requests that carry the same one, the second is told so. */
export interface ReplayGuard {
  /** @returns false when this `jti` of this client was used before and its request object has not expired since */
  take(clientId: string, jti: string, expiresAt: number, now: number): boolean
}

export function createReplayGuard(): ReplayGuard {
  const used = new Map<string, number>()
  let takes = 0
  return {
    take(clientId, jti, expiresAt, now) {
      takes += 1
      if (takes % 1000 === 0) for (const [key, until] of used) if (until < now) used.delete(key)
      const key = JSON.stringify([clientId, jti])
      const until = used.get(key)
      if (until !== undefined && until >= now) return false
      used.set(key, expiresAt + CLOCK_TOLERANCE_S)
      return true
    },
  }
}

export interface RequestObjectContext {
  readonly requestObject: string
  readonly spec: ClientSpec
  readonly keys: ClientKeys
  readonly issuer: string
  /** Epoch seconds. */
  readonly now: number
  readonly replayGuard: ReplayGuard
}

/**
 * Oten's rules for signed request objects. The signature comes first, so that nobody can use up a `jti`, or have a
 * browser redirected, with a request object that the client did not sign; the `jti` is used up last.
 *
 * @returns the authorization request, as plain parameters
 * @throws {Refusal} with Oten's error code
 */
export async function verifyRequestObject(context: RequestObjectContext): Promise<Record<string, string>> {
  const { header, claims } = parse(context.requestObject)
  checkHeader(header, context.spec)
  await checkSignature(context, header)
  try {
    checkClaims(claims, context)
    const parameters = readParameters(claims)
    const { clientId, redirectUris } = context.spec
    if (!redirectUris.includes(parameters.redirect_uri ?? '')) {
      throw new Refusal('invalid_request', 'redirect_uri is not registered')
    }
    // Both were checked above: `jti` is a string and `exp` a number.
    if (!context.replayGuard.take(clientId, claims.jti as string, claims.exp as number, context.now)) {
      throw new Refusal('invalid_request_object', 'jti was used before')
    }
    return parameters
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new Refusal(cause.error, cause.message, cause.status, returnAddress(claims, context.spec))
  }
}

function returnAddress(claims: JsonObject, spec: ClientSpec): Refusal['returnTo'] {
  const { redirect_uri: redirectUri, state } = claims
  if (typeof redirectUri !== 'string' || !spec.redirectUris.includes(redirectUri)) return undefined
  return { redirectUri, state: typeof state === 'string' ? state : undefined }
}

function malformed(reason: string): Refusal {
  return new Refusal('invalid_request_object', reason)
}

function parse(requestObject: string): { header: ProtectedHeaderParameters; claims: JsonObject } {
  const parts = requestObject.split('.')
  if (parts.length !== 3) throw malformed('not a compact JWS of three parts')
  let claims: unknown
  let header: ProtectedHeaderParameters
  try {
    header = decodeProtectedHeader(requestObject)
    claims = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'))
  } catch {
    throw malformed('header or payload is not JSON')
  }
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims))
    throw malformed('payload is not an object')
  return { header, claims: claims as JsonObject } // Just checked.
}

function checkHeader(header: ProtectedHeaderParameters, spec: ClientSpec): void {
  if (header.alg !== spec.requestObjectAlg) {
    throw malformed(`alg is ${JSON.stringify(header.alg)}, registered is ${spec.requestObjectAlg}`)
  }
  if (!TYPES.includes(header.typ)) throw malformed(`typ ${JSON.stringify(header.typ)} is not accepted`)
}

async function checkSignature(context: RequestObjectContext, header: ProtectedHeaderParameters): Promise<void> {
  const { requestObject, spec, keys } = context
  const options = { algorithms: [spec.requestObjectAlg] }
  if (spec.requestObjectAlg === 'HS256') {
    const secret = new TextEncoder().encode(spec.clientSecret) // The octets of the text, never base64-decoded.
    await compactVerify(requestObject, secret, options).catch(() => {
      throw malformed('signature does not match the client secret')
    })
    return
  }
  if (header.kid !== undefined && typeof header.kid !== 'string') throw malformed('kid is not a string')
  for (const refresh of [false, true]) {
    const candidates = await keys.find(header.kid, refresh).catch((cause: Error) => {
      throw malformed(`the keys of the client cannot be read: ${cause.message}`)
    })
    for (const jwk of candidates) {
      const key = await importJWK(jwk, spec.requestObjectAlg)
      const verified = await compactVerify(requestObject, key, options).catch(() => undefined)
      if (verified !== undefined) return
    }
  }
  throw malformed(`no registered key verifies the signature (kid ${JSON.stringify(header.kid)})`)
}

function checkClaims(claims: JsonObject, { spec, issuer, now }: RequestObjectContext): void {
  const { iss, aud, iat, exp, nbf, jti } = claims
  if (iss !== spec.clientId) throw new Refusal('invalid_request', 'iss is not the client_id')
  if (aud !== issuer)
    throw new Refusal('invalid_request', `aud is not the issuer as one string: ${JSON.stringify(aud)}`)
  if (claims.client_id !== spec.clientId) throw malformed('client_id is missing or differs from the one in the query')
  if ('sub' in claims) throw malformed('sub is not allowed: it would let the request object pass for an assertion')
  if ('request' in claims || 'request_uri' in claims) throw malformed('request and request_uri are not allowed inside')
  if (typeof iat !== 'number') throw malformed('iat is missing or not a number')
  if (typeof exp !== 'number') throw malformed('exp is missing or not a number')
  if (typeof jti !== 'string' || jti === '') throw malformed('jti is missing or not a string')
  if (exp <= now) throw new Refusal('invalid_request', `expired ${now - exp} s ago`)
  if (iat > now + CLOCK_TOLERANCE_S) throw malformed(`iat lies ${iat - now} s in the future`)
  if (exp <= iat) throw malformed('exp is not after iat')
  if (exp - iat > LIFETIME_MAX_S) throw malformed(`exp - iat is ${exp - iat} s, more than ${LIFETIME_MAX_S}`)
  if (nbf === undefined) return
  if (typeof nbf !== 'number') throw malformed('nbf is not a number')
  if (nbf > now + CLOCK_TOLERANCE_S) throw malformed(`nbf lies ${nbf - now} s in the future`)
}

function readParameters(claims: JsonObject): Record<string, string> {
  const parameters: Record<string, string> = { client_id: String(claims.client_id) }
  for (const name of REQUIRED) {
    const value = claims[name]
    if (value === undefined) throw new Refusal('invalid_request', `${name} is missing`)
    if (typeof value !== 'string') throw malformed(`${name} is not a string`)
    parameters[name] = value
  }
  for (const name of OPTIONAL) {
    const value = claims[name]
    if (value === undefined) continue
    if (typeof value !== 'string') throw malformed(`${name} is not a string`)
    parameters[name] = value
  }
  const { max_age: maxAge } = claims
  if (maxAge !== undefined) {
    if (typeof maxAge !== 'number' || !Number.isSafeInteger(maxAge) || maxAge < 0) {
      throw malformed('max_age is not a JSON number of whole seconds')
    }
    parameters.max_age = String(maxAge)
  }
  checkValues(parameters)
  return parameters
}

function checkValues(parameters: Record<string, string>): void {
  if (parameters.response_type !== 'code') {
    throw new Refusal('unsupported_response_type', 'response_type is not code')
  }
  if (parameters.code_challenge_method !== 'S256') {
    throw new Refusal('invalid_request', 'code_challenge_method is not S256')
  }
  if (!/^[\w-]{43}$/.test(parameters.code_challenge ?? '')) {
    throw new Refusal('invalid_request', 'code_challenge is not a SHA-256 in base64url')
  }
  const scopes = (parameters.scope ?? '').split(' ')
  const known: readonly string[] = SCOPES
  if (scopes.some((scope) => !known.includes(scope))) {
    throw new Refusal('invalid_scope', `scope has a value that is not one of ${SCOPES.join(' ')}`)
  }
}
