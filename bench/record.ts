import { type MeasuredPart, REPORTS } from './report.ts'
import type { Results } from './results.ts'

/** The measurements of a run so far. */
export type Measurements = { -readonly [Part in MeasuredPart]: Results[Part][number][] }

export interface Recorder {
  readonly measurements: Measurements
  /** Keeps a measurement and says it. */
  record<Part extends MeasuredPart>(part: Part, item: Results[Part][number]): void
}

export function createRecorder(): Recorder {
  const measurements: Measurements = {
    results: [],
    latency: [],
    storm: [],
    start_up: [],
    memory: [],
    room: [],
    sweep: [],
  }
  return {
    measurements,
    record(part, item) {
      const [list, report] = [measurements[part] as unknown[], REPORTS[part] as (item: unknown) => void] // Of one part.
      list.push(item)
      report(item)
    },
  }
}
