import { readFileSync } from 'node:fs'
import fc from 'fast-check'

/** Runs of an ordinary property: few, so that every `npm test` can afford them. A campaign asks for more. */
export const RUNS_DEFAULT = 200
/** The same values in every run, so that a failure is nobody's bad luck. A campaign takes a fresh one for each round. */
export const SEED_DEFAULT = 20_260_101

/** A counterexample that was found once, and is tried again in every run. */
export interface KeptSeed {
  /** The title of its test. */
  readonly property: string
  readonly seed: number
  /** As fast-check printed it; without it all values of the seed are tried. Holds while the arbitraries stay as they are. */
  readonly path?: string
  readonly why: string
}

export interface Settings {
  readonly runs: number
  readonly seed: number
}

/** @throws {Error} for a setting that is no integer: a campaign that tries something else than it says is worth nothing */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const read = (name: string, fallback: number, min: number): number => {
    const text = env[name]
    if (text === undefined || text === '') return fallback
    const value = Number(text)
    if (!/^-?\d{1,10}$/.test(text) || value < min) throw new Error(`${name} must be an integer of at least ${min}`)
    return value
  }
  return { runs: read('FUZZ_RUNS', RUNS_DEFAULT, 1), seed: read('FUZZ_SEED', SEED_DEFAULT, -(2 ** 31)) }
}

export function readKeptSeeds(): readonly KeptSeed[] {
  return JSON.parse(readFileSync(new URL('seeds.json', import.meta.url), 'utf8')) as KeptSeed[] // settings.test.ts looks.
}

/** How many of the usual runs a property gets: fewer where a run costs more, and many where it costs nothing. */
export interface HoldOptions<T> {
  readonly share?: number
  /** Values that are tried first, whatever the seed. */
  readonly examples?: T[]
}

const settings = readSettings(process.env)
const allKept = readKeptSeeds()

/**
 * Holds a property: for what broke it once, then for as many values as are asked for. fast-check prints the seed and the
 * path of a failure; they belong into `seeds.json`.
 *
 * @param test the test that the property is the body of: its title is the property's name
 */
export async function hold<T>(
  test: { readonly name: string },
  property: fc.IAsyncProperty<T> | fc.IProperty<T>,
  { share = 1, examples = [] }: HoldOptions<T> = {},
  kept: readonly KeptSeed[] = allKept,
): Promise<void> {
  const numRuns = Math.max(1, Math.round(settings.runs * share))
  for (const { seed, path } of kept.filter(({ property: name }) => name === test.name)) {
    const only = path === undefined ? { numRuns } : { path, numRuns: 1, endOnFailure: true }
    await fc.assert(property, { seed, examples, ...only }) // The examples count in the path.
  }
  await fc.assert(property, { seed: settings.seed, numRuns, examples })
}
