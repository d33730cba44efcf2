import { readFileSync, statSync } from 'node:fs'
import { FILE_VARIABLES, type FileVariable } from './environment.ts'
import type { Findings, Report } from './findings.ts'

/** Returns a file's text. @throws where the file cannot be read */
export type ReadFile = (path: string) => string

/** The files named by `X_FILE` variables, by variable. */
export type SecretFiles = ReadonlyMap<FileVariable, string>

type Env = Readonly<Record<string, string | undefined>>

export const readTextFile: ReadFile = (path) => readFileSync(path, 'utf8')

/** How the operator calls a variable: by its `X_FILE` where the value comes from there. */
export const labelVariable =
  (env: Env) =>
  (name: string): string =>
    env[`${name}_FILE`] ? `${name}_FILE` : name

/**
 * Reads a secret and takes off the one line break with which editors and `echo` end a file, nothing else: a secret may
 * begin or end with spaces.
 *
 * @returns undefined after a report, which never holds content
 */
export function readSecretFile(path: string, readFile: ReadFile, report: Report): string | undefined {
  let content: string
  try {
    content = readFile(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    report(`names a file that cannot be read${code}; correct the path or the permissions`)
    return undefined
  }
  const text = content.replace(/\r?\n$/, '')
  if (text === '') report('names a file that is empty')
  // U+FFFD is what decoding made of other bytes, U+FEFF a byte order mark: neither is what the operator meant.
  else if (/^\uFEFF|\uFFFD/.test(text)) report('names a file that is not UTF-8 text without a byte order mark')
  else return text
  return undefined
}

/** A secret that other users of the machine can read is not one; that they can write it is as bad (ASVS 13.3.1). */
function checkPermissions(path: string, warn: Report): void {
  if (process.platform === 'win32') return // Windows has no such bits; Node makes them up.
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0
  if ((mode & 0o004) !== 0) warn('names a file that every user of this machine can read; set its mode to 0600')
  if ((mode & 0o022) !== 0) warn('names a file that other users can change; set its mode to 0600')
}

/** Finds the `X_FILE` variables and reads the files. Empty means unset, as everywhere. */
export function readSecretFiles(
  env: Env,
  readFile: ReadFile,
  findings: Findings,
): { readonly files: SecretFiles; readonly texts: Partial<Record<FileVariable, string>> } {
  const files = new Map<FileVariable, string>()
  const texts: Partial<Record<FileVariable, string>> = {}
  for (const name of FILE_VARIABLES) {
    const value = env[name]
    const path = env[`${name}_FILE`]
    if (!path) {
      if (value) texts[name] = value
      continue
    }
    if (value) {
      findings.fault(name, `is set, and ${name} is set too; remove one of the two`)
      continue
    }
    files.set(name, path)
    const text = readSecretFile(path, readFile, (sentence) => findings.fault(name, sentence))
    if (text === undefined) continue
    texts[name] = text
    checkPermissions(path, (sentence) => findings.warn(name, sentence))
  }
  return { files, texts }
}
