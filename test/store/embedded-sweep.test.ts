import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { createEmbeddedStore } from '../../src/store/embedded-store.ts'

const ROWS = 5000

test('embedded store: what the sweep changes is written back in small pieces, never all at once', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'store-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'sessions.db')
  await (await createEmbeddedStore({ path, now: () => 1000 })).close()
  const seed = new DatabaseSync(path)
  const insert = seed.prepare('INSERT INTO entries (key, value, expires_at) VALUES (?, ?, ?)')
  seed.exec('BEGIN')
  for (let n = 0; n < ROWS; n++) insert.run(`k ${(n * 7919) % ROWS}`, Buffer.alloc(1000), 1000 + (n % 600))
  seed.exec('COMMIT')
  seed.close()

  const done = Promise.withResolvers<void>()
  let swept = 0
  const onSwept = (entries: number): void => {
    swept += entries
    if (swept === ROWS) done.resolve()
  }
  const store = await createEmbeddedStore({ path, now: () => 2000, onSwept })
  t.after(() => store.close())
  await done.promise
  // The log begins again from its start once it is written back, and is as long as it ever was.
  const { size } = statSync(`${path}-wal`)
  assert.ok(size < 1.5 * 2 ** 20, `${size} octets; SQLite by itself writes back after four million`)
})
