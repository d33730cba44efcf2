import { createHash } from 'node:crypto'
import type { Environment, FileVariable } from './environment.ts'
import type { Findings, Report } from './findings.ts'
import { haveCommonKey, parseSigningKeys, type SigningKey } from './keys.ts'
import { splitList } from './lists.ts'

/** A key that seals what is stored. `id` goes in front of the sealed value; it tells nothing about the key. */
export interface SealKey {
  /** The first 8 characters of the key's SHA-256 in base64url. */
  readonly id: string
  /** 32 octets. */
  readonly key: Buffer
}

/** Everything that must not be seen. The first of several keys is the one in use, the rest still verify or open. */
export interface Secrets {
  readonly clientSecret: string | undefined
  readonly jarKeys: readonly SigningKey[]
  readonly assertionKeys: readonly SigningKey[]
  readonly sessionKeys: readonly SealKey[]
  /** Undefined: the admin API is off. */
  readonly adminToken: string | undefined
}

/** The secrets as they were written, from the environment or from files. */
export type SecretTexts = Readonly<Partial<Record<FileVariable, string>>>

/** What decides which secrets are needed. */
export type SecretRules = Pick<Environment, 'JAR_ALG' | 'OTEN_TOKEN_AUTH' | 'JAR_KEY_ID'>

function parseSealKey(text: string, report: Report): SealKey | undefined {
  const key = Buffer.from(text, 'base64url')
  if (text.includes('=')) report('must be written without padding; remove the = at the end')
  else if (/[+/]/.test(text)) report('must be base64url: write - for + and _ for /')
  else if (key.length !== 32 || key.toString('base64url') !== text) {
    report('must be exactly 32 random bytes in base64url, 43 characters (npm run keys -- session)')
  } else if (key.every((byte) => byte === key[0])) report('is not random (npm run keys -- session)')
  else return Object.freeze({ id: createHash('sha256').update(key).digest('base64url').slice(0, 8), key })
  return undefined
}

function parseSealKeys(text: string, report: Report): readonly SealKey[] {
  const keys = splitList(text, report).flatMap((entry) => parseSealKey(entry.text, entry.report) ?? [])
  if (new Set(keys.map(({ key }) => key.toString('base64url'))).size < keys.length) report('has the same key twice')
  return Object.freeze(keys)
}

/** Says what is missing, unless it is missing because of a fault that is already told. */
function requireText(name: FileVariable, texts: SecretTexts, sentence: string, findings: Findings): void {
  if (texts[name] === undefined && !findings.isFaulty(name)) findings.fault(name, sentence)
}

/** RFC 7518 §3.2: an HS256 key has 256 bits. Below 128, one captured request object would give the secret away. */
function checkHmacSecret(secret: string, findings: Findings): void {
  const octets = Buffer.byteLength(secret, 'utf8')
  if (octets >= 32) return
  const sentence =
    octets < 16 ? 'must have 16 octets or more for HS256, better 32' : 'has fewer than the 32 octets of HS256'
  const tell = octets < 16 ? findings.fault : findings.warn
  tell('OTEN_CLIENT_SECRET', `${sentence} (RFC 7518 §3.2); prefer JAR_ALG=EdDSA`)
}

/** What the chosen algorithms need, and what they leave unused. */
function checkChoices(texts: SecretTexts, rules: SecretRules, findings: Findings): void {
  const { JAR_ALG: alg, OTEN_TOKEN_AUTH: auth, JAR_KEY_ID: keyId } = rules
  if (alg === 'HS256' || auth !== 'private_key_jwt') {
    const sentence = 'is required; only private_key_jwt together with EdDSA does without'
    requireText('OTEN_CLIENT_SECRET', texts, sentence, findings)
  }
  if (alg === 'HS256') {
    if (texts.OTEN_CLIENT_SECRET !== undefined) checkHmacSecret(texts.OTEN_CLIENT_SECRET, findings)
    if (texts.JAR_KEYS !== undefined)
      findings.warn('JAR_KEYS', 'is published but signs nothing, since JAR_ALG is HS256')
    else if (keyId !== undefined) findings.warn('JAR_KEY_ID', 'names no key, since JAR_KEYS is not set')
  } else requireText('JAR_KEYS', texts, `is required for JAR_ALG=${alg} (npm run keys -- generate)`, findings)
  if (auth === 'private_key_jwt') {
    requireText(
      'CLIENT_ASSERTION_KEYS',
      texts,
      `is required for OTEN_TOKEN_AUTH=${auth} (npm run keys -- generate)`,
      findings,
    )
  } else if (texts.CLIENT_ASSERTION_KEYS !== undefined) {
    findings.warn(
      'CLIENT_ASSERTION_KEYS',
      'is published but signs nothing, since OTEN_TOKEN_AUTH is not private_key_jwt',
    )
  }
}

/**
 * Checks all secrets, by themselves and together. The same at start and whenever a file changes.
 *
 * @returns the secrets; with any fault in `findings` the result must not be used
 */
export function parseSecrets(texts: SecretTexts, rules: SecretRules, findings: Findings): Secrets {
  const reporter =
    (name: FileVariable): Report =>
    (sentence) =>
      findings.fault(name, sentence)
  const alg = rules.JAR_ALG === 'Ed25519' ? 'Ed25519' : 'EdDSA'
  const { OTEN_CLIENT_SECRET: clientSecret, JAR_KEYS, CLIENT_ASSERTION_KEYS, ADMIN_TOKEN: adminToken } = texts
  // With one of the two choices at fault, what they need is not known.
  if (!findings.isFaulty('JAR_ALG') && !findings.isFaulty('OTEN_TOKEN_AUTH')) checkChoices(texts, rules, findings)
  const jarKeys = JAR_KEYS ? parseSigningKeys(JAR_KEYS, { alg, keyId: rules.JAR_KEY_ID }, reporter('JAR_KEYS')) : []
  const assertionKeys = CLIENT_ASSERTION_KEYS
    ? parseSigningKeys(CLIENT_ASSERTION_KEYS, { alg }, reporter('CLIENT_ASSERTION_KEYS'))
    : []
  if (haveCommonKey(jarKeys, assertionKeys)) {
    findings.fault('CLIENT_ASSERTION_KEYS', 'has a key or a kid that JAR_KEYS has too; a key serves one purpose only')
  }
  const sessionKeys = parseSealKeys(texts.SESSION_KEYS ?? '', reporter('SESSION_KEYS'))
  if (adminToken !== undefined && !/^[!-~]{16,}$/.test(adminToken)) {
    findings.fault('ADMIN_TOKEN', 'must be 16 or more visible ASCII characters without spaces')
  }
  return Object.freeze({ clientSecret, jarKeys, assertionKeys, sessionKeys, adminToken })
}
