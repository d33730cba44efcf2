import { createHash } from 'node:crypto'
import type { FileVariable } from './environment.ts'
import { createFindings, type Findings } from './findings.ts'
import { type ReadFile, readSecretFile, type SecretFiles } from './secret-files.ts'
import type { Secrets, SecretTexts } from './secrets.ts'

export interface WatchCallbacks {
  /** @param names the variables whose value is another one now */
  onChange(names: readonly string[]): void
  /** @param fault one sentence, fit for the log; the old value stays in use */
  onFault(fault: string): void
}

/** The secrets of this moment. Ask each time: they change while the service runs. */
export interface SecretSource {
  current(): Secrets
  /**
   * Follows the `X_FILE` files by their content, so that it also sees a mounted volume whose links are swapped. A new
   * content counts once it was read twice, since a file is not written in one instant: within 2 s at the default.
   *
   * @returns stops watching
   */
  watch(callbacks: WatchCallbacks, everyMs?: number): () => void
}

export interface SecretSourceInput {
  readonly texts: SecretTexts
  readonly secrets: Secrets
  readonly files: SecretFiles
  readonly readFile: ReadFile
  readonly label: (name: string) => string
  /** The check of the start; a change has to pass it as well. */
  readonly parse: (texts: SecretTexts, findings: Findings) => Secrets
}

/** What a file gave: its text, or why there is none. */
type Reading = { readonly text: string } | { readonly fault: string }

type Readings = ReadonlyMap<FileVariable, Reading>

const hashReadings = (readings: Readings): string =>
  createHash('sha256')
    .update(JSON.stringify([...readings]))
    .digest('base64url')

/** A store does not move while the service runs, so its address is read once. */
const isWatched = ([name]: readonly [FileVariable, string]): boolean => name !== 'SESSION_STORE'

/** Holds the secrets and replaces them, whole, when the files have others that pass the checks. */
export function createSecretSource(input: SecretSourceInput): SecretSource {
  const { files, readFile, label, parse } = input
  const watched = [...files].filter(isWatched)
  let { texts, secrets } = input

  const readAll = (): Readings =>
    new Map(
      watched.map(([name, path]): [FileVariable, Reading] => {
        let fault = ''
        const text = readSecretFile(path, readFile, (sentence) => {
          fault = `${label(name)}: ${sentence}`
        })
        return [name, text === undefined ? { fault } : { text }]
      }),
    )

  /** Takes over what passes. A variable at fault keeps its value and does not hold up the others. */
  const adopt = (readings: Readings, { onChange, onFault }: WatchCallbacks): void => {
    const wanted = new Map<FileVariable, string>()
    const faults: string[] = []
    for (const [name, reading] of readings) {
      if ('fault' in reading) faults.push(reading.fault)
      else if (reading.text !== texts[name]) wanted.set(name, reading.text)
    }
    while (wanted.size > 0) {
      const findings = createFindings(label)
      const candidate = { ...texts, ...Object.fromEntries(wanted) }
      const parsed = parse(candidate, findings)
      if (findings.faults.length === 0) {
        texts = candidate
        secrets = parsed
        break
      }
      faults.push(...findings.faults)
      const faulty = [...wanted.keys()].filter((name) => findings.isFaulty(name))
      // A fault that names none of the new ones comes from their not fitting the old: then none is taken.
      for (const name of faulty.length > 0 ? faulty : [...wanted.keys()]) wanted.delete(name)
    }
    for (const fault of faults) onFault(`${fault}; the old value stays in use`)
    if (wanted.size > 0) onChange([...wanted.keys()])
  }

  return {
    current: () => secrets,
    watch(callbacks, everyMs = 1_000) {
      let seen = ''
      let settled = ''
      const poll = (): void => {
        const readings = readAll()
        const hash = hashReadings(readings)
        const isSteady = hash === seen
        seen = hash
        if (!isSteady || hash === settled) return
        settled = hash
        adopt(readings, callbacks)
      }
      const timer = setInterval(poll, everyMs)
      timer.unref() // Watching alone does not keep the process alive.
      return () => clearInterval(timer)
    },
  }
}
