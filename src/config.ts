import { parseAllowedOrigins } from './config/allowed-origins.ts'
import { type ApiRoute, parseApiRoutes } from './config/api-routes.ts'
import { type App, parseApps } from './config/apps.ts'
import type { Environment } from './config/environment.ts'
import { ConfigError, createFindings, type Findings, type Report } from './config/findings.ts'
import { checkNames } from './config/names.ts'
import { labelVariable, type ReadFile, readSecretFiles, readTextFile } from './config/secret-files.ts'
import { createSecretSource, type SecretSource } from './config/secret-source.ts'
import { parseSecrets, type SecretTexts } from './config/secrets.ts'
import { checkListeners, parseClaims, parseScope, parseStore } from './config/settings.ts'
import { parseTrustedProxies } from './config/trusted-proxies.ts'
import { isLoopback, parseBaseUrl, parseIssuer, parseProtectedUrl, parseWebOrigin } from './config/urls.ts'
import { parseValues } from './config/values.ts'

export { API_METHODS, type ApiMethod, type ApiRoute } from './config/api-routes.ts'
export type { App } from './config/apps.ts'
export { ConfigError } from './config/findings.ts'
export type { PublicSigningJwk, SigningKey } from './config/keys.ts'
export type { SecretSource, WatchCallbacks } from './config/secret-source.ts'
export type { SealKey, Secrets } from './config/secrets.ts'

/** Limits of a session, in seconds: without use, and in any case. */
export interface Lifetime {
  readonly idleS: number
  readonly maxS: number
}

/** Where a listener listens; port 0 takes any free one. */
export interface Listener {
  readonly host: string
  readonly port: number
}

/** The whole configuration, checked and frozen. The secrets stay behind `secrets`, so that none is printed with it. */
export interface Config {
  /** Origin at which browsers reach the service. */
  readonly publicUrl: string
  /** True when `publicUrl` is https, so that cookies are `Secure`. */
  readonly secure: boolean
  readonly listen: Listener
  readonly admin: Listener
  readonly idp: {
    /** As written, since it is compared as a string. */
    readonly issuer: string
    readonly allowInsecureIssuer: boolean
    readonly clientId: string
    readonly tokenAuth: 'auto' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'
    readonly scope: string
    readonly backchannelLogout: 'auto' | 'on' | 'off'
    readonly postLogoutRedirectUri: string
  }
  readonly requestObject: {
    readonly alg: 'EdDSA' | 'Ed25519' | 'HS256'
    readonly ttlS: number
    readonly backdateS: number
    readonly typ: 'oauth-authz-req+jwt' | 'JWT'
    /** Undefined: the discovered issuer. */
    readonly audience: string | undefined
  }
  readonly session: {
    /** Address of the store; it may hold a password, so it is not for the log. */
    readonly store: string
    readonly browser: Lifetime
    readonly app: Lifetime
    readonly sameSite: 'strict' | 'lax' | 'none'
    readonly claims: readonly string[]
  }
  /** The origins allowed besides `publicUrl`. */
  readonly allowedOrigins: readonly string[]
  readonly apps: ReadonlyMap<string, App>
  /** Longest prefix first. */
  readonly apiRoutes: readonly ApiRoute[]
  readonly trustedProxies: readonly string[]
  /** 0: no limit. */
  readonly rateLimitPerMinute: number
  readonly logLevel: string
  readonly otlpEndpoint: string | undefined
  /** `NAME: sentence` each, to be logged at start. */
  readonly warnings: readonly string[]
  readonly secrets: SecretSource
}

type Env = Readonly<Record<string, string | undefined>>
type Settings = Omit<Config, 'secrets' | 'warnings'>

/** Where this service is and whom it believes: what is insecure works only in development on this machine (CF-02). */
function checkTransport(env: Env, values: Environment, publicUrl: string | undefined, findings: Findings): void {
  const secure = publicUrl?.startsWith('https:')
  if (values.ALLOW_INSECURE_ISSUER && secure) {
    findings.fault('ALLOW_INSECURE_ISSUER', 'must be false when PUBLIC_URL is https; it is for development only')
  }
  const issuer = parseIssuer(values.OTEN_ISSUER, { allowInsecureIssuer: values.ALLOW_INSECURE_ISSUER }, (sentence) =>
    findings.fault('OTEN_ISSUER', sentence),
  )
  if (values.ALLOW_INSECURE_ISSUER && issuer !== undefined && !isLoopback(issuer)) {
    findings.fault('ALLOW_INSECURE_ISSUER', 'must be false unless OTEN_ISSUER is on a loopback host')
  }
  if (values.SESSION_SAME_SITE === 'none' && secure === false) {
    findings.fault('SESSION_SAME_SITE', 'must not be none on plain http: browsers take such a cookie over https only')
  }
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    const tell = secure === false ? findings.warn : findings.fault
    tell(
      'NODE_TLS_REJECT_UNAUTHORIZED',
      'turns certificate checks off; remove it (NODE_EXTRA_CA_CERTS adds a private CA)',
    )
  }
}

/** An idle limit beyond the absolute one is no danger, but surely not what was meant. */
function readLifetime(kind: 'SESSION' | 'APP_SESSION', values: Environment, findings: Findings): Lifetime {
  const lifetime = { idleS: values[`${kind}_IDLE_S`], maxS: values[`${kind}_MAX_S`] }
  if (lifetime.idleS > lifetime.maxS) {
    findings.warn(`${kind}_IDLE_S`, `is larger than ${kind}_MAX_S, so it has no effect`)
  }
  return Object.freeze(lifetime)
}

/** The settings of plain values. With any fault in `findings` the result must not be used. */
function readSettings(env: Env, values: Environment, findings: Findings): Settings {
  const reporter =
    (name: keyof Environment): Report =>
    (sentence) =>
      findings.fault(name, sentence)
  const warner =
    (name: keyof Environment): Report =>
    (sentence) =>
      findings.warn(name, sentence)
  const publicUrl = findings.isFaulty('PUBLIC_URL')
    ? undefined
    : parseWebOrigin(values.PUBLIC_URL, reporter('PUBLIC_URL'))
  checkTransport(env, values, publicUrl, findings)
  checkListeners(values, findings)
  const secure = publicUrl?.startsWith('https:') ?? true
  const { POST_LOGOUT_REDIRECT_URI: afterLogout, OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint } = values
  if (afterLogout !== undefined) parseProtectedUrl(afterLogout, reporter('POST_LOGOUT_REDIRECT_URI'))
  if (otlpEndpoint !== undefined) parseBaseUrl(otlpEndpoint, reporter('OTEL_EXPORTER_OTLP_ENDPOINT'))
  return {
    publicUrl: publicUrl ?? '',
    secure,
    listen: Object.freeze({ host: values.HOST, port: values.PORT }),
    admin: Object.freeze({ host: values.ADMIN_HOST, port: values.ADMIN_PORT }),
    idp: Object.freeze({
      issuer: values.OTEN_ISSUER,
      allowInsecureIssuer: values.ALLOW_INSECURE_ISSUER,
      clientId: values.OTEN_CLIENT_ID,
      tokenAuth: values.OTEN_TOKEN_AUTH,
      scope: parseScope(values.OTEN_SCOPE, reporter('OTEN_SCOPE')),
      backchannelLogout: values.BACKCHANNEL_LOGOUT,
      postLogoutRedirectUri: afterLogout ?? `${publicUrl}/auth/logged-out`,
    }),
    requestObject: Object.freeze({
      alg: values.JAR_ALG,
      ttlS: values.JAR_TTL_S,
      backdateS: values.JAR_BACKDATE_S,
      typ: values.JAR_TYP,
      audience: values.JAR_AUDIENCE,
    }),
    session: Object.freeze({
      store: parseStore(values.SESSION_STORE, { secure }, reporter('SESSION_STORE'), warner('SESSION_STORE')),
      browser: readLifetime('SESSION', values, findings),
      app: readLifetime('APP_SESSION', values, findings),
      sameSite: values.SESSION_SAME_SITE,
      claims: parseClaims(values.SESSION_CLAIMS, reporter('SESSION_CLAIMS')),
    }),
    allowedOrigins: parseAllowedOrigins(values.ALLOWED_ORIGINS, publicUrl, reporter('ALLOWED_ORIGINS')),
    apps: parseApps(values.APPS, reporter('APPS'), warner('APPS')),
    apiRoutes: parseApiRoutes(values.API_ROUTES, reporter('API_ROUTES'), warner('API_ROUTES')),
    trustedProxies: parseTrustedProxies(values.TRUSTED_PROXIES, reporter('TRUSTED_PROXIES')),
    rateLimitPerMinute: values.RATE_LIMIT_PER_MINUTE,
    logLevel: values.LOG_LEVEL,
    otlpEndpoint,
  }
}

/**
 * Reads and checks the whole environment: each value, the files it names, and the rules across variables.
 *
 * @param env all of it, since a misspelt name has to be seen; empty means unset
 * @param readFile for tests without a disk
 * @throws {ConfigError} naming every fault at once, and no value
 */
export function loadConfig(env: Env, readFile: ReadFile = readTextFile): Config {
  const label = labelVariable(env)
  const findings = createFindings(label)
  checkNames(env, findings)
  const { files, texts: found } = readSecretFiles(env, readFile, findings)
  const texts: SecretTexts = Object.freeze(found)
  const values = parseValues({ ...env, ...texts }, findings)
  const settings = readSettings(env, values, findings)
  const parse = (changed: SecretTexts, into: Findings) => parseSecrets(changed, values, into)
  const secrets = parse(texts, findings)
  if (findings.faults.length > 0) throw new ConfigError(findings.faults)
  const source = createSecretSource({ texts, secrets, files, readFile, label, parse })
  return Object.freeze({ ...settings, warnings: Object.freeze([...findings.warnings]), secrets: Object.freeze(source) })
}
