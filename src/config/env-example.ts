import { Environment, FILE_VARIABLES, GROUPS, NEEDED_BY_DEFAULT } from './environment.ts'

const WIDTH = 100

/** What JSON Schema says about one variable. */
interface Variable {
  readonly description?: string
  readonly type?: string
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: unknown
  readonly examples?: readonly string[]
}

/** Breaks text into comment lines. */
function comment(text: string): readonly string[] {
  const lines = ['#']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last.length + 1 + word.length <= WIDTH || last === '#') lines[lines.length - 1] = `${last} ${word}`
    else lines.push(`# ${word}`)
  }
  return lines
}

function describeValues({ type, enum: choices, minimum, maximum }: Variable): readonly string[] {
  if (choices !== undefined) return [`# Values: ${choices.join(', ')}`]
  if (type === 'integer') return [`# Values: ${minimum} to ${maximum}`]
  return type === 'boolean' ? ['# Values: true, false'] : []
}

function buildVariable(name: string, variable: Variable): readonly string[] {
  const isNeeded = NEEDED_BY_DEFAULT.some((needed) => needed === name)
  return [
    ...comment(variable.description ?? ''),
    ...describeValues(variable),
    ...(variable.examples ?? []).map((example) => `# Example: ${example}`),
    ...FILE_VARIABLES.filter((file) => file === name).map((file) => `# From a file instead: ${file}_FILE=PATH`),
    isNeeded ? `${name}=` : `#${name}=${String(variable.default ?? '')}`,
    '',
  ]
}

/** The text of `.env.example`: every variable of the schema, the needed ones open, the others with their default. */
export function buildEnvExample(): string {
  const properties: Readonly<Record<string, Variable>> = Environment.properties
  const head = [
    ...comment(
      'The configuration of oten-bff. Written by `npm run snapshots` from src/config/environment.ts; edit it there.',
    ),
    ...comment('Fill in what is open; what is commented out shows its default. An empty value counts as unset.'),
    '',
  ]
  const groups = GROUPS.flatMap(({ title, variables }) => [
    `# ---- ${title} ${'-'.repeat(WIDTH - title.length - 8)}`,
    '',
    ...Object.keys(variables).flatMap((name) => buildVariable(name, properties[name] ?? {})),
  ])
  return [...head, ...groups].join('\n')
}
