/** One value, or all of them where a name is repeated: a schema that wants a string then refuses the repetition. */
export function parseQuery(query: string): Record<string, string | string[]> {
  const parsed: Record<string, string | string[]> = Object.create(null) // No `__proto__` to be set by a caller.
  if (query === '') return parsed
  for (const [name, value] of new URLSearchParams(query)) {
    const earlier = parsed[name]
    if (earlier === undefined) parsed[name] = value
    else if (typeof earlier === 'string') parsed[name] = [earlier, value]
    else earlier.push(value) // In place: a new list each time would take the square of the repetitions.
  }
  return parsed
}
