/** Of a room's mutants, so many per cent have to be killed. */
const PERCENT_MIN = 85

/** Of the mutation-testing report schema, what is read here. */
export interface Report {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>
}

interface Mutant {
  readonly mutatorName: string
  readonly replacement: string
  readonly status: 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'CompileError' | 'RuntimeError' | 'Ignored'
  readonly location: { readonly start: { readonly line: number } }
}

/** A mutant that may live, told by what stands in its line and not by the line's number, with the reason why. */
export interface Survivor {
  readonly file: string
  /** The line of the source that it changes, without its indentation. */
  readonly code: string
  /** What stands in its place; absent for whatever is done to the line. */
  readonly replacement?: string
  readonly reason: string
}

export interface Alive {
  readonly file: string
  readonly line: number
  readonly code: string
  readonly replacement: string
}

export interface Verdict {
  /** A folder of `src`. */
  readonly room: string
  readonly killed: number
  readonly total: number
  readonly percent: string
  readonly isEnough: boolean
  /** Who lives without a reason. */
  readonly unexplained: readonly Alive[]
  /** Reasons that nobody needs any more. */
  readonly outdated: readonly Survivor[]
}

const KILLED: ReadonlySet<string> = new Set(['Killed', 'Timeout'])
const ALIVE: ReadonlySet<string> = new Set(['Survived', 'NoCoverage'])

const explains = (survivor: Survivor, mutant: Alive): boolean =>
  survivor.file === mutant.file &&
  survivor.code === mutant.code &&
  (survivor.replacement === undefined || survivor.replacement === mutant.replacement)

/** What a run of Stryker over one room says. */
export function judgeMutants({ files }: Report, survivors: readonly Survivor[]): Verdict {
  const all = Object.entries(files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split('\n')
    return mutants.map(({ status, location: { start }, replacement }) => ({
      status,
      alive: { file, line: start.line, code: lines[start.line - 1]?.trim() ?? '', replacement },
    }))
  })
  const killed = all.filter(({ status }) => KILLED.has(status)).length
  const alive = all.filter(({ status }) => ALIVE.has(status)).map((mutant) => mutant.alive)
  const total = killed + alive.length
  const percent = (killed / total) * 100
  return {
    room: Object.keys(files)[0]?.split('/')[1] ?? '',
    killed,
    total,
    percent: percent.toFixed(1),
    isEnough: percent >= PERCENT_MIN,
    unexplained: alive.filter((mutant) => !survivors.some((survivor) => explains(survivor, mutant))),
    outdated: survivors.filter(
      (survivor) => Object.hasOwn(files, survivor.file) && !alive.some((mutant) => explains(survivor, mutant)),
    ),
  }
}
