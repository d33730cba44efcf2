import { randomBytes } from 'node:crypto'
import * as oauth from 'oauth4webapi'
import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'
import type { FetchIdp } from '../idp/http.ts'
import { createJwks } from '../idp/jwks.ts'
import type { IdpMetadata } from '../idp/metadata.ts'
import { redeemCode, SignInRefused } from '../idp/tokens.ts'
import { buildRedirectUri } from '../login/sign-in.ts'
import { about, type Check } from './check.ts'
import { describeFailure, WAY_TO_IDP } from './failure.ts'
import { silentLog } from './silent-log.ts'

const { ok, warn, fail } = about('token endpoint')

export interface TokenEndpointDeps {
  readonly config: Pick<Config, 'publicUrl' | 'idp' | 'secrets'>
  readonly metadata: IdpMetadata
  readonly fetch: FetchIdp
  /** Epoch seconds. */
  readonly now: () => number
}

const random = (): string => randomBytes(32).toString('base64url')

/**
 * Whether Oten knows this client by its secret or key: redeems a code that was never issued. A client that does not
 * authenticate is refused before its code is looked at (RFC 6749 §4.1.3, §5.2).
 */
export async function checkTokenEndpoint({ config, metadata, fetch, now }: TokenEndpointDeps): Promise<Check> {
  const { clientId, allowInsecureIssuer, scope } = config.idp
  const source = { get: async () => metadata }
  const jwks = createJwks({ metadata: source, fetch, now }).own
  const state = random()
  const query = new URLSearchParams({ code: random(), state })
  try {
    await redeemCode(
      { clientId, allowInsecureIssuer, secrets: config.secrets, metadata: source, jwks, fetch, now, log: silentLog },
      {
        parameters: oauth.validateAuthResponse({ issuer: metadata.issuer }, { client_id: clientId }, query, state),
        redirectUri: buildRedirectUri(config.publicUrl),
        codeVerifier: random(),
        nonce: random(),
        scope,
      },
    )
  } catch (error) {
    if (error instanceof SignInRefused) return judgeRefusal(error.reason, metadata.tokenAuthMethod)
    return explainFailure(metadata.tokenEndpoint, error)
  }
  return judgeRefusal('none', metadata.tokenAuthMethod)
}

function judgeRefusal(reason: string, method: string): Check {
  switch (reason) {
    case 'invalid_grant':
      return ok(`authenticated by ${method}: an invented code was refused, and this client was not`)
    case 'invalid_client': {
      const credential =
        method === 'private_key_jwt' ? 'that Oten has the public half of CLIENT_ASSERTION_KEYS' : 'OTEN_CLIENT_SECRET'
      return fail(
        `invalid_client: Oten refuses this client by ${method}`,
        `check ${credential}, OTEN_CLIENT_ID and OTEN_TOKEN_AUTH, and whether the IP whitelist of the client at Oten has ` +
          'the address that this machine calls from',
      )
    }
    case 'unauthorized_client':
      return fail(
        'unauthorized_client: this client may not redeem codes',
        'make the client at Oten a Regular Web Application (confidential), and let it use the code flow',
      )
    case 'invalid_request':
    case 'unsupported_grant_type':
    case 'invalid_scope':
    case 'unknown_error':
      return warn(
        `refused with ${reason} and not with invalid_grant: whether this client authenticated cannot be told`,
        'sign in once with a browser; if that fails too, ask Oten support',
      )
    default:
      return fail(
        'an invented code was accepted: this is no token endpoint to trust',
        'check OTEN_ISSUER, then tell Oten support',
      )
  }
}

function explainFailure(tokenEndpoint: string, error: unknown): Check {
  if (error instanceof BffError && error.cause === undefined) {
    const rate = error.message.includes('429')
    return rate
      ? warn('too many requests (status 429)', 'wait a minute, then run this again')
      : fail(error.message, 'Oten has a failure of its own; try again later')
  }
  const { kind, words } = describeFailure(error)
  return fail(`${tokenEndpoint} cannot be reached: ${words}`, WAY_TO_IDP[kind])
}
