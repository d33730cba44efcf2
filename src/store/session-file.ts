import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

const RETRY_MS = 250
/** `oten` in ASCII: tells our file from another application's database. */
const APPLICATION_ID = 0x6f74656e
/** Reading a file of this size through takes about 0.1 s; in a larger one, damage shows only when it is read. */
const CHECKED_BYTES_MAX = 128 * 1024 * 1024

const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

/**
 * What each schema version adds to the one before; never edited, only continued. `entries` is a rowid table: rows over
 * 1 KB would more than double the size of a `WITHOUT ROWID` one, and slow its reads. Those of `members` are small.
 */
const SCHEMA_STEPS = [
  `CREATE TABLE entries (key TEXT PRIMARY KEY, expires_at REAL NOT NULL, value TEXT NOT NULL);
   CREATE INDEX entries_by_expiry ON entries (expires_at);
   PRAGMA application_id = ${APPLICATION_ID};`,
  `CREATE TABLE members (key TEXT, member TEXT, expires_at REAL NOT NULL, PRIMARY KEY (key, member)) WITHOUT ROWID;
   CREATE INDEX members_by_expiry ON members (expires_at);`,
  `CREATE TABLE octets (key TEXT PRIMARY KEY, expires_at REAL NOT NULL, value BLOB NOT NULL);
   INSERT INTO octets SELECT key, expires_at, CAST(value AS BLOB) FROM entries;
   DROP TABLE entries;
   ALTER TABLE octets RENAME TO entries;
   CREATE INDEX entries_by_expiry ON entries (expires_at);
   DROP INDEX members_by_expiry;`,
]
const SCHEMA_VERSION = SCHEMA_STEPS.length

/** Of a new file. A session takes some 1.5 KB: five fill a page of 8 KB, where of the usual 4 KB a quarter stayed empty. */
const PAGES = 'PRAGMA page_size = 8192'

/**
 * Settings that last as long as the connection. `synchronous = NORMAL`: what was acknowledged survives the death of
 * the process; a power cut may undo the last moments. `secure_delete = OFF`: values are sealed by the caller and keys
 * hold no secret, so what stays in freed pages tells nothing, and the WAL would keep a copy anyway; zeroing would write
 * every freed page once more. `temp_store = MEMORY`: a container's root may be read-only.
 */
const SETTINGS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = 500;
  PRAGMA secure_delete = OFF;
  PRAGMA temp_store = MEMORY;
`

/**
 * Opens the session file for this process alone, and creates it where there is none. Nothing else in the process may
 * open the file meanwhile: closing any descriptor of it would drop the lock (POSIX `fcntl`).
 *
 * @param path where the file is; missing directories are created, readable for their owner only
 * @param waitMs how long another process may still hold the file: a rolling restart overlaps
 * @throws {Error} saying what is wrong with the file, which is then left as it was
 */
export async function openSessionFile(path: string, waitMs: number): Promise<DatabaseSync> {
  const giveUpAt = performance.now() + waitMs
  for (;;) {
    try {
      return openNow(path)
    } catch (cause) {
      if (resultCode(cause) !== SQLITE_BUSY) throw new Error(`session store file ${path} ${problem(cause)}`, { cause })
      if (performance.now() >= giveUpAt) {
        const sentence = 'session store file is in use by another process; several replicas need Redis'
        throw new Error(`${sentence} (${path})`, { cause })
      }
    }
    await sleep(Math.min(RETRY_MS, Math.max(1, giveUpAt - performance.now())))
  }
}

function openNow(path: string): DatabaseSync {
  createFile(path)
  const db = new DatabaseSync(path, { timeout: 0 }) // Waiting inside SQLite would stall the event loop.
  try {
    db.exec(PAGES) // Of no effect on a file that has pages.
    // The lock is taken with the first statement and, unlike in the normal mode, kept until the connection closes.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT')
    const version = checkContents(db, path)
    restrictToOwner(path)
    db.exec(SETTINGS)
    if (version < SCHEMA_VERSION) upgrade(db, version)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** `wx` creates and never opens what exists; SQLite gives the files beside it (`-wal`) the mode of this one. */
function createFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/** A file from a backup may have come back readable for everyone. */
function restrictToOwner(path: string): void {
  for (const file of [path, `${path}-wal`]) {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0
    if ((mode & 0o077) !== 0) chmodSync(file, 0o600)
  }
}

/** The schema version of the file; 0 when it is still empty. */
function checkContents(db: DatabaseSync, path: string): number {
  const first = (sql: string) => Object.values(db.prepare(sql).get() ?? {})[0]
  const version = Number(first('PRAGMA user_version'))
  if (version > SCHEMA_VERSION) throw new Error(`was written by a newer release (schema version ${version})`)
  if (first('SELECT count(*) FROM sqlite_schema') === 0) return 0
  if (first('PRAGMA application_id') !== APPLICATION_ID) throw new Error('is the database of another application')
  if (statSync(path).size <= CHECKED_BYTES_MAX) {
    const finding = first('PRAGMA quick_check(1)')
    if (finding !== 'ok') throw new Error(`is damaged: ${finding}`)
  }
  return version
}

function upgrade(db: DatabaseSync, version: number): void {
  const steps = SCHEMA_STEPS.slice(version).join('\n')
  db.exec(`BEGIN; ${steps} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`)
}

function problem(error: unknown): string {
  if (!(error instanceof Error)) return 'cannot be opened'
  const code = resultCode(error)
  if (code === SQLITE_NOTADB) return 'is not a SQLite database'
  if (code === SQLITE_CORRUPT) return `is damaged: ${error.message}`
  return 'code' in error ? `cannot be opened: ${error.message}` : error.message
}

/** SQLite's primary result code, without the detail in its upper bits. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error && 'errcode' in error && typeof error.errcode === 'number')) return undefined
  return error.errcode & 0xff
}
