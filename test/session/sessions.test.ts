import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createSessionEvents } from '../../src/session/events.ts'
import type { NewSession } from '../../src/session/record.ts'
import { createSeal } from '../../src/session/seal.ts'
import { sessionKey } from '../../src/session/session-keys.ts'
import { createSessions } from '../../src/session/sessions.ts'
import { buildService, createTestStore, newSession } from '../plugins/build-service.ts'

const LIMITS = { SESSION_IDLE_S: '600', SESSION_MAX_S: '3600', APP_SESSION_IDLE_S: '5000', APP_SESSION_MAX_S: '9000' }

async function build(t: TestContext, exclusive = true) {
  const service = await buildService(t, { env: LIMITS, store: createTestStore(exclusive) })
  const { store, seal, config, time } = service
  const sessions = createSessions({ store, seal, events: createSessionEvents(store), config, now: () => time.now })
  const plant = async (changes?: Partial<NewSession>) =>
    (await sessions.create(newSession(time.now, changes))).credential
  return { ...service, sessions, plant }
}

for (const exclusive of [true, false]) {
  const where = exclusive ? 'from memory' : 'from the store'

  test(`SC-10: a session ends at its idle limit to the second, read ${where}`, async (t) => {
    const { sessions, plant, time } = await build(t, exclusive)
    const credential = await plant()
    time.now += 599
    assert.equal((await sessions.find(credential))?.record.sub, 'ada')
    time.now += 1
    assert.equal(await sessions.find(credential), undefined)
  })

  test(`SC-10: use slides the idle limit, and never past the absolute one, read ${where}`, async (t) => {
    const { sessions, plant, time } = await build(t, exclusive)
    const credential = await plant()
    for (let used = 0; used < 7; used++) {
      time.now += 500
      const session = await sessions.find(credential)
      assert.ok(session, `use ${used}`)
      await sessions.touch(session)
    }
    time.now += 99 // 3599 s
    assert.ok(await sessions.find(credential))
    time.now += 1
    assert.equal(await sessions.find(credential), undefined)
  })

  test(`SC-09: an ended session is not found again, read ${where}`, async (t) => {
    const { sessions, plant, store } = await build(t, exclusive)
    const credential = await plant()
    const session = await sessions.find(credential)
    assert.ok(session)
    await sessions.touch(session, { exact: true })
    assert.equal(await sessions.end(session.key, 'logout'), true)
    assert.equal(await sessions.find(credential), undefined)
    assert.equal(await sessions.end(session.key, 'logout'), false)
    const left = [...(await store.dump()).keys()]
    assert.deepEqual(left, [`ended-${session.key}`], 'nothing is left of it but how it ended')
  })

  test(`SC-09: a use that arrives after the end does not revive the session, read ${where}`, async (t) => {
    const { sessions, plant, time } = await build(t, exclusive)
    const credential = await plant()
    const session = await sessions.find(credential)
    assert.ok(session)
    await sessions.end(session.key, 'logout')
    time.now += 60
    await sessions.touch(session, { exact: true })
    assert.equal(await sessions.find(credential), undefined)
  })
}

test('SC-10: a record that the store kept too long, or that was put back later, is over all the same', async (t) => {
  const { sessions, plant, store, time } = await build(t, false)
  const credential = await plant()
  const copy = await store.dump()
  time.now += 3600
  for (const [key, value] of copy) await store.set(key, value, 1000)
  assert.equal(await sessions.find(credential), undefined)
})

test('SC-10: apps have limits of their own', async (t) => {
  const { sessions, plant, time } = await build(t)
  const app = await plant({ kind: 'app-token' })
  const appCookie = await plant({ kind: 'app-cookie' })
  time.now += 4999
  assert.ok(await sessions.find(app))
  assert.ok(await sessions.find(appCookie))
  time.now += 1
  assert.equal(await sessions.find(app), undefined)
  assert.equal(await sessions.find(appCookie), undefined)
})

test("SC-10: a session does not outlive its refresh token, where the IdP told that one's life", async (t) => {
  const { sessions, plant, time } = await build(t)
  const credential = await plant({ refreshTokenExpiresAt: time.now + 300 })
  time.now += 299
  assert.ok(await sessions.find(credential))
  time.now += 1
  assert.equal(await sessions.find(credential), undefined)
})

test('a refresh token that outlives the session does not lengthen it', async (t) => {
  const { sessions, time } = await build(t)
  const { record } = await sessions.create(newSession(time.now, { refreshTokenExpiresAt: time.now + 1_000_000 }))
  assert.equal(record.expiresAt, time.now + 3600)
})

test('a busy session writes its use once in a twentieth of the idle limit, and at once when asked', async (t) => {
  const { sessions, plant, store, time } = await build(t)
  let session = await sessions.find(await plant())
  assert.ok(session)
  const countUses = async () => [...(await store.dump()).keys()].filter((key) => key.endsWith(':used')).length
  time.now += 29
  assert.equal((await sessions.touch(session))?.lastUsedAt, time.now - 29)
  assert.equal(await countUses(), 0)
  session = await sessions.touch(session, { exact: true })
  assert.equal(session?.lastUsedAt, time.now)
  assert.equal(await countUses(), 1)
  time.now += 30
  assert.equal(session && (await sessions.touch(session))?.lastUsedAt, time.now)
})

test('SC-09: a use that comes after the end says so, and leaves nothing behind', async (t) => {
  const { sessions, plant, store, time } = await build(t)
  const session = await sessions.find(await plant())
  assert.ok(session)
  await sessions.end(session.key, 'logout')
  time.now += 100
  assert.equal(await sessions.touch(session), undefined)
  assert.equal(await sessions.touch(session, { exact: true }), undefined)
  assert.deepEqual([...(await store.dump()).keys()], [`ended-${session.key}`])
})

test('SC-04: credentials are 256 random bits behind two letters, of at most 64 characters, and no two are alike', async (t) => {
  const { plant } = await build(t)
  const kinds = { 'browser-cookie': 'b_', 'app-cookie': 'c_', 'app-token': 't_' } as const
  for (const [kind, prefix] of Object.entries(kinds) as [keyof typeof kinds, string][]) {
    const credentials = await Promise.all(Array.from({ length: 200 }, () => plant({ kind })))
    assert.equal(new Set(credentials).size, 200)
    for (const credential of credentials) {
      assert.ok(credential.startsWith(prefix))
      assert.equal(Buffer.from(credential.slice(2), 'base64url').length, 32)
      assert.ok(credential.length <= 64)
    }
    const octets = Buffer.concat(credentials.map((credential) => Buffer.from(credential.slice(2), 'base64url')))
    const ones = octets.reduce((sum, octet) => sum + octet.toString(2).replaceAll('0', '').length, 0)
    assert.ok(Math.abs(ones / (octets.length * 8) - 0.5) < 0.02, 'half of the bits are set')
  }
})

test('the public id of a session is neither its credential nor made from it', async (t) => {
  const { sessions, plant } = await build(t)
  const credential = await plant()
  const session = await sessions.find(credential)
  assert.ok(session)
  assert.ok(!session.key.includes(session.record.id))
  assert.equal(await sessions.find(session.record.id), undefined)
  assert.equal(await sessions.find(session.key), undefined)
})

test('SC-08: a replaced credential is remembered as such, another is not', async (t) => {
  const { sessions, plant } = await build(t)
  const [replaced, other] = [await plant(), await plant()]
  const session = await sessions.find(replaced)
  assert.ok(session)
  await sessions.replace(session.key)
  assert.equal(await sessions.find(replaced), undefined)
  assert.equal(await sessions.isCookieKept(replaced), true)
  assert.equal(await sessions.isCookieKept(other), true, 'it is alive')
  const ended = await sessions.find(other)
  assert.ok(ended)
  await sessions.end(ended.key, 'logout')
  assert.equal(await sessions.isCookieKept(other), false)
})

test('contract §5: how a session ended is known for a while, and of nothing else', async (t) => {
  const { sessions, plant } = await build(t)
  for (const reason of ['logout', 'backchannel', 'revoked'] as const) {
    const session = await sessions.find(await plant())
    assert.ok(session)
    assert.equal(await sessions.findEnd(session.key), undefined)
    await sessions.end(session.key, reason)
    assert.equal(await sessions.findEnd(session.key), reason)
  }
  const replaced = await sessions.find(await plant())
  assert.ok(replaced)
  await sessions.replace(replaced.key)
  assert.equal(await sessions.findEnd(replaced.key), 'logout')
})

test('a session that nobody here can read, since its sealing key is gone, can still be ended', async (t) => {
  const { sessions, plant, store } = await build(t, false)
  const key = sessionKey(await plant())
  await store.set(key, 'sealed by a key that is gone', 1000)
  assert.equal(await sessions.end(key, 'revoked'), true)
  assert.equal(await store.get(key), undefined)
})

test('KY-08: no cookie is cleared for a session whose key is not here yet, nor for one whose key came a moment ago', async (t) => {
  const { store, config, time, plant, seal } = await build(t, false)
  const credential = await plant()
  let keys: ReturnType<typeof seal.keys> = []
  const late = createSeal(() => keys)
  const replica = createSessions({
    store,
    seal: late,
    events: createSessionEvents(store),
    config,
    now: () => time.now,
  })
  assert.equal(await replica.find(credential), undefined)
  assert.equal(await replica.isCookieKept(credential), true)
  keys = seal.keys()
  assert.equal(await replica.isCookieKept(credential), true, 'it was looked for before the key came')
  time.now += 600
  assert.equal(await replica.isCookieKept(credential), false, 'over by its idle limit')
})
