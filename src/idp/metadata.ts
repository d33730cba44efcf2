import { BffError } from '../errors.ts'
import { type DiscoveryOptions, fetchMetadata, type IdpMetadata, MetadataUnusable } from './discovery.ts'
import { createLastGood } from './last-good.ts'

export type { TokenAuthMethod } from './client-auth.ts'
export type { IdpMetadata } from './discovery.ts'

const FRESH_S = 3600
const KEEP_S = 24 * 3600

/** After a failure, callers get that failure for so long: recovery is noticed soon, and a rush is one attempt. */
const COOLDOWN_S = 2

const TICK_MS_MAX = 10_000
const TICK_MS_MIN = 2000

/** `degraded`: the IdP is merely out of reach. `unusable`: what it published cannot be worked with. */
export interface MetadataStatus {
  readonly state: 'ok' | 'degraded' | 'unusable'
  /** Names the field or the failure; for operators. */
  readonly reason?: string
}

/** The IdP's metadata: fetched, checked, kept fresh. */
export interface Metadata {
  /** @throws {BffError} idp_unavailable when none was ever had, or the last good copy is over 24 h old */
  get(): Promise<IdpMetadata>
  /** How the last attempt went, whether or not a good copy is held. */
  status(): MetadataStatus
  /** Fetches in the background from now on, until `close`. */
  start(): void
  close(): void
}

export interface MetadataOptions extends DiscoveryOptions {
  /** Epoch seconds. */
  readonly now: () => number
  /** Runs something later and returns how to call it off; the process need not live for it. */
  readonly later?: (ms: number, run: () => void) => () => void
}

/** Nothing is fetched before `start` or the first `get`. */
export function createMetadata(options: MetadataOptions): Metadata {
  const { now, log, later = setUnrefTimeout } = options
  // Replicas that started together do not ask together ever after.
  const freshS = FRESH_S * (0.9 + 0.2 * Math.random())
  let status: MetadataStatus = { state: 'degraded', reason: 'discovery was not fetched yet' }
  let stop: (() => void) | undefined
  let failures = 0

  const settle = (next: MetadataStatus): void => {
    if (next.state === status.state && next.reason === status.reason) return // Said once, not every ten seconds.
    status = next
    if (next.state === 'ok') log.info({}, 'identity provider metadata is usable')
    else log.warn({ state: next.state, reason: next.reason }, 'identity provider metadata could not be refreshed')
  }

  const load = async (): Promise<IdpMetadata> => {
    try {
      const metadata = await fetchMetadata(options)
      settle({ state: 'ok' })
      return metadata
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : 'discovery failed'
      settle({ state: judge(cause, status, cache.peek() !== undefined), reason })
      throw cause instanceof BffError ? cause : new BffError('idp_unavailable', reason, { cause })
    }
  }

  const cache = createLastGood({ load, now, keepS: KEEP_S, cooldownS: COOLDOWN_S })
  const isFresh = (): boolean => (cache.peek()?.ageS ?? Number.POSITIVE_INFINITY) <= freshS

  const tick = async (): Promise<void> => {
    try {
      if (!isFresh()) await cache.refresh()
      failures = 0
    } catch {
      failures += 1 // Reported by `load`.
    }
    if (stop === undefined) return
    stop = later(failures === 0 ? TICK_MS_MAX : backoffMs(failures), () => void tick())
  }

  return {
    async get() {
      const copy = cache.peek()
      if (copy === undefined) return cache.refresh()
      if (!isFresh()) cache.refresh().catch(() => {}) // Nobody waits for it; a failure is in `status`.
      return copy.value
    },
    status: () => status,
    start() {
      if (stop !== undefined) return
      stop = () => {}
      void tick()
    },
    close() {
      stop?.()
      stop = undefined
    },
  }
}

/** At most ten seconds: with the ten that one attempt may take, an IdP that is back is noticed within twenty. */
const backoffMs = (failures: number): number => Math.min(TICK_MS_MAX, TICK_MS_MIN * 2 ** (failures - 1))

function judge(cause: unknown, before: MetadataStatus, holdsCopy: boolean): 'degraded' | 'unusable' {
  // With a good copy in hand, an answer that is no metadata at all is an outage, not a wrong setting.
  if (cause instanceof MetadataUnusable) return cause.isMetadata || !holdsCopy ? 'unusable' : 'degraded'
  // Out of reach says nothing new about what was published last.
  return before.state === 'unusable' ? 'unusable' : 'degraded'
}

function setUnrefTimeout(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms).unref()
  return () => clearTimeout(timer)
}
