/** Values over the scenario `minimal` (or another one) that must be refused, and what Helm must say. */
export interface Refusal {
  readonly what: string
  readonly values: unknown
  readonly says: RegExp
  readonly scenario?: string
}

/** An object of one entry for each of several values. */
export const each = (
  values: readonly unknown[],
  build: (value: unknown) => unknown,
  what: (value: unknown) => string,
  says: RegExp,
): Refusal[] => values.map((value) => ({ what: what(value), values: build(value), says }))
