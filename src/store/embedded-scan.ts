import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import type { Batch } from './embedded-batch.ts'

/** Rows read per turn of the event loop. */
const SCAN_ROWS = 500

/**
 * Reads the keys of both tables in their order, a page at a time. Each page begins after the key of the last, so that
 * changes in between disturb nothing.
 *
 * @returns the verb `scan`
 */
export function createEmbeddedScan(
  db: DatabaseSync,
  { read }: Pick<Batch, 'read'>,
  now: () => number,
): (prefix: string) => AsyncGenerator<string> {
  const values = db.prepare(
    `SELECT key, '' AS member, expires_at FROM entries WHERE key >= ? AND key > ? ORDER BY key LIMIT ${SCAN_ROWS}`,
  )
  const sets = db.prepare(
    `SELECT key, member, expires_at FROM members WHERE key >= ? AND (key, member) > (?, ?) ORDER BY key, member
      LIMIT ${SCAN_ROWS}`,
  )
  return async function* scan(prefix) {
    yield* walk(prefix, now, (last) => read(() => values.all(prefix, last.key)))
    yield* walk(prefix, now, (last) => read(() => sets.all(prefix, last.key, last.member)))
  }
}

interface Place {
  readonly key: string
  readonly member: string
}

type Rows = readonly Readonly<Record<string, unknown>>[]

async function* walk(
  prefix: string,
  now: () => number,
  readAfter: (last: Place) => Promise<Rows>,
): AsyncGenerator<string> {
  let last: Place = { key: '', member: '' }
  let told: string | undefined // A set has many rows, one after the other.
  for (;;) {
    const rows = await readAfter(last)
    const at = now()
    for (const row of rows) {
      last = { key: String(row.key), member: String(row.member) }
      if (!last.key.startsWith(prefix)) return // Keys with one beginning stand together.
      if (Number(row.expires_at) > at && last.key !== told) {
        told = last.key
        yield told
      }
    }
    if (rows.length < SCAN_ROWS) return
    await turn()
  }
}
