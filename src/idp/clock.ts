import type { IdpLog } from './log.ts'

/** Beyond this a signed request may be refused: the IdP allows 300 s of life, and some verifiers no skew at all. */
const OFFSET_MAX_S = 30

const WARNING_EVERY_S = 3600

/** Compares our clock with the IdP's (LG-05): a skew is the likeliest reason for a refusal that nothing explains. */
export interface Clock {
  /**
   * @param headers of a response: `Date`, and `Age` where a cache answered (RFC 9110 §6.6.1, RFC 9111 §5.1)
   * @param sentAt epoch seconds at which its request left
   */
  observeDate(headers: Headers, sentAt: number): void
  /** How far the IdP's clock is ahead of ours, seconds; undefined until it answered once. */
  offsetS(): number | undefined
}

/** @param deps.now epoch seconds */
export function createClock({ now, log }: { now: () => number; log: IdpLog }): Clock {
  let offset: number | undefined
  let warnedAt = Number.NEGATIVE_INFINITY

  return {
    observeDate(headers, sentAt) {
      const date = Date.parse(headers.get('date') ?? '') / 1000
      const age = Number(headers.get('age') ?? 0)
      if (!Number.isFinite(date) || !Number.isFinite(age)) return
      offset = measureOffset(date + age, sentAt, now())
      if (Math.abs(offset) <= OFFSET_MAX_S || now() - warnedAt < WARNING_EVERY_S) return
      warnedAt = now()
      log.warn(
        { clockOffsetS: Math.round(offset) },
        'the clock differs from the identity provider’s: signed requests may be refused; synchronise it (NTP)',
      )
    },
    offsetS: () => offset,
  }
}

/** The header has whole seconds and was written at some point of the exchange: only what that leaves over is skew. */
function measureOffset(date: number, sentAt: number, receivedAt: number): number {
  if (date > receivedAt) return date - receivedAt
  return Math.min(0, date + 1 - sentAt)
}
