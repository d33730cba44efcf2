/**
 * The clock of a store within this process: as `now`, and forward at every call, so that of two events one is earlier.
 *
 * @param now epoch seconds
 * @returns epoch microseconds
 */
export function createTicks(now: () => number): () => number {
  let last = 0
  return () => {
    last = Math.max(last + 1, Math.floor(now() * 1e6))
    return last
  }
}
