/** Numbers in [0, 1) that are the same in every run (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** How often something happens whose mean is `mean`. */
export function drawCount(random: () => number, mean: number): number {
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = random(); product > limit; product *= random()) count += 1
  return count
}

/** A waiting time whose mean is `mean`. */
export const drawWait = (random: () => number, mean: number): number => -Math.log(1 - random()) * mean

/** An hour of the day as a fraction of it, where more happens at some hours: the density is 1 - depth · cos(2πt). */
export function drawTimeOfDay(random: () => number, depth: number): number {
  for (;;) {
    const time = random()
    if (random() * (1 + depth) <= 1 - depth * Math.cos(2 * Math.PI * time)) return time
  }
}
