import type { Report } from './findings.ts'

/** One entry of a comma-separated value. Faults name its place, since its content is not to be shown. */
export interface Entry {
  readonly text: string
  readonly report: Report
}

/** Splits a comma-separated value; spaces around an entry do not count. An empty entry is a fault. */
export function splitList(value: string, report: Report): readonly Entry[] {
  if (value === '') return []
  const entries = value.split(',').map((text, index): Entry => {
    return { text: text.trim(), report: (sentence) => report(`entry ${index + 1} ${sentence}`) }
  })
  for (const entry of entries) if (entry.text === '') entry.report('is empty; remove the comma that is too many')
  return entries.filter((entry) => entry.text !== '')
}

/** Splits `name=value` at the first `=`. */
export function splitPair(entry: Entry, form: string): { readonly name: string; readonly value: string } | undefined {
  const at = entry.text.indexOf('=')
  if (at > 0 && at < entry.text.length - 1) return { name: entry.text.slice(0, at), value: entry.text.slice(at + 1) }
  entry.report(`must have the form ${form}`)
  return undefined
}
