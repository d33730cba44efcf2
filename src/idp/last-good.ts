/** A value that is fetched, and of which the last good copy outlives failures for a bounded time (KY-03). */
export interface LastGood<T> {
  /** The copy held and its age in seconds; undefined when there is none, or when it is too old to be believed. */
  peek(): { readonly value: T; readonly ageS: number } | undefined
  /**
   * Loads anew; concurrent callers share one load. Soon after a failure it fails at once, with the same error, so that
   * many callers are not many attempts.
   */
  refresh(): Promise<T>
}

export interface LastGoodOptions<T> {
  readonly load: () => Promise<T>
  /** Epoch seconds. */
  readonly now: () => number
  /** How long a copy may be used, seconds. */
  readonly keepS: number
  /** How long after a failure nothing is tried, seconds. */
  readonly cooldownS: number
}

export function createLastGood<T>({ load, now, keepS, cooldownS }: LastGoodOptions<T>): LastGood<T> {
  let copy: { readonly value: T; readonly at: number } | undefined
  let failure: { readonly error: unknown; readonly at: number } | undefined
  let running: Promise<T> | undefined

  const attempt = async (): Promise<T> => {
    try {
      const value = await load()
      copy = { value, at: now() }
      failure = undefined
      return value
    } catch (error) {
      failure = { error, at: now() }
      throw error
    } finally {
      running = undefined
    }
  }

  return {
    peek() {
      if (copy === undefined || now() - copy.at > keepS) return undefined
      return { value: copy.value, ageS: now() - copy.at }
    },
    async refresh() {
      if (running !== undefined) return running
      if (failure !== undefined && now() - failure.at < cooldownS) throw failure.error
      running = attempt()
      return running
    },
  }
}
