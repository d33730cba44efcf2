import { setTimeout as sleep } from 'node:timers/promises'

/** Promised for the way back to Redis, without a restart (contract §7). */
const RECOVERY_MAX_MS = 10_000

/**
 * Tries until it works; fails with the last error when that takes longer than promised.
 *
 * @returns after how many milliseconds it worked
 */
export async function recover(work: () => unknown): Promise<number> {
  const startedAt = performance.now()
  for (;;) {
    try {
      await work()
      return performance.now() - startedAt
    } catch (error) {
      if (performance.now() - startedAt > RECOVERY_MAX_MS) throw error
      await sleep(50)
    }
  }
}
