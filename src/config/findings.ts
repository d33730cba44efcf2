/** What is wrong with the configuration, all of it at once. Names variables, never shows a value. */
export class ConfigError extends Error {
  /** One `NAME: what is wrong and what to do` each. */
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(['The configuration is not usable:', ...faults].join('\n'))
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/** Takes one sentence about the variable that it was made for. Sentences never hold a value. */
export type Report = (sentence: string) => void

/** Collects what a check of the configuration finds, so that the operator hears everything in one go. */
export interface Findings {
  fault(name: string, sentence: string): void
  warn(name: string, sentence: string): void
  /** True when the variable already has a fault, so that rules built on its value would only mislead. */
  isFaulty(name: string): boolean
  readonly faults: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * @param label how a variable is called towards the operator: a value that came from a file is named by its `X_FILE`
 */
export function createFindings(label: (name: string) => string): Findings {
  const faults: string[] = []
  const warnings: string[] = []
  const faulty = new Set<string>()
  return {
    fault(name, sentence) {
      faulty.add(name)
      faults.push(`${label(name)}: ${sentence}`)
    },
    warn(name, sentence) {
      warnings.push(`${label(name)}: ${sentence}`)
    },
    isFaulty: (name) => faulty.has(name),
    faults,
    warnings,
  }
}
