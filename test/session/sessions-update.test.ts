import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createSessionEvents } from '../../src/session/events.ts'
import { createSessions } from '../../src/session/sessions.ts'
import { buildService, createTestStore, newSession } from '../plugins/build-service.ts'

/** Two replicas' sessions on one store, one session, and what is told of it. */
async function build(t: TestContext, exclusive: boolean) {
  const store = createTestStore(exclusive)
  const { seal, config, time } = await buildService(t, { store, env: { SESSION_IDLE_S: '600' } })
  const events = createSessionEvents(store)
  const create = () => createSessions({ store, seal, events, config, now: () => time.now })
  const [sessions, others] = [create(), create()]
  const session = await sessions.create(newSession(time.now, { claims: { name: 'Ada', email: 'a@example.com' } }))
  const heard: object[] = []
  await events.listen(session.key, (event) => void heard.push(event))
  const tokens = { ...session.record.tokens, accessToken: 'access-2', refreshToken: 'refresh-2' }
  return { store, time, sessions, others, session, tokens, heard }
}

for (const exclusive of [true, false]) {
  const where = exclusive ? 'with a memory' : 'without a memory'

  test(`RF-02: new tokens take the place of those that were read, and everybody is told, ${where}`, async (t) => {
    const { sessions, session, tokens, heard } = await build(t, exclusive)
    const updated = await sessions.update(session, tokens, { claims: { name: 'Ada King' } })
    const record = { ...session.record, tokens, generation: 2, claims: { name: 'Ada King', email: 'a@example.com' } }
    assert.deepEqual(updated, { ...session, record })
    assert.deepEqual(heard, [{ type: 'refreshed' }])
    assert.deepEqual(await sessions.find(session.credential), updated)
    assert.deepEqual(await sessions.reload(session), updated)
  })

  test(`RF-06: a successor alone is no refresh: it counts as none and nobody is told, ${where}`, async (t) => {
    const { sessions, session, tokens, heard } = await build(t, exclusive)
    const updated = await sessions.update(session, tokens, { isRefresh: false })
    assert.deepEqual(updated?.record, { ...session.record, tokens })
    assert.deepEqual(heard, [])
  })

  test(`RF-02: over newer tokens, another refresh token, or a session that has ended nothing is written, ${where}`, async (t) => {
    const { store, sessions, session, tokens, heard } = await build(t, exclusive)
    const { record } = session
    for (const before of [
      { ...record, generation: 2 },
      { ...record, tokens: { ...record.tokens, refreshToken: 'another' } },
    ]) {
      assert.equal(await sessions.update({ ...session, record: before }, tokens), undefined)
    }
    Object.assign(store, { swap: async () => false })
    assert.equal(await sessions.update(session, tokens), undefined, 'somebody was faster')
    Reflect.deleteProperty(store, 'swap')
    assert.deepEqual([(await sessions.reload(session))?.record, heard], [record, []])
    await sessions.end(session.key, 'revoked')
    assert.equal(await sessions.update(session, tokens), undefined)
    assert.equal(await sessions.reload(session), undefined)
  })

  test(`SC-14: an end is told once, with its reason, and a sign-in in its place as a logout, ${where}`, async (t) => {
    const { sessions, session, heard } = await build(t, exclusive)
    assert.equal(await sessions.end(session.key, 'backchannel'), true)
    assert.equal(await sessions.end(session.key, 'logout'), false)
    assert.deepEqual(heard, [{ type: 'ended', reason: 'backchannel' }])
    const other = await build(t, exclusive)
    await other.sessions.replace(other.session.key)
    assert.deepEqual(other.heard, [{ type: 'ended', reason: 'logout' }])
  })

  test(`what is read from the store is ${exclusive ? '' : 'not '}remembered, ${where}`, async (t) => {
    const { others, session } = await build(t, exclusive)
    assert.deepEqual(await others.find(session.credential), session)
    const found = others.find(session.credential)
    assert.equal(found instanceof Promise, !exclusive)
    assert.deepEqual(await found, session)
    assert.equal(await others.find(`${session.credential}x`), undefined)
  })
}

test('SC-10: whether a use has to be written is told by the clock alone', async (t) => {
  const { time, sessions, session } = await build(t, true)
  time.now += 29
  assert.equal(sessions.isTouchDue(session), false)
  assert.equal((await sessions.touch(session))?.lastUsedAt, session.lastUsedAt)
  time.now += 1
  assert.equal(sessions.isTouchDue(session), true)
})

test('SC-10: the store keeps a record a minute longer than the session may live: the limit inside it decides', async (t) => {
  const store = createTestStore(false)
  const kept: number[] = []
  const set = store.set.bind(store)
  Object.assign(store, {
    set: (key: string, value: string, ttlS: number) => {
      kept.push(ttlS)
      return set(key, value, ttlS)
    },
  })
  for (const [env, ttlS] of [
    [{ SESSION_IDLE_S: '600' }, 660],
    [{ SESSION_IDLE_S: '600', SESSION_MAX_S: '300' }, 360],
  ] as const) {
    const { seal, config, time } = await buildService(t, { store, env })
    const sessions = createSessions({ store, seal, events: createSessionEvents(store), config, now: () => time.now })
    kept.length = 0
    await sessions.create(newSession(time.now))
    assert.equal(kept[0], ttlS)
  }
})
