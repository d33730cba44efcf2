import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { createEmbeddedStore, type EmbeddedStoreOptions } from '../../src/store/embedded-store.ts'
import { longestBlockMs } from './longest-block.ts'
import { testStore } from './store-contract.ts'

const script = join(import.meta.dirname, 'fixtures/store-process.ts')

function buildDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'store-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Waits for no one unless told to: a test that finds the file locked fails at once. */
async function open(t: TestContext, path: string, options: Partial<EmbeddedStoreOptions> = {}) {
  const store = await createEmbeddedStore({ path, now: () => 1000, waitMs: 0, ...options })
  t.after(() => store.close())
  return store
}

function start(t: TestContext, mode: string, path: string): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const child = spawn(process.execPath, [script, mode, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  return child
}

function execute(path: string, sql: string): void {
  const db = new DatabaseSync(path)
  db.exec(sql)
  db.close()
}

testStore('embedded', 'alone', async (t) => {
  let now = 1_700_000_000.25
  const store = await open(t, join(buildDirectory(t), 'sessions.db'), { now: () => now })
  const advance = (seconds: number) => {
    now += seconds
  }
  return { store, advance }
})

test('embedded store: ends at the very instant, also between two seconds', async (t) => {
  let now = 1000.25
  const store = await open(t, join(buildDirectory(t), 'sessions.db'), { now: () => now })
  await store.set('k', 'v', 1)
  now = 1001
  assert.equal(await store.get('k'), 'v')
  now = 1001.25
  assert.equal(await store.get('k'), undefined)
})

test('embedded store: survives a restart, and closing leaves one file with everything in it', async (t) => {
  const directory = buildDirectory(t)
  const path = join(directory, 'sessions.db')
  const before = await open(t, path)
  assert.equal(before.exclusive, true)
  await before.set('k', 'v', 10)
  await before.close()
  assert.deepEqual(readdirSync(directory), ['sessions.db'])
  const after = await open(t, path, { now: () => 1009 })
  assert.equal(await after.get('k'), 'v')
})

test('embedded store: a killed process loses nothing that it acknowledged, and the file opens at once', async (t) => {
  const path = join(buildDirectory(t), 'sessions.db')
  const child = start(t, 'write', path)
  let acknowledged = -1
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line)
    if (acknowledged === 3000) child.kill('SIGKILL')
  }
  if (child.signalCode === null) await once(child, 'exit')
  assert.equal(child.signalCode, 'SIGKILL')
  assert.ok(acknowledged >= 3000)
  const store = await open(t, path)
  for (let n = 0; n <= acknowledged; n++) {
    assert.equal(await store.get(`k${n}`), n % 3 === 0 ? undefined : `value ${n}`)
  }
})

test('embedded store: a full disk is store_unavailable, and what was written can still be read', async (t) => {
  const path = join(buildDirectory(t), 'sessions.db')
  // A limit on the size of a file stands in for the full disk.
  const command = ['-c', 'ulimit -f 4000 && exec "$@"', 'sh', process.execPath, script, 'fill', path]
  const child = spawn('sh', command, { stdio: ['ignore', 'pipe', 'inherit'] })
  const said = JSON.parse(String((await child.stdout.toArray()).join('')))
  assert.equal(said.code, 'store_unavailable')
  assert.equal(said.first, 2000)
  assert.ok(said.written > 50)
  const store = await open(t, path)
  for (let n = 0; n < said.written; n++) assert.equal((await store.get(`k${n}`))?.length, 2000)
})

test('embedded store: a second process is refused, and told what to use instead', async (t) => {
  const path = join(buildDirectory(t), 'sessions.db')
  const child = start(t, 'hold', path)
  await once(child.stdout, 'data')
  const startedAt = performance.now()
  await assert.rejects(
    open(t, path, { waitMs: 300 }),
    /session store file is in use by another process; several replicas need Redis/,
  )
  assert.ok(performance.now() - startedAt >= 300)
})

test('embedded store: a second store in the same process is refused too, and does not loosen the lock', async (t) => {
  const path = join(buildDirectory(t), 'sessions.db')
  await open(t, path)
  await assert.rejects(open(t, path), /in use by another process/)
  const child = spawn(
    process.execPath,
    ['-e', `new (require('node:sqlite').DatabaseSync)(process.argv[1]).exec('SELECT * FROM entries')`, path],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  assert.match((await child.stderr.toArray()).join(''), /database is locked/)
})

test('embedded store: waits for the process before it, and has its data when that is gone', async (t) => {
  const path = join(buildDirectory(t), 'sessions.db')
  const seed = await open(t, path)
  await seed.set('k', 'v', 10)
  await seed.close()
  const child = start(t, 'hold', path)
  await once(child.stdout, 'data')
  const opening = open(t, path, { waitMs: 15_000 }) // Its first try is over by now, and was in vain.
  child.stdin?.end()
  const store = await opening
  assert.equal(await store.get('k'), 'v')
})

test('embedded store: reclaims 50 000 expired rows, keeps the living, and does not stall', async (t) => {
  const path = join(buildDirectory(t), 'sessions.db')
  const rows = 50_000
  await (await open(t, path)).close()
  const seed = new DatabaseSync(path)
  const insert = seed.prepare('INSERT INTO entries (key, value, expires_at) VALUES (?, ?, ?)')
  seed.exec('BEGIN')
  for (let n = 0; n < rows; n++) insert.run(`flood ${(n * 7919) % rows}`, 'v'.repeat(1000), 1000 + (n % 600))
  seed.exec('COMMIT')
  seed.close()

  let swept = 0
  const done = Promise.withResolvers<void>()
  const onSwept = (entries: number) => {
    swept += entries
    if (swept >= rows) done.resolve()
  }
  const store = await open(t, path, { now: () => 2000, onSwept })
  await store.set('alive', 'v', 10)
  const blockMs = await longestBlockMs(() => done.promise)
  assert.equal(swept, rows)
  assert.equal(await store.get('alive'), 'v')
  assert.ok(blockMs < 500, `longest block ${blockMs} ms`)
  await store.close()
  const after = new DatabaseSync(path, { readOnly: true })
  t.after(() => after.close())
  assert.deepEqual({ ...after.prepare('SELECT count(*) AS rows FROM entries').get() }, { rows: 1 })
})

test('embedded store: reclaims the members of sets that have ended', async (t) => {
  const path = join(buildDirectory(t), 'sessions.db')
  let now = 1000
  const done = Promise.withResolvers<void>()
  let swept = 0
  const onSwept = (entries: number) => {
    swept += entries
    if (swept === 500) done.resolve()
  }
  const store = await open(t, path, { now: () => now, onSwept })
  for (let n = 0; n < 500; n++) await store.addMember(`s${n % 7}`, `m${n}`, 100)
  await store.addMember('s0', 'alive', 200)
  now = 1150
  await done.promise
  assert.deepEqual(await store.members('s0'), ['alive'])
  await store.close()
  const after = new DatabaseSync(path, { readOnly: true })
  t.after(() => after.close())
  assert.deepEqual({ ...after.prepare('SELECT count(*) AS rows FROM members').get() }, { rows: 1 })
})

test('embedded store: a file of the first schema version is kept, and brought up to date', async (t) => {
  const path = join(buildDirectory(t), 'sessions.db')
  execute(
    path,
    `CREATE TABLE entries (key TEXT PRIMARY KEY, expires_at REAL NOT NULL, value TEXT NOT NULL);
     CREATE INDEX entries_by_expiry ON entries (expires_at);
     INSERT INTO entries (key, expires_at, value) VALUES ('k', 2000, 'v');
     PRAGMA application_id = 0x6f74656e; PRAGMA user_version = 1`,
  )
  for (const round of [1, 2]) {
    const store = await open(t, path)
    assert.equal(await store.get('k'), 'v')
    await store.addMember('s', `m${round}`, 10)
    assert.equal((await store.members('s')).length, round)
    await store.close()
  }
})

test('embedded store: a damaged or foreign file is refused by name and left as it was', async (t) => {
  const directory = buildDirectory(t)
  const sound = join(directory, 'sound.db')
  const store = await open(t, sound)
  for (let n = 0; n < 100; n++) await store.set(`k${n}`, 'v'.repeat(1000), 10)
  await store.close()
  const bytes = readFileSync(sound)
  const foreign = join(directory, 'foreign.db')
  execute(foreign, 'CREATE TABLE accounts (id TEXT); PRAGMA user_version = 1')
  const newer = join(directory, 'newer.db')
  writeFileSync(newer, bytes)
  execute(newer, 'PRAGMA user_version = 4')

  const cases: [string, Buffer, RegExp][] = [
    ['text', Buffer.from('PORT=3000\n'.repeat(1000)), /is not a SQLite database/],
    ['short', Buffer.from('hi'), /is not a SQLite database/],
    ['truncated', bytes.subarray(0, bytes.length / 2), /is damaged/],
    ['schema overwritten', Buffer.from(bytes).fill('A', 100, 4096), /is damaged/],
    ['rows overwritten', Buffer.from(bytes).fill('A', 5 * 8192, 6 * 8192), /is damaged/],
    ['foreign', readFileSync(foreign), /is the database of another application/],
    ['newer', readFileSync(newer), /was written by a newer release \(schema version 4\)/],
  ]
  for (const [name, contents, sentence] of cases) {
    const path = join(directory, name)
    writeFileSync(path, contents)
    chmodSync(path, 0o644)
    await assert.rejects(open(t, path), (error: Error) => {
      assert.match(error.message, sentence)
      assert.ok(error.message.includes(path))
      return true
    })
    assert.ok(readFileSync(path).equals(contents), `${name} was changed`)
    assert.equal(statSync(path).mode & 0o777, 0o644)
    assert.ok(!existsSync(`${path}-wal`))
  }
})

test('embedded store: a place that cannot be written is named', async (t) => {
  const directory = buildDirectory(t)
  await assert.rejects(open(t, directory), new RegExp(`session store file ${directory} cannot be opened`))
  writeFileSync(join(directory, 'file'), '')
  await assert.rejects(open(t, join(directory, 'file/sessions.db')), /cannot be opened: E/)
})

test('embedded store: only the owner can read, whatever the umask and the mode before', async (t) => {
  const umask = process.umask(0)
  t.after(() => process.umask(umask))
  const directory = join(buildDirectory(t), 'deep', 'data')
  const path = join(directory, 'sessions.db')
  const mode = (file: string) => (statSync(file).mode & 0o777).toString(8)
  const first = await open(t, path)
  await first.set('k', 'v', 10)
  assert.equal(mode(join(directory, '..')), '700')
  assert.equal(mode(directory), '700')
  assert.deepEqual(
    readdirSync(directory).map((file) => `${file} ${mode(join(directory, file))}`),
    ['sessions.db 600', 'sessions.db-wal 600'],
  )
  await first.close()
  chmodSync(path, 0o644)
  const second = await open(t, path)
  await second.set('k', 'v', 10)
  assert.equal(mode(path), '600')
  assert.equal(mode(`${path}-wal`), '600')
})
