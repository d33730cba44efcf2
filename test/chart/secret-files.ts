import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { CLIENT_SECRET, createKey, createSessionKey } from '../support/env.ts'

export type SecretTexts = Readonly<Record<string, string>>

/** Made afresh, so that no key stands in the repository. The store's address has a password of its own. */
export const createSecretTexts = (): SecretTexts => ({
  OTEN_CLIENT_SECRET: CLIENT_SECRET,
  JAR_KEYS: createKey().privateJwk,
  CLIENT_ASSERTION_KEYS: createKey().privateJwk,
  SESSION_KEYS: createSessionKey(),
  ADMIN_TOKEN: createSessionKey(),
  SESSION_STORE: `redis://:${createSessionKey()}@redis:6379/0`,
})

/** What scenario `secret-from-files` asks for. */
export const FILES_OF_SCENARIO = [
  'OTEN_CLIENT_SECRET',
  'JAR_KEYS',
  'SESSION_KEYS',
  'ADMIN_TOKEN',
  'SESSION_STORE',
] as const

/** Writes the secrets to files, and returns Helm's arguments for them. */
export function buildSetFileArgs(
  t: TestContext,
  texts: SecretTexts,
  names: readonly string[] = FILES_OF_SCENARIO,
): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'chart-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return names.flatMap((name) => {
    const path = join(folder, name)
    writeFileSync(path, `${texts[name]}\n`, { mode: 0o600 })
    return ['--set-file', `secret.values.${name}=${path}`]
  })
}
