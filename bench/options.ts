import { parseArgs } from 'node:util'

export interface Options {
  /** How often each case is measured, other and case in turn. */
  readonly rounds: number
  /** How long each single measurement is. */
  readonly seconds: number
  /** CPU of a server before the first measurement, seconds. */
  readonly warmUpS: number
  /** How many sessions "many" is. */
  readonly sessions: number
  /** Which groups of cases; all when empty. */
  readonly only: readonly string[]
  /** Five minutes of load instead, for the growth of memory. */
  readonly soak: boolean
}

/** What the figures in `results.json` are measured with. */
export const WHOLE: Options = { rounds: 3, seconds: 0.6, warmUpS: 3.5, sessions: 1_000_000, only: [], soak: false }

/** True where nothing was asked for that makes a run shorter: such figures alone may be written down. */
export const isWhole = ({ rounds, seconds, warmUpS, sessions, only }: Options): boolean =>
  rounds >= WHOLE.rounds &&
  seconds >= WHOLE.seconds &&
  warmUpS >= WHOLE.warmUpS &&
  sessions >= WHOLE.sessions &&
  only.length === 0

/** @throws {Error} for a flag that is not known, or not a number where it has to be */
export function parseOptions(args: readonly string[], groups: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      'warm-up': { type: 'string' },
      sessions: { type: 'string' },
      only: { type: 'string', default: '' },
      soak: { type: 'boolean', default: false },
    },
  })
  const only = values.only.split(',').filter((name) => name !== '')
  const unknown = only.find((name) => !groups.includes(name))
  if (unknown !== undefined) throw new Error(`--only knows ${groups.join(', ')}, and not ${unknown}`)
  return {
    rounds: parseNumber('rounds', values.rounds ?? WHOLE.rounds, 1),
    seconds: parseNumber('seconds', values.seconds ?? WHOLE.seconds, 0.1),
    warmUpS: parseNumber('warm-up', values['warm-up'] ?? WHOLE.warmUpS, 0.1),
    sessions: parseNumber('sessions', values.sessions ?? WHOLE.sessions, 1000),
    only,
    soak: values.soak,
  }
}

function parseNumber(name: string, text: string | number, min: number): number {
  const value = Number(text)
  if (!(value >= min)) throw new Error(`--${name} takes a number from ${min} on`)
  return value
}
