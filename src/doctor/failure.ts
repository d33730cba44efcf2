import { BffError } from '../errors.ts'
import { RedirectRefused } from '../idp/http.ts'

/** What kept an answer away. */
export type FailureKind =
  | 'name'
  | 'refused'
  | 'timeout'
  | 'expired'
  | 'not-yet-valid'
  | 'unknown-ca'
  | 'other-host'
  | 'tls'
  | 'redirect'
  | 'too-large'
  | 'cut-off'

export interface Failure {
  readonly kind: FailureKind
  /** Continues "https://… cannot be reached: ". */
  readonly words: string
}

/** As Node, OpenSSL and undici name what went wrong. */
const CODES: Readonly<Record<string, FailureKind>> = {
  ENOTFOUND: 'name',
  EAI_AGAIN: 'name',
  EAI_NODATA: 'name',
  EAI_FAIL: 'name',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'refused',
  ENETUNREACH: 'refused',
  EACCES: 'refused',
  EPERM: 'refused',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet-valid',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'unknown-ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown-ca',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown-ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown-ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown-ca',
  CERT_UNTRUSTED: 'unknown-ca',
  ERR_TLS_CERT_ALTNAME_INVALID: 'other-host',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'too-large',
}

const WORDS: Readonly<Record<FailureKind, string>> = {
  name: 'its name cannot be resolved',
  refused: 'nothing accepts a connection there',
  timeout: 'it did not answer in time',
  expired: 'its certificate has expired',
  'not-yet-valid': 'its certificate is not valid yet',
  'unknown-ca': 'its certificate is not vouched for by a CA known here',
  'other-host': 'its certificate is for another host',
  tls: 'no TLS connection came about',
  redirect: 'it redirects, which is not followed',
  'too-large': 'its answer is too large',
  'cut-off': 'the connection broke',
}

/** What an operator can do for the way from this machine to the IdP. */
export const WAY_TO_IDP: Readonly<Record<FailureKind, string>> = {
  name: 'check OTEN_ISSUER, the DNS of this machine, and that it may call out (no HTTP proxy is used)',
  refused:
    'check OTEN_ISSUER, and the firewall: this machine must reach the identity provider itself (no HTTP proxy is used)',
  timeout:
    'check the firewall: this machine must reach the identity provider itself (no HTTP proxy is used); or try later',
  expired:
    'tell the one who runs the identity provider to renew it; if it is renewed, correct the clock of this machine',
  'not-yet-valid': 'correct the clock of this machine',
  'unknown-ca':
    'if it is a private CA, name its file in NODE_EXTRA_CA_CERTS; if not, somebody on the way reads along, or the server ' +
    'keeps its intermediate certificate back',
  'other-host': 'check the host in OTEN_ISSUER; somebody else may be answering in its place',
  tls: 'check the port and the scheme in OTEN_ISSUER; somebody else may be answering in its place',
  redirect: 'set OTEN_ISSUER to the address at which the identity provider answers itself',
  'too-large': 'check OTEN_ISSUER; something else may be answering there',
  'cut-off': 'try again; if it stays, something on the way (a firewall, a proxy) cuts the connection',
}

/** Reads what undici, Node or our own client threw. */
export function describeFailure(error: unknown): Failure {
  const cause = error instanceof BffError ? error.cause : error
  const kind = classify(cause)
  const code = getCode(cause)
  return { kind, words: code === undefined ? WORDS[kind] : `${WORDS[kind]} (${code})` }
}

const getCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

function classify(error: unknown): FailureKind {
  if (error instanceof RedirectRefused) return 'redirect'
  const known = CODES[getCode(error) ?? '']
  if (known !== undefined) return known
  if (error instanceof Error) {
    if (error.name === 'TimeoutError') return 'timeout'
    if (/subjectAltName/.test(error.message)) return 'other-host' // Our own check, which has no code.
  }
  return /^(?:ERR_SSL|ERR_TLS|EPROTO|CERT_)/.test(getCode(error) ?? '') ? 'tls' : 'cut-off'
}
