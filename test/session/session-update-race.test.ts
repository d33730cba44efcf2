import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSessionEvents } from '../../src/session/events.ts'
import { createSessions } from '../../src/session/sessions.ts'
import { buildService, createTestStore, newSession } from '../plugins/build-service.ts'

test('SC-09: a refresh whose write is answered late does not put an ended session back into memory', async (t) => {
  const store = createTestStore()
  const { seal, config, time } = await buildService(t, { store })
  let answer = (): void => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  const slow = new Proxy(store, {
    get: (target, name: keyof typeof store) =>
      name !== 'swap'
        ? target[name]
        : async (...parts: Parameters<typeof store.swap>) => {
            const wrote = await store.swap(...parts)
            await answered
            return wrote
          },
  })
  const sessions = createSessions({
    store: slow,
    seal,
    events: createSessionEvents(store),
    config,
    now: () => time.now,
  })
  const session = await sessions.create(newSession(time.now))
  const update = sessions.update(session, session.record.tokens)
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
  await sessions.end(session.key, 'logout')
  answer()
  await update
  assert.equal(await sessions.find(session.credential), undefined)
})

test('what is read while a change is under way is not served once it is acknowledged', async (t) => {
  const store = createTestStore()
  const { seal, config, time } = await buildService(t, { store })
  const { promise: due, resolve: write } = Promise.withResolvers<void>()
  const slow = new Proxy(store, {
    get: (target, name: keyof typeof store) =>
      name !== 'swap'
        ? target[name]
        : async (...parts: Parameters<typeof store.swap>) => {
            await due
            return store.swap(...parts)
          },
  })
  const events = createSessionEvents(store)
  const sessions = createSessions({ store: slow, seal, events, config, now: () => time.now })
  const session = await sessions.create(newSession(time.now))
  const update = sessions.update(session, { ...session.record.tokens, accessToken: 'access-2' })
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(await sessions.find(session.credential), session, 'nothing is written yet')
  write()
  const updated = await update
  assert.equal(updated?.record.tokens.accessToken, 'access-2')
  assert.deepEqual(await sessions.find(session.credential), updated)
})
