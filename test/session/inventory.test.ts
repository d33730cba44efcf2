import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createSessionEvents } from '../../src/session/events.ts'
import { createInventory } from '../../src/session/inventory.ts'
import type { NewSession, Session } from '../../src/session/record.ts'
import { sessionKey, userKey } from '../../src/session/session-keys.ts'
import { createSessions } from '../../src/session/sessions.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { buildService, createTestStore, ISSUER, newSession } from '../plugins/build-service.ts'

/** The inventory, and sessions to fill it as the service does. The store forgets nothing by itself. */
async function build(t: TestContext) {
  const env = { SESSION_IDLE_S: '600', SESSION_MAX_S: '3600' }
  const { store, seal, config, time } = await buildService(t, { env, store: createTestStore(false) })
  const now = (): number => time.now
  const sessions = createSessions({ store, seal, events: createSessionEvents(store), config, now })
  const inventory = createInventory({ store, seal, now })
  const plant = (changes?: Partial<NewSession>): Promise<Session> => sessions.create(newSession(time.now, changes))
  const names = async (sub = 'ada', issuer = ISSUER): Promise<string[]> =>
    (await inventory.list(issuer, sub)).map(({ userAgent }) => userAgent)
  return { store, seal, time, sessions, inventory, plant, names }
}

test('contract §5: a list has the newest first, browsers and apps alike', async (t) => {
  const { time, plant, names } = await build(t)
  for (const [userAgent, atS] of [
    ['second', 20],
    ['first', 10],
    ['third', 30],
  ] as const) {
    time.now = 1_800_000_000 + atS
    await plant({ userAgent, ...(userAgent === 'second' && { kind: 'app-token', app: 'android' }) })
  }
  assert.deepEqual(await names(), ['third', 'second', 'first'])
})

test('contract §5: an entry says what there is to know of a session without its credential, and when it was last used', async (t) => {
  const { time, sessions, inventory, plant } = await build(t)
  const session = await plant({ kind: 'app-token', app: 'android', sid: 'idp-session-2' })
  const { id, createdAt, expiresAt, idleS } = session.record
  const { key } = session
  const of = { kind: 'app-token', app: 'android', issuer: ISSUER, sub: 'ada', sid: 'idp-session-2', userAgent: 'test' }
  assert.deepEqual(await inventory.list(ISSUER, 'ada'), [
    { id, ...of, createdAt, expiresAt, idleS, key, lastUsedAt: createdAt },
  ])
  time.now += 90
  await sessions.touch(session, { exact: true })
  assert.equal((await inventory.list(ISSUER, 'ada'))[0]?.lastUsedAt, createdAt + 90)
})

test('SC-10: a session past its idle or its absolute limit is not listed, though the store still has it', async (t) => {
  const { time, sessions, plant, names } = await build(t)
  const session = await plant({ userAgent: 'used' })
  const use = async (): Promise<void> => void (await sessions.touch(session, { exact: true }))
  await plant({ userAgent: 'idle' })
  time.now += 599
  assert.deepEqual((await names()).toSorted(), ['idle', 'used'])
  await use()
  time.now += 1
  assert.deepEqual(await names(), ['used'])
  while (time.now < session.record.expiresAt - 590) {
    time.now += 590
    await use()
  }
  time.now = session.record.expiresAt - 1
  assert.deepEqual(await names(), ['used'])
  time.now += 1
  assert.deepEqual(await names(), [])
})

test('ID-12: nobody is listed but this user of this issuer', async (t) => {
  const { plant, names } = await build(t)
  await plant({ userAgent: 'ada' })
  await plant({ sub: 'bob', userAgent: 'bob' })
  await plant({ issuer: 'https://other.example', userAgent: 'another ada' })
  assert.deepEqual(await names('ada'), ['ada'])
  assert.deepEqual(await names('bob'), ['bob'])
  assert.deepEqual(await names('ada', 'https://other.example'), ['another ada'])
  for (const [sub, issuer] of [
    ['Ada', ISSUER],
    ['', ISSUER],
    ['ada', `${ISSUER}/`],
    [`ada","${ISSUER}`, ''],
  ] as const) {
    assert.deepEqual(await names(sub, issuer), [], `${issuer} ${sub}`)
  }
})

test('BL-10, SC-14: sessions are found by user, by IdP session and all of them, for ending', async (t) => {
  const { inventory, sessions, time, plant } = await build(t)
  const first = await plant({ sid: 's1' })
  time.now += 1
  await sessions.touch(first, { exact: true })
  const one = first.key
  const two = (await plant({ sid: 's2' })).key
  const also = (await plant({ sid: 's1', kind: 'app-token' })).key
  const none = (await plant({ sid: undefined })).key
  const bob = (await plant({ sub: 'bob', sid: 's1' })).key
  const other = (await plant({ issuer: 'https://other.example', sid: 's1' })).key
  const sorted = (keys: readonly string[]): string[] => keys.toSorted()
  assert.deepEqual(sorted(await inventory.listByUser(ISSUER, 'ada')), sorted([one, two, also, none]))
  assert.deepEqual(sorted(await inventory.listBySid(ISSUER, 's1')), sorted([one, also, bob]))
  assert.deepEqual(await inventory.listBySid(ISSUER, 's2'), [two])
  assert.deepEqual(await inventory.listBySid('https://other.example', 's1'), [other])
  for (const nobody of ['s3', 'undefined', '']) assert.deepEqual(await inventory.listBySid(ISSUER, nobody), [])
  assert.deepEqual(sorted(await Array.fromAsync(inventory.listAll())), sorted([one, two, also, none, bob, other]))
})

test('what is removed is in no list any more, and leaves nothing behind in the store', async (t) => {
  const { store, sessions, inventory, plant, names } = await build(t)
  const session = await plant({ userAgent: 'gone' })
  const stays = await plant({ userAgent: 'stays' })
  const keys = async (): Promise<string[]> => (await Array.fromAsync(store.scan(''))).toSorted()
  const before = await keys()
  const gone = await plant({ userAgent: 'gone too', sub: 'bob', sid: 's9' })
  await inventory.remove(gone.key, gone.record)
  await store.delete(gone.key)
  assert.deepEqual(await keys(), before)
  assert.deepEqual(await inventory.listByUser(ISSUER, 'bob'), [])
  assert.deepEqual(await inventory.listBySid(ISSUER, 's9'), [])

  await sessions.end(session.key, 'revoked')
  assert.deepEqual(await names(), ['stays'])
  assert.deepEqual(await inventory.listByUser(ISSUER, 'ada'), [stays.key])
  assert.deepEqual(await inventory.listBySid(ISSUER, 'idp-session-1'), [stays.key])
  assert.deepEqual(await Array.fromAsync(inventory.listAll()), [stays.key])
})

test('a session that no IdP session is known of stands in the list of its user alone', async (t) => {
  const { store, plant } = await build(t)
  const { key } = await plant({ sid: undefined })
  const keys = await Array.fromAsync(store.scan(''))
  assert.deepEqual(keys.toSorted(), [key, userKey(ISSUER, 'ada')])
})

test('SC-14: a list holds a session until its absolute limit, and then forgets it by itself', async (t) => {
  const time = { now: 1_800_000_000 }
  const now = (): number => time.now
  const store = createMemoryStore({ now })
  t.after(() => store.close())
  const { seal, config } = await buildService(t, { env: { SESSION_IDLE_S: '600', SESSION_MAX_S: '3600' } })
  const sessions = createSessions({ store, seal, events: createSessionEvents(store), config, now })
  const { key, record } = await sessions.create(newSession(time.now))
  const isListed = async (): Promise<boolean> =>
    (await sessions.listByUser(ISSUER, 'ada')).includes(key) &&
    (await sessions.listBySid(ISSUER, 'idp-session-1')).includes(key)
  time.now = record.expiresAt - 1
  assert.equal(await isListed(), true)
  time.now = record.expiresAt
  assert.deepEqual(await sessions.listByUser(ISSUER, 'ada'), [])
  assert.deepEqual(await sessions.listBySid(ISSUER, 'idp-session-1'), [])
})

test('a session that the store has lost is not shown, though a list still names it', async (t) => {
  const { store, inventory, plant, names } = await build(t)
  const { key } = await plant({ userAgent: 'lost' })
  await plant({ userAgent: 'there' })
  await store.delete(key)
  assert.deepEqual(await names(), ['there'])
  assert.ok((await inventory.listByUser(ISSUER, 'ada')).includes(key))
})

test('to remove what is not there is no failure', async (t) => {
  const { inventory, plant, names } = await build(t)
  const { record } = await plant({ userAgent: 'stays' })
  await inventory.remove(sessionKey('nobody'), record)
  assert.deepEqual(await names(), ['stays'])
})

test('SC-05: the store shows no name, no sub, no sid and no user agent of those who are signed in', async (t) => {
  const { store, time, sessions, plant } = await build(t)
  const claims = { name: 'Canary Name', email: 'canary@example.com' }
  const session = await plant({ sub: 'canary-sub', sid: 'canary-sid', claims, userAgent: 'Canary/1.0' })
  time.now += 1
  await sessions.touch(session, { exact: true })
  const keys = await Array.fromAsync(store.scan(''))
  const kept = await Promise.all(keys.flatMap((key) => [store.get(key), store.members(key)]))
  const text = [...keys, ...kept.flat()].join('\n')
  const parts = text.split(/[^\w-]+/)
  const decoded = parts.flatMap((part) => [Buffer.from(part, 'base64url'), Buffer.from(part, 'hex')]).join('\n')
  assert.equal(keys.length, 4, 'record, use, and the indexes by user and by IdP session')
  for (const secret of ['Canary', 'canary', session.credential, session.record.id]) {
    assert.ok(!text.includes(secret) && !decoded.includes(secret), secret)
  }
})

test('SC-05: what is listed of a session is sealed for it alone: under the key of another it does not open', async (t) => {
  const { store, plant, names } = await build(t)
  const [mine, yours] = [await plant({ userAgent: 'mine' }), await plant({ sub: 'bob', userAgent: 'yours' })]
  await store.set(mine.key, (await store.get(yours.key)) ?? assert.fail(), 1000)
  assert.deepEqual(await names(), [])
})
