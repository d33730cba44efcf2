import * as oauth from 'oauth4webapi'
import { buildAuth, buildClient, buildRequestOptions, type TokenEndpointDeps } from './token-endpoint.ts'
import type { Strays } from './token-response.ts'

/** Somebody waits for a sign-out; the token's own end comes anyway. */
const TIMEOUT_MS = 3000

export interface RevokeInput {
  readonly token: string
  readonly tokenTypeHint: 'access_token' | 'refresh_token'
  /** Milliseconds before it is given up. */
  readonly timeoutMs?: number
}

/**
 * Asks the IdP to forget a token (RFC 7009). Never throws and never takes longer than three seconds.
 *
 * @returns true when the IdP confirmed, which it also does for a token it does not know (§2.2)
 */
export async function revokeToken(deps: TokenEndpointDeps, input: RevokeInput): Promise<boolean> {
  const signal = AbortSignal.timeout(input.timeoutMs ?? TIMEOUT_MS)
  try {
    // Raced, since the metadata may have to be fetched first, and that does not know of this limit.
    return await Promise.race([request(deps, input, signal), rejectOnAbort(signal)])
  } catch {
    return false
  }
}

/** Tokens that failed a check are not only dropped but made worthless, as far as the IdP lets us (TX-08). */
export async function revokeStrays(deps: TokenEndpointDeps, strays: Strays): Promise<void> {
  const { accessToken, refreshToken } = strays
  const inputs: RevokeInput[] = []
  if (refreshToken !== undefined) inputs.push({ token: refreshToken, tokenTypeHint: 'refresh_token' })
  if (accessToken !== undefined) inputs.push({ token: accessToken, tokenTypeHint: 'access_token' })
  await Promise.all(inputs.map((input) => revokeToken(deps, input)))
}

async function request(deps: TokenEndpointDeps, input: RevokeInput, signal: AbortSignal): Promise<boolean> {
  const metadata = await deps.metadata.get()
  if (metadata.revocationEndpoint === undefined) return false
  const response = await oauth.revocationRequest(
    metadata.as,
    buildClient(deps),
    buildAuth(metadata, deps),
    input.token,
    {
      ...buildRequestOptions(deps),
      additionalParameters: { token_type_hint: input.tokenTypeHint },
      signal,
    },
  )
  return response.status === 200
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
