import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { ConfigError, loadConfig } from '../../src/config.ts'

/** The key of RFC 8037 Appendix A.1, and its thumbprint from A.3. */
export const RFC_8037_JWK = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
} as const
export const RFC_8037_THUMBPRINT = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'

export type Env = Record<string, string | undefined>

/** The least that starts. */
export const VALID_ENV: Readonly<Record<string, string>> = {
  PUBLIC_URL: 'https://app.example.com',
  OTEN_CLIENT_ID: 'client-1',
  OTEN_CLIENT_SECRET: 'a secret of Oten',
  JAR_KEYS: JSON.stringify(RFC_8037_JWK),
  SESSION_KEYS: randomBytes(32).toString('base64url'),
}

/** What an http issuer on this machine needs. */
export const DEVELOPMENT_ENV: Readonly<Record<string, string>> = {
  ...VALID_ENV,
  PUBLIC_URL: 'http://localhost:3000',
}

/** The faults with which the environment is refused; none when it starts. */
export function findFaults(env: Env, readFile?: (path: string) => string): readonly string[] {
  try {
    loadConfig(env, readFile)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    assert.equal(error.message, ['The configuration is not usable:', ...error.faults].join('\n'))
    return error.faults
  }
}

/** Holds when the environment is refused for this one reason, without showing what must not be seen. */
export function assertRefused(env: Env, name: string, reason: RegExp, hidden: readonly string[] = []): void {
  const faults = findFaults(env)
  assert.equal(faults.length, 1, `one fault expected, got: ${faults.join(' | ') || 'none'}`)
  const fault = faults[0] ?? ''
  assert.ok(fault.startsWith(`${name}: `), fault)
  assert.match(fault, reason)
  for (const text of hidden) assert.ok(!fault.includes(text), `shows ${text}: ${fault}`)
}
