import type { DatabaseSync } from 'node:sqlite'
import type { Batch } from './embedded-batch.ts'
import type { Store } from './store.ts'

/** The sets of the store in a file: one row for each member. */
export function createEmbeddedSets(db: DatabaseSync, { read, write }: Batch, now: () => number) {
  const sql = {
    add: db.prepare(`INSERT INTO members (key, member, expires_at) VALUES (?, ?, ?)
      ON CONFLICT (key, member) DO UPDATE SET expires_at = excluded.expires_at`),
    remove: db.prepare('DELETE FROM members WHERE key = ? AND member = ?'),
    read: db.prepare('SELECT member FROM members WHERE key = ? AND expires_at > ?'),
  }
  return {
    addMember: (key, member, ttlS) => write(() => void sql.add.run(key, member, now() + ttlS)),
    removeMember: (key, member) => write(() => void sql.remove.run(key, member)),
    members: (key) => read(() => sql.read.all(key, now()).map((row) => String(row.member))),
  } satisfies Partial<Store>
}
