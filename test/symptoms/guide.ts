import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

const GUIDE = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8')

/** Addresses of a test, each with the one that the guide has in its place. */
export type Places = Readonly<Record<string, string>>

export const PAGE = 'http://localhost:5173'
export const SERVICE = 'http://localhost:8080'
export const IDP = 'https://account.oten.com'

/** What was said, as somebody with the addresses of the guide would see it. */
export function generalize(said: string, places: Places): string {
  const general = Object.entries(places).reduce((text, [ours, theirs]) => text.replaceAll(ours, theirs), said)
  return general.replace(/\brequest=[\w.-]+/g, 'request=…').trim()
}

/** Holds when the guide has these very words, so that a search for what one sees finds the symptom. */
export function assertQuoted(said: string, places: Places = {}): void {
  const general = generalize(said, places)
  assert.ok(GUIDE.includes(general), `docs/troubleshooting.md does not quote: ${general}`)
}
