import { Environment, FILE_VARIABLES } from './environment.ts'
import type { Findings } from './findings.ts'

/** Prefixes that are ours: a name below them that we do not know is a mistake. */
const OURS = /^(?:OTEN|JAR|SESSION)_/

/** What Kubernetes injects into every pod for each service of the namespace, such as one called `oten-bff`. */
const KUBERNETES_SERVICE = /_SERVICE_HOST$|_SERVICE_PORT|_PORT$|_PORT_/

const KNOWN: ReadonlySet<string> = new Set([
  ...Object.keys(Environment.properties),
  ...FILE_VARIABLES.map((name) => `${name}_FILE`),
])

/** How many single-character edits lie between two names (Levenshtein). */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [i, left] of [...from].entries()) {
    const next = [i + 1]
    for (const [j, right] of [...to].entries()) {
      const replaced = (row[j] ?? 0) + (left === right ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}

function findNearest(name: string): { name: string; edits: number } {
  const candidates = [...KNOWN].map((known) => ({ name: known, edits: countEdits(name, known) }))
  return candidates.reduce((best, candidate) => (candidate.edits < best.edits ? candidate : best))
}

/**
 * A misspelt name would leave its default in force unnoticed. Below our prefixes it stops the start; elsewhere, where
 * the name may be another program's, a near miss of a long name is a warning.
 */
export function checkNames(env: Readonly<Record<string, string | undefined>>, findings: Findings): void {
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '' || KNOWN.has(name) || KUBERNETES_SERVICE.test(name)) continue
    const nearest = findNearest(name)
    if (OURS.test(name)) {
      const hint = nearest.edits <= name.length / 2 ? `did you mean ${nearest.name}?` : 'remove it'
      findings.fault(name, `is not a known variable; ${hint}`)
    } else if (name.length >= 8 && nearest.edits <= 2) {
      findings.warn(name, `is not a known variable and has no effect; did you mean ${nearest.name}?`)
    }
  }
}
