import { randomFillSync } from 'node:crypto'

/** Drawn from the system at a time: to ask it for sixteen octets takes as long as for some thousand. */
const POOL_OCTETS = 4096

const pool = Buffer.alloc(POOL_OCTETS)
let used = POOL_OCTETS

/** Unpredictable octets, by the system's generator; each is given out once, and nothing is left of it here. */
export function drawRandom(octets: number): Buffer {
  if (octets > POOL_OCTETS) throw new RangeError('more than the pool holds')
  if (used + octets > POOL_OCTETS) {
    randomFillSync(pool)
    used = 0
  }
  const given = pool.subarray(used, used + octets)
  const drawn = Buffer.from(given) // A copy: what is in the pool belongs to others.
  given.fill(0)
  used += octets
  return drawn
}
