import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files in PEM. */
export interface Certificates {
  /** Of the authority, which a browser is to trust. */
  readonly authority: string
  readonly certificate: string
  readonly key: string
}

const DAYS = '30'

/** Browsers take no Ed25519 for TLS. */
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const

/** A certificate authority of the test's own, and a certificate by it for these hosts. */
export function createCertificates(folder: string, hosts: readonly string[]): Certificates {
  const at = (name: string): string => join(folder, name)
  const names = hosts.map((host) => `DNS:${host}`).join()
  writeFileSync(at('extensions'), `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`)
  const purpose = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign']
  const authority = ['-subj', '/CN=Authority of a test', '-keyout', at('authority.key'), '-out', at('authority.pem')]
  openssl('req', '-x509', ...NEW_KEY, ...authority, '-days', DAYS, ...purpose)
  openssl('req', ...NEW_KEY, '-subj', '/CN=A test', '-keyout', at('server.key'), '-out', at('server.csr'))
  const signed = ['-in', at('server.csr'), '-out', at('server.pem'), '-extfile', at('extensions'), '-days', DAYS]
  openssl('x509', '-req', '-CA', at('authority.pem'), '-CAkey', at('authority.key'), '-CAcreateserial', ...signed)
  return { authority: at('authority.pem'), certificate: at('server.pem'), key: at('server.key') }
}

/** Makes a certificate database (NSS) in which the authority is trusted: both browsers look into one. Done once. */
export function trustAuthority(database: string, { authority }: Certificates): void {
  if (existsSync(database)) return
  mkdirSync(database, { recursive: true })
  const run = (...args: string[]): void => void execFileSync('certutil', [...args, '-d', `sql:${database}`])
  run('-N', '--empty-password')
  run('-A', '-n', 'test-authority', '-t', 'C,,', '-i', authority) // C: may vouch for servers.
}

const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' }) // It chats on stderr.
