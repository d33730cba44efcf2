import envSchema from 'env-schema'
import { Environment } from './environment.ts'
import type { Findings } from './findings.ts'

type Raw = Readonly<Record<string, string | undefined>>

interface Rule {
  readonly type?: string
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly examples?: readonly string[]
}

/** The schema's own words for each variable; TypeBox keeps their type, this is what JSON Schema lets one read. */
const RULES: ReadonlyMap<string, Rule> = new Map(Object.entries<Rule>(Environment.properties))

/** What a variable has to hold, said for the operator. */
function describeRule(rule: Rule): string {
  if (rule.type === 'integer') return `must be a whole number from ${rule.minimum} to ${rule.maximum}`
  if (rule.type === 'boolean') return 'must be true or false'
  if (rule.enum !== undefined) return `must be one of: ${rule.enum.join(', ')}`
  return 'must be visible ASCII characters without spaces'
}

/** Strict where env-schema would convert: `1e3`, `0x10` and ` 5` are not numbers here. */
function convert(rule: Rule, text: string): string | number | undefined {
  if (rule.type !== 'integer') return text
  return /^\d+$/.test(text) ? Number(text) : undefined
}

/** Kubernetes injects such values for a service called, say, `admin`. */
const isServiceLink = (text: string): boolean => /^(?:tcp|udp|sctp):\/\//.test(text)

const check = (data: Record<string, unknown>): Environment =>
  envSchema<Environment>({ schema: Environment, data, env: false })

/** The variables that a failed check names: `required` says the missing one apart from the rest. */
function* findFaulty(error: unknown): Generator<{ name: string; missing: boolean }> {
  if (!(error instanceof Error && 'errors' in error && Array.isArray(error.errors))) throw error
  for (const { instancePath, keyword, params } of error.errors) {
    const missing = keyword === 'required'
    yield { name: missing ? String(params.missingProperty) : String(instancePath).slice(1), missing }
  }
}

/**
 * Checks each variable by itself and fills the defaults. Where a variable is at fault, the result holds a stand-in, so
 * that the rules for the others can still speak; with any fault in `findings` the result must not be used.
 *
 * @param texts what was set, files already read; empty means unset
 */
export function parseValues(texts: Raw, findings: Findings): Environment {
  const data: Record<string, unknown> = {}
  for (const [name, rule] of RULES) {
    const text = texts[name]
    if (text === undefined || text === '') continue
    const value = convert(rule, text)
    if (value !== undefined) data[name] = value
    else {
      const hint = isServiceLink(text) ? '; Kubernetes injected it for a service: set enableServiceLinks to false' : ''
      findings.fault(name, describeRule(rule) + hint)
    }
  }
  try {
    return check({ ...data })
  } catch (error) {
    for (const { name, missing } of findFaulty(error)) {
      const rule = RULES.get(name)
      if (rule === undefined) throw error
      if (!findings.isFaulty(name)) findings.fault(name, missing ? 'is required; set it' : describeRule(rule))
      data[name] = rule.examples?.[0] ?? (missing ? '' : undefined) // Undefined gives way to the default.
    }
    return check(data)
  }
}
