import { openSessionFile } from '../../src/store/session-file.ts'
import { type FillPlan, fillSessions } from './sessions.ts'

/**
 * For the filling alone: nothing of it outlives the connection. Without a journal, since a file that is half filled is
 * thrown away; with the index in memory, or its random keys would be read from disk a million times.
 */
const SETTINGS =
  'PRAGMA journal_mode = DELETE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000'

/** Fills an embedded store, in one transaction. @returns the credentials */
export async function fillFile(path: string, plan: FillPlan): Promise<string[]> {
  const db = await openSessionFile(path, 0)
  try {
    db.exec(SETTINGS)
    const statements = {
      set: db.prepare('INSERT INTO entries (key, value, expires_at) VALUES (?, ?, ?)'),
      addMember: db.prepare('INSERT INTO members (key, member, expires_at) VALUES (?, ?, ?)'),
    }
    db.exec('BEGIN')
    const credentials = await fillSessions(plan, (batch) => {
      const now = Date.now() / 1000
      for (const { verb, key, value, ttlS } of batch.flat()) {
        statements[verb].run(key, verb === 'set' ? Buffer.from(value, 'latin1') : value, now + ttlS)
      }
    })
    db.exec('COMMIT')
    return credentials
  } finally {
    db.close()
  }
}

/** Lets the oldest sessions of a file end, as by their idle limit: lists hold them for longer. @returns how many entries that are */
export async function expireOldest(path: string, sessions: number): Promise<number> {
  const db = await openSessionFile(path, 0)
  try {
    db.exec('PRAGMA cache_size = -1000000')
    const now = Date.now() / 1000
    const last = db.prepare('SELECT rowid FROM entries WHERE key LIKE ? ORDER BY rowid LIMIT 1 OFFSET ?')
    const { rowid = 0 } = last.get('session:{%}', sessions - 1) ?? {}
    const entries = db.prepare('UPDATE entries SET expires_at = ? WHERE rowid <= ?').run(now, rowid)
    return Number(entries.changes)
  } finally {
    db.close()
  }
}
