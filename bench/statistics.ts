/** The middle one; of an even number, the upper of the two in the middle. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** What a thing costs when nothing else gets in its way: other work on the machine only ever adds. */
export const least = (values: readonly number[]): number => Math.min(...values)

/** The value that `share` of all values do not exceed; `sorted` ascending. */
export const percentile = (sorted: ArrayLike<number>, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN

/** For printing and for `results.json`: figures with more digits pretend to know more than they do. */
export const round = (value: number, digits = 2): number => Number(value.toFixed(digits))

/** 1000 is `1 k`, 1,000,000 is `1 M`. */
export const shorten = (count: number): string =>
  count >= 1e6 ? `${count / 1e6} M` : count >= 1000 ? `${count / 1000} k` : `${count}`
