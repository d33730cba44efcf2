import type { Config } from '../config.ts'
import { chooseTokenAuthMethod } from '../idp/client-auth.ts'
import { about, type Check } from './check.ts'
import type { Document } from './discovery.ts'

/** Both names of the one signature (RFC 8037, RFC 9864). */
const ED25519_NAMES = ['EdDSA', 'Ed25519']

const ASK_OTEN = 'ask Oten support; sign-ins cannot work with this'

/** Undefined: not published, which says nothing. What is published and no list is told by `Discovered.refusal`. */
function readList(document: Document, name: string): readonly string[] | undefined {
  const list = document[name]
  return Array.isArray(list) ? list.map(String) : undefined
}

/** A list from the IdP, short enough for a line. */
const show = (list: readonly string[]): string => (list.length === 0 ? 'none' : list.join(' ').slice(0, 200))

/** RFC 9101 §10.5, OIDC Discovery §3: what the IdP says about signed authorization requests. */
export function checkRequestObjects(document: Document, alg: Config['requestObject']['alg']): readonly Check[] {
  const { ok, warn, fail } = about('request objects')
  if (document.request_parameter_supported === false) {
    return [
      fail(
        'request_parameter_supported is false',
        'ask Oten support to turn signed requests (JAR) on for this environment',
      ),
    ]
  }
  const algs = readList(document, 'request_object_signing_alg_values_supported')
  if (algs === undefined) {
    return [ok('the document does not say which algorithms are accepted; the authorization request below shows it')]
  }
  const required = document.require_signed_request_object === true ? 'signed ones are required' : 'they are optional'
  if (algs.includes(alg)) return [ok(`${alg} is announced; ${required}`)]
  const otherName = ED25519_NAMES.find((name) => algs.includes(name))
  if (ED25519_NAMES.includes(alg) && otherName !== undefined) {
    const remedy = `set JAR_ALG=${otherName} if the authorization request below is refused; the key stays the same`
    return [warn(`${alg} is announced under its other name only, ${otherName}`, remedy)]
  }
  const remedy = 'set JAR_ALG to one that is announced, EdDSA before HS256'
  return [fail(`${alg} is not among the announced algorithms (${show(algs)})`, remedy)]
}

/** Oten's pages name its production address as the audience for all environments; others the environment's own. */
const DOCUMENTED_AUDIENCE = 'https://account.oten.com'

/** RFC 9101 §4: the audience is the issuer. */
export function checkAudience(audience: string | undefined, issuer: string): Check {
  const { ok, warn } = about('audience')
  if (audience === undefined || audience === issuer) return ok(`request objects are for ${issuer}`)
  if (audience === DOCUMENTED_AUDIENCE)
    return ok(`request objects are for ${audience} (JAR_AUDIENCE), as Oten documents`)
  return warn(
    `JAR_AUDIENCE is neither the issuer nor ${DOCUMENTED_AUDIENCE}`,
    'leave JAR_AUDIENCE unset, unless Oten support gave you another value',
  )
}

/** RFC 7636 §4.3, RFC 8414 §2. */
export function checkCodeFlow(document: Document): Check {
  const { ok, warn, fail } = about('code flow')
  if (!readList(document, 'response_types_supported')?.includes('code')) {
    return fail('response_types_supported lacks code', ASK_OTEN)
  }
  const methods = readList(document, 'code_challenge_methods_supported')
  if (methods === undefined) {
    return warn(
      'PKCE is not announced',
      'nothing to do: the service sends S256 anyway; ask Oten support whether it is checked',
    )
  }
  if (!methods.includes('S256')) {
    return fail(`code_challenge_methods_supported lacks S256 (${show(methods)})`, ASK_OTEN)
  }
  return ok('response type code, PKCE with S256')
}

/** OIDC Discovery §3: how this client authenticates at the token endpoint. */
export function checkClientAuthentication(
  document: Document,
  { idp, secrets }: Pick<Config, 'idp' | 'secrets'>,
): Check {
  const { ok, warn, fail } = about('client authentication')
  const { clientSecret, assertionKeys } = secrets.current()
  const published = readList(document, 'token_endpoint_auth_methods_supported')
  const method = chooseTokenAuthMethod(published, {
    tokenAuth: idp.tokenAuth,
    hasSecret: clientSecret !== undefined,
    hasAssertionKeys: assertionKeys.length > 0,
  })
  if (method === undefined) {
    const remedy = 'set OTEN_TOKEN_AUTH to one of them, with the secret or the keys that it needs'
    return fail(`no announced method is configured here (${show(published ?? [])})`, remedy)
  }
  const how = idp.tokenAuth === 'auto' ? `${method}, chosen by auto` : `${method}, by OTEN_TOKEN_AUTH`
  if (published === undefined) return ok(`${how}; the document does not say which methods there are`)
  if (!published.includes(method)) {
    return warn(
      `${how}, is not announced (${show(published)})`,
      'set OTEN_TOKEN_AUTH to auto or to an announced method',
    )
  }
  const algs = readList(document, 'token_endpoint_auth_signing_alg_values_supported')
  if (method === 'private_key_jwt' && algs !== undefined && !ED25519_NAMES.some((name) => algs.includes(name))) {
    return warn(
      `${how}; neither EdDSA nor Ed25519 is announced for it (${show(algs)})`,
      'set OTEN_TOKEN_AUTH to client_secret_basic or client_secret_post if the token endpoint below refuses it',
    )
  }
  return ok(how)
}

/** OIDC Discovery §3: Oten signs ID tokens with EdDSA, and nothing else is accepted here. */
export function checkIdTokenAlgorithms(document: Document): Check {
  const { ok, warn, fail } = about('ID tokens')
  const algs = readList(document, 'id_token_signing_alg_values_supported')
  if (algs === undefined) {
    return warn(
      'the document does not say how they are signed',
      'nothing to do if users can sign in: EdDSA is what is accepted here',
    )
  }
  const name = ED25519_NAMES.find((candidate) => algs.includes(candidate))
  if (name !== undefined) return ok(`${name} is announced`)
  const remedy = 'ask Oten support to have the ID tokens of this client signed with EdDSA'
  return fail(`neither EdDSA nor Ed25519 is announced (${show(algs)})`, remedy)
}

/** OIDC RP-Initiated Logout §2.1, RFC 8414 §2 (revocation), OIDC Back-Channel Logout §2.1. */
export function checkLogout(document: Document, setting: Config['idp']['backchannelLogout']): readonly Check[] {
  const logout = about('logout')
  const revocation = about('revocation')
  return [
    document.end_session_endpoint === undefined
      ? logout.warn(
          'there is no end_session_endpoint: a sign-out ends the session here, and not the one at Oten',
          'nothing to set; tell users of shared machines to sign out at Oten too, or ask Oten support',
        )
      : logout.ok('end_session_endpoint is there: a sign-out goes on to Oten'),
    document.revocation_endpoint === undefined
      ? revocation.warn(
          'there is no revocation_endpoint: tokens of an ended session live to their end at Oten',
          'nothing to set; keep access tokens short-lived at Oten',
        )
      : revocation.ok('revocation_endpoint is there: tokens of an ended session are revoked'),
    checkBackchannelLogout(document.backchannel_logout_supported === true, setting),
  ]
}

function checkBackchannelLogout(isAnnounced: boolean, setting: Config['idp']['backchannelLogout']): Check {
  const { ok, warn } = about('back-channel logout')
  if (setting === 'off') return ok('off, by BACKCHANNEL_LOGOUT')
  if (isAnnounced) return ok(`on, and announced (BACKCHANNEL_LOGOUT=${setting})`)
  if (setting === 'auto') return ok('off, since it is not announced (BACKCHANNEL_LOGOUT=auto)')
  return warn(
    'on by BACKCHANNEL_LOGOUT, and not announced: probably no logout token will come',
    'set BACKCHANNEL_LOGOUT=auto, unless Oten support says that it is sent',
  )
}
