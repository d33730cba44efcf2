import type { DatabaseSync } from 'node:sqlite'

/** Measured: larger pieces stall requests for longer, and reclaim no more in the same time. */
const ENTRIES_PER_STEP = 100
const MEMBERS_PER_STEP = 500

/**
 * Reclaims what has ended, a step at a time.
 *
 * @returns one step; true when there are more entries to reclaim
 */
export function createEmbeddedSweep(
  db: DatabaseSync,
  now: () => number,
  onSwept?: (entries: number) => void,
): () => boolean {
  // SQLite as built into Node has no `DELETE … LIMIT`.
  const sweepEntries = db.prepare(
    `DELETE FROM entries WHERE rowid IN (SELECT rowid FROM entries WHERE expires_at <= ? LIMIT ${ENTRIES_PER_STEP})`,
  )
  const sweepMembers = createMemberSweep(db, now)
  return () => {
    const entries = Number(sweepEntries.run(now()).changes)
    onSwept?.(entries + sweepMembers())
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
