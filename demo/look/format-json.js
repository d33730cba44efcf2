/** JSON for people: indented, with short lists on one line. */
export const formatJson = (value) =>
  JSON.stringify(value, null, 2).replaceAll(
    /\[\s+([^[\]{}]*?)\s+\]/g,
    (_list, items) => `[${items.replaceAll(/\s+/g, ' ')}]`,
  )
