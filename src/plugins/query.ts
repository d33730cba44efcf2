/** One value, or all of them where a name is repeated: a schema that wants a string then refuses the repetition. */
export function parseQuery(query: string): Record<string, string | string[]> {
  const parsed: Record<string, string | string[]> = Object.create(null) // No `__proto__` to be set by a caller.
  if (query === '') return parsed
  for (const [name, value] of new URLSearchParams(query)) {
    const earlier = parsed[name]
    parsed[name] = earlier === undefined ? value : [earlier, value].flat()
  }
  return parsed
}
