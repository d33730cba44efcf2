import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../../src/store/store.ts'
import { newSession, storeDown } from '../plugins/build-service.ts'
import { buildWatch as build, settle } from './build-watch.ts'

const HOUR_MS = 3_600_000
const DAY_S = 86_400

test('SC-14: the end of a session is told once, whatever it is told by, and however often', async (t) => {
  const { events, listeners, sessions, session, watch, pass, ends } = await build(t)
  watch()
  await settle()
  assert.equal(ends(), 0)
  await sessions.end(session.key, 'logout')
  assert.equal(ends(), 1, 'in the turn of the event')
  await events.publish(session.key, { type: 'ended', reason: 'revoked' })
  listeners.gap[0]?.()
  await pass(2 * HOUR_MS)
  assert.equal(ends(), 1)
  assert.equal(listeners.stopped, listeners.begun, 'nobody listens any more')
})

test('SC-14: the end is told once, too, when a look finds it at the same time', async (t) => {
  const { store, events, listeners, session, watch, ends } = await build(t)
  watch()
  await settle()
  await store.delete(session.key)
  listeners.gap[0]?.()
  await events.publish(session.key, { type: 'ended', reason: 'logout' })
  assert.equal(ends(), 1)
  await settle()
  assert.equal(ends(), 1)
})

test('a refresh, and the end of another session, are not the end', async (t) => {
  const { time, events, sessions, session, watch, pass, ends } = await build(t)
  watch()
  await settle()
  await events.publish(session.key, { type: 'refreshed' })
  const other = await sessions.create(newSession(time.now))
  await sessions.end(other.key, 'logout')
  await pass(60_000)
  assert.equal(ends(), 0)
})

test('SC-14: after a gap the session is looked for: the watch ends when it is gone, and only then', async (t) => {
  const { store, listeners, session, watch, ends } = await build(t)
  watch()
  await settle()
  listeners.gap[0]?.()
  await settle()
  assert.equal(ends(), 0, 'it is there')
  await store.delete(session.key) // On another replica, while nobody could be told.
  listeners.gap[0]?.()
  await settle()
  assert.equal(ends(), 1)
})

test('SC-13: a store that is away during a look ends nothing; an end that was missed meanwhile is found when it is back', async (t) => {
  const { store, listeners, session, watch, pass, ends } = await build(t)
  watch()
  await pass(5000)
  const { get } = store
  store.get = () => Promise.reject(storeDown())
  listeners.gap[0]?.()
  await pass(10_000)
  assert.equal(ends(), 0)
  await store.delete(session.key)
  store.get = get
  await pass(2000)
  assert.equal(ends(), 1)
})

test('SC-10: at the absolute limit it is over, to the second, though nobody tells', async (t) => {
  const { watch, pass, ends } = await build(t)
  watch()
  await pass(HOUR_MS - 1000)
  assert.equal(ends(), 0)
  await pass(1000)
  assert.equal(ends(), 1)
})

test('SC-10: a session that is past its limit already is over at once', async (t) => {
  const { time, watch, pass, ends } = await build(t)
  time.now += 7200
  watch()
  await pass(1)
  assert.equal(ends(), 1)
})

test('a session of months is not over when the longest timer is', async (t) => {
  const { watch, pass, ends } = await build(t, 90 * DAY_S)
  const set = t.mock.method(globalThis, 'setTimeout')
  watch()
  await pass(30 * DAY_S * 1000)
  assert.equal(ends(), 0)
  await pass(60 * DAY_S * 1000)
  assert.equal(ends(), 1)
  const longest = Math.max(...set.mock.calls.map(({ arguments: [, ms = 0] }) => ms))
  assert.ok(longest < 2 ** 31, 'a timer takes no more, and would run at once')
})

test('after stop nothing is told any more, nobody listens, and no timer is left', async (t) => {
  const { listeners, sessions, session, watch, pass, ends } = await build(t)
  const [set, cleared] = [t.mock.method(globalThis, 'setTimeout'), t.mock.method(globalThis, 'clearTimeout')]
  const stop = watch()
  await settle()
  stop()
  stop()
  const clearedTimers = new Set(cleared.mock.calls.map(({ arguments: [timer] }) => timer))
  assert.ok(set.mock.calls.length > 0 && set.mock.calls.every(({ result }) => clearedTimers.has(result)))
  await sessions.end(session.key, 'logout')
  listeners.gap[0]?.()
  await pass(2 * HOUR_MS)
  assert.equal(ends(), 0)
  assert.ok(listeners.stopped >= listeners.begun)
})

/** From now on nobody's subscription is answered. @returns until this is called */
function holdSubscription(store: Store): () => void {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { subscribe } = store
  store.subscribe = async (...parts) => {
    await promise
    return subscribe(...parts)
  }
  return resolve
}

test('a call that is over before the subscription answers leaves no listener', async (t) => {
  const { store, listeners, sessions, session, watch, pass, ends } = await build(t)
  const answer = holdSubscription(store)
  const stop = watch()
  await pass(5000)
  stop()
  answer()
  await pass(5000)
  assert.equal(listeners.stopped, listeners.begun)
  await sessions.end(session.key, 'logout')
  assert.equal(ends(), 0)
})

test('a call that began while the subscription took long leaves no listener either', async (t) => {
  const { store, listeners, watch, pass } = await build(t)
  const answer = holdSubscription(store)
  const stop = watch()
  await pass(1000)
  await pass(1000)
  answer()
  await pass(5000)
  stop()
  await settle()
  assert.ok(listeners.begun > 0)
  assert.equal(listeners.stopped, listeners.begun)
})

test('SC-13: a subscription that fails holds nothing up, is no unhandled failure, and is tried again', async (t) => {
  const { events, sessions, session, watch, pass, ends } = await build(t)
  let refuse = true
  const listen: typeof events.listen = async (...parts) => {
    if (refuse) throw storeDown()
    return events.listen(...parts)
  }
  watch({ events: { listen } })
  await pass(5000)
  assert.equal(ends(), 0)
  refuse = false
  await pass(2000)
  await sessions.end(session.key, 'logout')
  assert.equal(ends(), 1)
})

test('SC-10: a session that nobody uses is over at its idle limit, and one that is used elsewhere is not', async (t) => {
  const { sessions, session, watch, pass, ends } = await build(t, 3600, 600)
  watch()
  await pass(500_000)
  await sessions.touch(session, { exact: true })
  await pass(590_000)
  assert.equal(ends(), 0)
  await pass(10_000)
  assert.equal(ends(), 1)
})

for (const [what, listen] of [
  ['fails', () => Promise.reject(storeDown())],
  ['never answers', () => new Promise<never>(() => {})],
] as const) {
  test(`SC-14: where the subscription ${what}, a session that has ended is noticed`, async (t) => {
    const { sessions, session, watch, pass, ends } = await build(t)
    watch({ events: { listen } })
    await sessions.end(session.key, 'logout')
    for (let second = 0; second < 3; second++) await pass(1000)
    assert.equal(ends(), 1)
  })

  test(`SC-10: where the subscription ${what}, the absolute limit holds`, async (t) => {
    const { watch, pass, ends } = await build(t)
    watch({ events: { listen } })
    await pass(HOUR_MS - 1000)
    assert.equal(ends(), 0)
    for (let second = 0; second < 2; second++) await pass(1000)
    assert.equal(ends(), 1)
  })
}

test('SC-10, SC-13: a store that is away does not lengthen a session past its absolute limit', async (t) => {
  const { store, watch, pass, ends } = await build(t)
  watch()
  await pass(5000)
  store.get = () => Promise.reject(storeDown())
  await pass(HOUR_MS - 6000)
  assert.equal(ends(), 0)
  for (let second = 0; second < 2; second++) await pass(1000)
  assert.equal(ends(), 1)
})

test('SC-14: a session that ended between authentication and the watch is noticed within two seconds', async (t) => {
  const { sessions, session, watch, pass, ends } = await build(t)
  await sessions.end(session.key, 'logout')
  watch()
  await pass(1000)
  await pass(1000)
  assert.equal(ends(), 1)
})

test('a session that somebody listens to is looked at once, after a second, and not again before it may be over', async (t) => {
  const { store, watch, pass, ends } = await build(t)
  const [looks, set] = [t.mock.method(store, 'get'), t.mock.method(globalThis, 'setTimeout')]
  watch()
  await pass(900)
  assert.equal(looks.mock.callCount(), 0)
  await pass(100)
  const once = looks.mock.callCount()
  assert.ok(once > 0)
  for (let minute = 0; minute < 30; minute++) await pass(60_000)
  assert.deepEqual([looks.mock.callCount(), ends()], [once, 0])
  assert.ok(set.mock.callCount() < 10, `${set.mock.callCount()} timers`)
})

test('a refresh is no reason to look', async (t) => {
  const { store, events, session, watch, pass } = await build(t)
  watch()
  await pass(1000)
  const looks = t.mock.method(store, 'get')
  await events.publish(session.key, { type: 'refreshed' })
  await settle()
  assert.equal(looks.mock.callCount(), 0)
})

test('SC-10: a session that is nearly over by its idle limit is over then, not at the first look after', async (t) => {
  const { time, watch, pass, ends } = await build(t, 3600, 600)
  time.now += 599.5
  watch()
  await pass(500)
  assert.equal(ends(), 1)
})

test('who stops during a look is not looked for again', async (t) => {
  const { store, listeners, watch, pass } = await build(t)
  const stop = watch()
  await settle()
  const { promise, resolve } = Promise.withResolvers<void>()
  const { get } = store
  store.get = async (key) => {
    await promise
    return get(key)
  }
  listeners.gap[0]?.()
  stop()
  resolve()
  await settle()
  const looks = t.mock.method(store, 'get')
  await pass(2 * HOUR_MS)
  assert.equal(looks.mock.callCount(), 0)
})
