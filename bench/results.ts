import type { OpenResult } from './load/open.ts'

/** One measurement of one server. */
export interface Slice {
  readonly per_second: number
  /** CPU of the server's process for one request. */
  readonly cpu_us: number
  readonly failed: number
}

/** One case; medians of its slices. A ratio of 1 is as fast as the other. */
export interface Comparison {
  readonly case: string
  /** By requests answered in the same time. */
  readonly ratio: number
  /** By CPU for one request, of the best round of each. */
  readonly cpu_ratio: number
  readonly per_second: number
  readonly cpu_us: number
  readonly rss_mb: number
  readonly failed: number
  readonly slices: readonly { readonly other: Slice; readonly subject: Slice }[]
}

/** Milliseconds; medians of the rounds. */
export interface Latency extends Omit<OpenResult, 'answered'> {
  readonly case: string
  /** The rate at which requests were due. */
  readonly per_second: number
  readonly rounds: readonly OpenResult[]
}

export interface Storm {
  readonly sessions: number
  readonly calls: number
  readonly token_requests: number
  /** Refresh tokens that were shown a second time. */
  readonly reused: number
  readonly failed: number
  readonly took_ms: number
}

export interface StartUp {
  readonly case: string
  /** From the start of the process to its first answer; the median. */
  readonly ms: number
  readonly runs_ms: readonly number[]
}

export interface Growth {
  readonly idle_mb: number
  readonly loaded_mb: number
  /** Some seconds after the load has ended. */
  readonly after_mb: number
  /** `after_mb` less `idle_mb`. */
  readonly growth_mb: number
  readonly load_s: number
  readonly per_second: number
}

export interface Room {
  readonly store: string
  readonly sessions: number
  /** All that the store takes for a session. */
  readonly octets: number
  /** Its tokens and claims alone. */
  readonly content: number
  /** The rest. */
  readonly beyond: number
}

export interface Sweep {
  readonly sessions: number
  /** Entries that had expired, and those that were reclaimed before the time was over. */
  readonly expired: number
  readonly swept: number
  readonly took_ms: number
  /** Delay of the event loop while it swept and served. */
  readonly p99_ms: number
  readonly longest_ms: number
}

/** What `bench/results.json` holds. A part that was not measured is empty. */
export interface Results {
  readonly machine: { readonly node: string; readonly cores: number; readonly cpu: string; readonly pinned: boolean }
  readonly connections: number
  readonly rounds: number
  readonly slice_ms: number
  readonly took_s: number
  readonly results: readonly Comparison[]
  readonly latency: readonly Latency[]
  readonly storm: readonly Storm[]
  readonly start_up: readonly StartUp[]
  readonly memory: readonly Growth[]
  readonly room: readonly Room[]
  readonly sweep: readonly Sweep[]
}
