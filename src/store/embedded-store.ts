import type { DatabaseSync } from 'node:sqlite'
import { attempt } from './attempt.ts'
import { createChannels } from './channels.ts'
import { type Batch, createBatch } from './embedded-batch.ts'
import { createEmbeddedScan } from './embedded-scan.ts'
import { createEmbeddedSets } from './embedded-sets.ts'
import { createEmbeddedSweep } from './embedded-sweep.ts'
import { openSessionFile } from './session-file.ts'
import type { Store } from './store.ts'
import { startSweep } from './sweep.ts'
import { createTicks } from './ticks.ts'

const SWEEP_PAUSE_MS = 2

/** What a store in a file needs. */
export interface EmbeddedStoreOptions {
  /** The SQLite file; missing directories are created. */
  readonly path: string
  /** Epoch seconds, fractions allowed. */
  readonly now: () => number
  /** How long another process may still hold the file: a rolling restart overlaps. */
  readonly waitMs?: number
  /** Told how many expired entries a step of the sweep reclaimed. */
  readonly onSwept?: (entries: number) => void
}

/**
 * Keeps everything in one SQLite file, which this process holds alone: callers may remember what they read. Survives
 * restarts and the death of the process.
 *
 * @throws {Error} when the file is held by another process, damaged, not ours, or of a newer release
 */
export async function createEmbeddedStore(options: EmbeddedStoreOptions): Promise<Store> {
  const { path, now, waitMs = 15_000, onSwept } = options
  const db = await openSessionFile(path, waitMs)
  const batch = createBatch(db)
  const channels = createChannels()
  const stopSweep = startSweep(createEmbeddedSweep(db, batch, now, onSwept), SWEEP_PAUSE_MS)
  const tick = createTicks(now)
  const open = () => {
    if (!db.isOpen) throw new Error('the store is closed')
    return { channels, tick }
  }

  return {
    exclusive: true,
    ...createValues(db, batch, now),
    ...createEmbeddedSets(db, batch, now),
    scan: createEmbeddedScan(db, batch, now),
    publish: (channel, message) => attempt(() => open().channels.tell(channel, message)),
    subscribe: (channel, onMessage, onGap) => attempt(() => open().channels.add(channel, { onMessage, onGap })),
    time: () => attempt(() => open().tick()),
    close: () =>
      attempt(() => {
        stopSweep()
        channels.clear()
        if (!db.isOpen) return
        batch.commit()
        db.close() // The last connection to close writes the WAL back into the file and removes it.
      }),
  }
}

function createValues(db: DatabaseSync, { read, write }: Batch, now: () => number) {
  const sql = prepare(db)
  return {
    get: (key) => read(() => decode(sql.get.get(key, now()))),
    set: (key, value, ttlS) => write(() => void sql.set.run(key, encode(value), now() + ttlS)),
    add: (key, value, ttlS) =>
      write(() => {
        const at = now()
        return sql.add.run(key, encode(value), at + ttlS, at).changes > 0
      }),
    replace: (key, value, ttlS) =>
      write(() => {
        const at = now()
        return sql.replace.run(encode(value), at + ttlS, key, at).changes > 0
      }),
    // `all`, since `get` leaves the statement before its end, and with it before the outcome of the commit.
    take: (key) => write(() => decode(sql.take.all(key, now())[0])),
    delete: (key) =>
      write(() => {
        const at = now()
        return Number(sql.delete.run(key, at).changes) + Number(sql.deleteSet.run(key, at).changes) > 0
      }),
    expire: (key, ttlS) =>
      write(() => {
        const at = now()
        return sql.expire.run(at + ttlS, key, at).changes > 0
      }),
    swap: (key, expected, value, ttlS) =>
      write(() => {
        const at = now()
        return sql.swap.run(encode(value), at + ttlS, key, at, encode(expected)).changes > 0
      }),
    deleteIf: (key, expected) => write(() => sql.deleteIf.run(key, now(), encode(expected)).changes > 0),
    increment: (key, ttlS) =>
      write(() => {
        const at = now()
        return Number(decode(sql.increment.all(key, at + ttlS, at)[0]))
      }),
    ping: () => read(() => void sql.ping.get()),
  } satisfies Partial<Store>
}

const encode = (value: string): Buffer => Buffer.from(value, 'latin1')

function decode(row: Record<string, unknown> | undefined): string | undefined {
  if (!(row?.value instanceof Uint8Array)) return undefined
  const { buffer, byteOffset, byteLength } = row.value
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
}

/** One statement per verb. */
function prepare(db: DatabaseSync) {
  const upsert = `INSERT INTO entries (key, value, expires_at) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`
  return {
    get: db.prepare('SELECT value FROM entries WHERE key = ? AND expires_at > ?'),
    set: db.prepare(upsert),
    add: db.prepare(`${upsert} WHERE entries.expires_at <= ?`),
    replace: db.prepare('UPDATE entries SET value = ?, expires_at = ? WHERE key = ? AND expires_at > ?'),
    take: db.prepare('DELETE FROM entries WHERE key = ? AND expires_at > ? RETURNING value'),
    delete: db.prepare('DELETE FROM entries WHERE key = ? AND expires_at > ?'),
    deleteSet: db.prepare('DELETE FROM members WHERE key = ? AND expires_at > ?'),
    expire: db.prepare('UPDATE entries SET expires_at = ? WHERE key = ? AND expires_at > ?'),
    swap: db.prepare('UPDATE entries SET value = ?, expires_at = ? WHERE key = ? AND expires_at > ? AND value = ?'),
    deleteIf: db.prepare('DELETE FROM entries WHERE key = ? AND expires_at > ? AND value = ?'),
    increment: db.prepare(`INSERT INTO entries (key, value, expires_at) VALUES (?, x'31', ?)
      ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at,
        value = CASE WHEN expires_at > ? THEN CAST(CAST(value AS INTEGER) + 1 AS BLOB) ELSE x'31' END
      RETURNING value`), // x'31': the digit 1.
    ping: db.prepare('SELECT count(*) FROM sqlite_schema'), // Reads the file, which `SELECT 1` would not.
  }
}
