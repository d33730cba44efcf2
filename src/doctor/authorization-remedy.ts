import type { Config } from '../config.ts'
import { buildRedirectUri } from '../login/sign-in.ts'
import type { OAuthError } from './authorization-answer.ts'

type Remedied = Pick<Config, 'publicUrl' | 'requestObject' | 'secrets'>

const AUDIENCE = 'leave JAR_AUDIENCE unset, or try the other audience that Oten documents, https://account.oten.com'

/** Codes that leave one thing to do, whatever the configuration is. */
const REMEDIES: Partial<Record<OAuthError, string>> = {
  invalid_client:
    'check OTEN_CLIENT_ID (sandbox and production have clients of their own), and whether the IP whitelist of the ' +
    'client at Oten has the address that this machine calls from',
  unauthorized_client: 'make the client at Oten a Regular Web Application (confidential), and let it use the code flow',
  request_not_supported: 'ask Oten support to turn signed requests (JAR) on for this client',
  unsupported_response_type: 'let the client at Oten use the code flow (response type code)',
  invalid_scope:
    'allow each scope of OTEN_SCOPE to the client at Oten, or take it out of OTEN_SCOPE (offline_access first)',
  server_error: 'Oten has a failure of its own; try again later',
  temporarily_unavailable: 'Oten has a failure of its own; try again later',
}

/**
 * What to do about a refused authorization request.
 *
 * @param error the OAuth code, if there was one
 * @param said the IdP's own words, which are more precise than its codes
 */
export function findRemedy(error: OAuthError | undefined, said: string, config: Remedied): string {
  const single = error === undefined ? undefined : REMEDIES[error]
  return findHint(error, said, config) ?? single ?? weighCauses(error, config)
}

function findHint(error: OAuthError | undefined, said: string, { publicUrl }: Remedied): string | undefined {
  if (/redirect[\s_-]?ur[il]/i.test(said)) return registerRedirectUri(publicUrl)
  if (error === undefined) return undefined // Of a page without a code, any other word may be there by accident.
  if (/\baud(?:ience)?\b/i.test(said)) return AUDIENCE
  if (/\b(?:iat|nbf|exp|expired|future)\b/i.test(said)) return 'synchronise the clock of this machine (NTP)'
  if (/\btyp\b/i.test(said)) return 'set JAR_TYP to the other value that there is: oauth-authz-req+jwt or JWT'
  return undefined
}

const registerRedirectUri = (publicUrl: string): string =>
  `register the redirect URI ${buildRedirectUri(publicUrl)} with Oten, character by character`

/** Several causes look alike; the likeliest comes first. */
function weighCauses(error: OAuthError | undefined, config: Remedied): string {
  const { publicUrl, requestObject } = config
  if (error === 'invalid_request_object') return checkSignature(config)
  const redirectUri = registerRedirectUri(publicUrl)
  if (error === 'invalid_request')
    return `check OTEN_CLIENT_ID and the clock of this machine; ${AUDIENCE}; ${redirectUri}`
  return `most likely: ${redirectUri}; then check OTEN_CLIENT_ID and JAR_ALG (now ${requestObject.alg})`
}

function checkSignature({ requestObject: { alg, typ }, secrets }: Remedied): string {
  const typHint = typ === 'JWT' ? '' : '; if the key is right, try JAR_TYP=JWT'
  if (alg === 'HS256') {
    return (
      'check OTEN_CLIENT_SECRET, and that this client may sign with HS256 at Oten; if not, set JAR_ALG=EdDSA and ' +
      `register a key${typHint}`
    )
  }
  const kid = secrets.current().jarKeys[0]?.kid ?? 'none'
  return (
    'register the public half of the signing key with Oten for this client, and set JAR_KEY_ID to the Key ID that ' +
    `Oten shows (now ${kid}); check that the client is registered for ${alg}${typHint}; where the keys are read from ` +
    'PUBLIC_URL/auth/jwks.json, start the service first'
  )
}
