import type { DatabaseSync } from 'node:sqlite'
import type { Batch } from './embedded-batch.ts'

/** Measured over a million sessions: a millisecond, and three or four to write back the pages that it changed. */
const ENTRIES_PER_STEP = 100
const MEMBERS_PER_STEP = 500

/**
 * Reclaims what has ended, a step at a time.
 *
 * @returns one step; true when there are more entries to reclaim
 */
export function createEmbeddedSweep(
  db: DatabaseSync,
  { commit }: Pick<Batch, 'commit'>,
  now: () => number,
  onSwept?: (entries: number) => void,
): () => boolean {
  // SQLite as built into Node has no `DELETE … LIMIT`.
  const sweepEntries = db.prepare(
    `DELETE FROM entries WHERE rowid IN (SELECT rowid FROM entries WHERE expires_at <= ? LIMIT ${ENTRIES_PER_STEP})`,
  )
  const sweepMembers = createMemberSweep(db, now)
  // Left to itself, SQLite writes the log back once it has 4 MB. What has expired lies all over the file, so that hardly
  // two of its pages are the same: a pause of 20 ms and more. In smaller pieces it takes no longer in all.
  const writeBack = db.prepare('PRAGMA wal_checkpoint(PASSIVE)')
  return () => {
    commit() // Nothing can be written back in the middle of a transaction.
    const entries = Number(sweepEntries.run(now()).changes)
    const members = sweepMembers()
    if (entries + members > 0) writeBack.all()
    onSwept?.(entries + members)
    return entries === ENTRIES_PER_STEP
  }
}

/**
 * Goes round the members in their order. By an index of when they end it would find them faster, but that takes as much
 * room as the members do, and mostly there is little to find: whoever ends a session removes its members.
 */
function createMemberSweep(db: DatabaseSync, now: () => number): () => number {
  const findLast = db.prepare(
    `SELECT key, member FROM members WHERE (key, member) > (?, ?) ORDER BY key, member
      LIMIT 1 OFFSET ${MEMBERS_PER_STEP - 1}`,
  )
  const sweep = db.prepare(
    'DELETE FROM members WHERE (key, member) > (?, ?) AND (key, member) <= (?, ?) AND expires_at <= ?',
  )
  const sweepRest = db.prepare('DELETE FROM members WHERE (key, member) > (?, ?) AND expires_at <= ?')
  let from: readonly [key: string, member: string] = ['', '']
  return () => {
    const row = findLast.get(...from)
    const to = row === undefined ? undefined : ([String(row.key), String(row.member)] as const)
    const { changes } = to === undefined ? sweepRest.run(...from, now()) : sweep.run(...from, ...to, now())
    from = to ?? ['', '']
    return Number(changes)
  }
}
