import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createBatch } from '../../src/store/embedded-batch.ts'

const UNAVAILABLE = { code: 'store_unavailable' }

/** A database in memory, and its batch. */
function build(t: TestContext) {
  const db = new DatabaseSync(':memory:')
  t.after(() => db.isOpen && db.close())
  db.exec('CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL)')
  const insert = db.prepare('INSERT INTO rows (id, text) VALUES (?, ?)')
  const batch = createBatch(db)
  const add = (id: number, text: string | null = 'x') => batch.write(() => insert.run(id, text).changes)
  const ids = (): unknown[] =>
    db
      .prepare('SELECT id FROM rows ORDER BY id')
      .all()
      .map(({ id }) => id)
  return { db, batch, add, ids }
}

const settle = async (promises: readonly Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(promises)).map(({ status }) => status)

test('writes of one turn are done at once, in one transaction, and told when it is committed', async (t) => {
  const { db, add, ids } = build(t)
  const told: number[] = []
  const writes = [1, 2, 3].map(async (id) => {
    assert.equal(await add(id), 1)
    assert.equal(db.isTransaction, false, 'told before it was committed')
    told.push(id)
  })
  assert.deepEqual([ids(), db.isTransaction, told], [[1, 2, 3], true, []])
  await Promise.all(writes)
  assert.deepEqual(told, [1, 2, 3])
})

test('each turn has a transaction of its own', async (t) => {
  const { db, add, ids } = build(t)
  await add(1)
  assert.equal(db.isTransaction, false)
  await add(2)
  assert.equal(db.isTransaction, false)
  assert.deepEqual(ids(), [1, 2])
})

test('a write that fails fails alone', async (t) => {
  const { add, ids } = build(t)
  const results = [add(1), add(1), add(2, null), add(3)]
  assert.deepEqual(await settle(results), ['fulfilled', 'rejected', 'rejected', 'fulfilled'])
  await assert.rejects(results[1] ?? assert.fail(), UNAVAILABLE)
  assert.deepEqual(ids(), [1, 3])
})

test('when nothing can be committed, nobody was told of a success, nothing is there, and the next turn works', async (t) => {
  const { db, batch, add, ids } = build(t)
  // Checked at the commit, which then fails.
  db.exec('CREATE TABLE children (id INTEGER REFERENCES rows (id) DEFERRABLE INITIALLY DEFERRED)')
  const orphan = db.prepare('INSERT INTO children VALUES (99)')
  const results = [add(1), batch.write(() => orphan.run()), batch.read(ids)]
  assert.deepEqual(await settle(results), ['rejected', 'rejected', 'rejected'])
  for (const result of results) await assert.rejects(result, UNAVAILABLE)
  assert.deepEqual([ids(), db.isTransaction], [[], false])
  await add(2)
  assert.deepEqual(ids(), [2])
})

test('where SQLite undoes the whole transaction by itself, as on a full disk, all who wrote in it hear so', async (t) => {
  const { db, batch, add, ids } = build(t)
  const undo = db.prepare('INSERT OR ROLLBACK INTO rows (id, text) VALUES (1, NULL)')
  const results = [add(1), batch.write(() => undo.run()), add(2)]
  assert.deepEqual(await settle(results), ['rejected', 'rejected', 'fulfilled'])
  for (const result of results.slice(0, 2)) await assert.rejects(result, UNAVAILABLE)
  assert.deepEqual([ids(), db.isTransaction], [[2], false])
})

test('a read sees what was written before it, and tells it when that is committed', async (t) => {
  const { db, batch, add, ids } = build(t)
  assert.deepEqual(await batch.read(ids), [])
  assert.equal(db.isTransaction, false, 'a read alone begins nothing')
  void add(1)
  const read = batch.read(ids).then((seen) => ({ seen, isCommitted: !db.isTransaction }))
  assert.deepEqual(await read, { seen: [1], isCommitted: true })
})

test('a read that fails is store_unavailable, and undoes nothing', async (t) => {
  const { batch, add, ids } = build(t)
  const written = add(1)
  await assert.rejects(
    batch.read(() => {
      throw new Error('damaged')
    }),
    UNAVAILABLE,
  )
  await written
  assert.deepEqual(ids(), [1])
})

test('what is open is committed at once when somebody asks for it, and what comes after it in the same turn too', async (t) => {
  const { db, batch, add, ids } = build(t)
  batch.commit() // Nothing is open: nothing happens.
  const first = add(1)
  batch.commit()
  assert.equal(db.isTransaction, false)
  const second = add(2)
  assert.equal(db.isTransaction, true)
  await Promise.all([first, second])
  await turn()
  assert.deepEqual([ids(), db.isTransaction], [[1, 2], false])
})

test('on a database that was closed every write and read is store_unavailable', async (t) => {
  const { db, add, batch, ids } = build(t)
  db.close()
  await assert.rejects(add(1), UNAVAILABLE)
  await assert.rejects(batch.read(ids), UNAVAILABLE)
  batch.commit()
})
