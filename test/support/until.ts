import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks again and again until the answer is yes.
 *
 * @returns after how many milliseconds
 * @throws {Error} with the last thing that went wrong, when it stays no
 */
export async function until(isSo: () => Promise<boolean> | boolean, withinMs = 10_000): Promise<number> {
  const startedAt = performance.now()
  for (;;) {
    let fault: unknown
    try {
      if (await isSo()) return performance.now() - startedAt
    } catch (cause) {
      fault = cause
    }
    if (performance.now() - startedAt > withinMs) throw new Error(`not within ${withinMs} ms`, { cause: fault })
    await sleep(20)
  }
}
