import { type Config, ConfigError, loadConfig } from '../config.ts'
import { about, type Check } from './check.ts'

const { ok, warn, fail } = about('configuration')

const REMEDY = 'correct the variable or the file it names; .env.example describes each'

export interface ReadConfiguration {
  /** Undefined when it is not fit to start with. */
  readonly config: Config | undefined
  readonly checks: readonly Check[]
}

/** Reads the environment as the service does at its start: every fault is named at once, and no value. */
export function checkConfiguration(env: Readonly<Record<string, string | undefined>>): ReadConfiguration {
  try {
    const config = loadConfig(env)
    const warnings = config.warnings.map((sentence) => warn(sentence, REMEDY))
    return { config, checks: [ok('complete; the service starts with it'), ...warnings] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { config: undefined, checks: error.faults.map((sentence) => fail(sentence, REMEDY)) }
  }
}
