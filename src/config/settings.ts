import type { Environment } from './environment.ts'
import type { Findings, Report } from './findings.ts'
import { splitList } from './lists.ts'

/** A name or an address to listen on: `0.0.0.0`, `::`, `fe80::1%eth0`, `localhost`. */
const LISTEN_HOST = /^[A-Za-z0-9._:-]+(?:%[A-Za-z0-9._-]+)?$/

/** RFC 6749 §3.3. */
const SCOPE_TOKEN = /^[!#-[\]-~]+$/

const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])
const nameHost = (host: string): string => (host === 'localhost' || host === '::1' ? '127.0.0.1' : host.toLowerCase())

/** Two listeners on one port would end in the one, with metrics and tokens, being reached by way of the other. */
export function checkListeners(values: Environment, findings: Findings): void {
  const { HOST: host, PORT: port, ADMIN_HOST: adminHost, ADMIN_PORT: adminPort } = values
  const hosts = { HOST: host, ADMIN_HOST: adminHost }
  for (const [name, value] of Object.entries(hosts)) {
    if (!LISTEN_HOST.test(value)) findings.fault(name, 'must be an address or a host name, without brackets or a port')
  }
  const overlap = ANY_ADDRESS.has(host) || ANY_ADDRESS.has(adminHost) || nameHost(host) === nameHost(adminHost)
  if (overlap && port === adminPort && port !== 0) findings.fault('ADMIN_PORT', 'must not be the same as PORT')
}

/** `openid` is what makes the answer carry an ID token (OIDC Core §3.1.2.1). */
export function parseScope(value: string, report: Report): string {
  const scopes = value.split(' ')
  if (!scopes.every((scope) => SCOPE_TOKEN.test(scope))) {
    report('must be scope names in ASCII, separated by one space each')
  } else if (!scopes.includes('openid')) report('must contain openid')
  return value
}

/** The names of ID-token claims that pages may see. */
export function parseClaims(value: string, report: Report): readonly string[] {
  const claims = new Set<string>()
  for (const { text, report: reportEntry } of splitList(value, report)) {
    // As a member name this one would set an object's prototype instead.
    if (!/^[!-~]+$/.test(text) || text === '__proto__') reportEntry('must be a claim name in ASCII, without spaces')
    claims.add(text)
  }
  return Object.freeze([...claims])
}

/** Only the kind of store is judged here; the address may hold a password and is never shown. */
export function parseStore(value: string, options: { secure: boolean }, report: Report, warn: Report): string {
  if (value === 'memory:') {
    if (options.secure) warn('is memory: sessions end with the process, and a second replica would not know them')
  } else if (!/^(?:file:|rediss?:\/\/)./.test(value)) {
    report('must be memory:, file:PATH, redis://HOST... or rediss://HOST...')
  }
  return value
}
