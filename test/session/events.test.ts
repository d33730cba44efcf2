import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createSessionEvents, type SessionEvent } from '../../src/session/events.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { storeDown } from '../plugins/build-service.ts'
import { countObjects } from './count-objects.ts'

const LOGOUT = { type: 'ended', reason: 'logout' } as const

/** One replica's events; what it subscribes to is seen, and may be refused. */
function build(t: TestContext) {
  const memory = createMemoryStore({ now: () => 1_800_000_000 })
  t.after(() => memory.close())
  const store: Store = { ...memory }
  const subscriptions = { asked: 0, stopped: 0, refuse: 0, onGap: [] as (() => void)[] }
  store.subscribe = async (channel, listener, onGap) => {
    subscriptions.asked += 1
    if (subscriptions.refuse-- > 0) throw storeDown()
    if (onGap !== undefined) subscriptions.onGap.push(onGap)
    const stop = await memory.subscribe(channel, listener, onGap)
    return () => {
      subscriptions.stopped += 1
      stop()
    }
  }
  const events = createSessionEvents(store)
  const heard: string[] = []
  /** @param name of the listener, which stands before all that it hears */
  const listen = (name: string, key: string): Promise<() => void> =>
    events.listen(key, (event: SessionEvent) => {
      heard.push(`${name} ${event.type === 'ended' ? event.reason : event.type}`)
    })
  return { memory, store, subscriptions, events, heard, listen }
}

test('SC-14: who listens to a session hears what happens to it, and to no other', async (t) => {
  const { events, heard, listen } = build(t)
  await listen('a', 'session:{a}')
  await listen('a too', 'session:{a}')
  await listen('b', 'session:{b}')
  await events.publish('session:{a}', { type: 'refreshed' })
  await events.publish('session:{a}', LOGOUT)
  await events.publish('session:{nobody}', LOGOUT)
  assert.deepEqual(heard, ['a refreshed', 'a too refreshed', 'a logout', 'a too logout'])
})

test('SC-13: of what others write into the channel nothing is heard that we would not say, and nothing breaks', async (t) => {
  const { store, memory, heard, listen } = build(t)
  await listen('a', 'session:{a}')
  const tell = (...message: readonly unknown[]): Promise<void> =>
    memory.publish('session-events', JSON.stringify(message))
  for (const event of [
    { type: 'ended' },
    { type: 'ended', reason: 'replaced' },
    { type: 'ended', reason: ['logout'] },
    { type: 'other', reason: 'logout' },
    { type: 'gap' },
    { reason: 'logout' },
    null,
  ]) {
    await tell('session:{a}', event)
  }
  for (const key of [undefined, 7, ['session:{a}'], {}, 'session:{b}']) await tell(key, LOGOUT)
  for (const text of ['', 'null', '{}', '[]', 'x']) await memory.publish('session-events', text)
  assert.deepEqual(heard, [])
  await tell('session:{a}', LOGOUT)
  assert.deepEqual(heard, ['a logout'])
  await store.publish('another channel', JSON.stringify(['session:{a}', LOGOUT]))
  assert.equal(heard.length, 1)
})

test('every reason of an end arrives as it was told', async (t) => {
  const { events, heard, listen } = build(t)
  await listen('a', 'session:{a}')
  for (const reason of ['logout', 'backchannel', 'revoked'] as const) {
    await events.publish('session:{a}', { type: 'ended', reason })
  }
  assert.deepEqual(heard, ['a logout', 'a backchannel', 'a revoked'])
})

test('the process subscribes once, however many listen, and at the same time', async (t) => {
  const { subscriptions, events, heard, listen } = build(t)
  await Promise.all(Array.from({ length: 100 }, (_, n) => listen(String(n), `session:{${n % 10}}`)))
  assert.equal(subscriptions.asked, 1)
  await events.publish('session:{3}', LOGOUT)
  assert.equal(heard.length, 10)
})

test('who has stopped listening hears nothing more, and the others still do', async (t) => {
  const { subscriptions, events, heard, listen } = build(t)
  const stop = await listen('a', 'session:{a}')
  await listen('a too', 'session:{a}')
  stop()
  stop() // Twice is as good as once.
  await events.publish('session:{a}', LOGOUT)
  subscriptions.onGap[0]?.()
  assert.deepEqual(heard, ['a too logout', 'a too gap'])
})

test('who stops a second time does not take away who listens to the same session since', async (t) => {
  const { events, heard, listen } = build(t)
  const stop = await listen('a', 'session:{a}')
  stop()
  await listen('b', 'session:{a}')
  stop()
  await events.publish('session:{a}', LOGOUT)
  assert.deepEqual(heard, ['b logout'])
})

test('of a session that nobody listens to any more nothing is kept', async (t) => {
  const { listen } = build(t)
  const before = countObjects(Set)
  for (let n = 0; n < 500; n++) (await listen('a', `session:{${n}}`))()
  const kept = countObjects(Set) - before
  assert.ok(kept < 50, `${kept} sets of listeners are left`)
})

test('a listener may stop while it is told, and another begin: nobody is left out', async (t) => {
  const { events, heard, listen } = build(t)
  const stops: (() => void)[] = []
  stops.push(await events.listen('session:{a}', () => stops[0]?.()))
  await listen('a', 'session:{a}')
  await events.publish('session:{a}', LOGOUT)
  await listen('a too', 'session:{a}')
  await events.publish('session:{a}', LOGOUT)
  assert.deepEqual(heard, ['a logout', 'a logout', 'a too logout'])
})

test('SC-14: that something may have been missed reaches every listener of every session', async (t) => {
  const { subscriptions, heard, listen } = build(t)
  for (const name of ['a', 'b', 'c']) await listen(name, `session:{${name}}`)
  assert.equal(subscriptions.onGap.length, 1)
  subscriptions.onGap[0]?.()
  assert.deepEqual(heard, ['a gap', 'b gap', 'c gap'])
})

test('SC-13: a subscription that fails is the failure of those who waited for it; the next one tries again', async (t) => {
  const { subscriptions, events, heard, listen } = build(t)
  subscriptions.refuse = 1
  const outcomes = await Promise.allSettled([listen('a', 'session:{a}'), listen('b', 'session:{a}')])
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'listens')),
    ['store_unavailable', 'store_unavailable'],
  )
  await listen('c', 'session:{a}')
  assert.equal(subscriptions.asked, 2)
  await events.publish('session:{a}', LOGOUT)
  assert.deepEqual(heard, ['c logout'])
})

test('SC-13: to tell never fails, whatever the store does: what happened has happened', async (t) => {
  const { memory, store, events } = build(t)
  await memory.close()
  await events.publish('session:{a}', LOGOUT)
  store.publish = () => {
    throw new Error('at once')
  }
  await events.publish('session:{a}', LOGOUT)
})

test('BL-11: two replicas on one store hear each other, and themselves', async (t) => {
  const { memory, events, heard, listen } = build(t)
  const other = createSessionEvents(memory)
  await listen('here', 'session:{a}')
  await other.listen('session:{a}', ({ type }) => void heard.push(`there ${type}`))
  await events.publish('session:{a}', LOGOUT)
  await other.publish('session:{a}', { type: 'refreshed' })
  assert.deepEqual(heard.toSorted(), ['here logout', 'here refreshed', 'there ended', 'there refreshed'])
})

test('a process that stops gives its subscription back, also one that is still on its way', async (t) => {
  const { subscriptions, events, heard, listen } = build(t)
  events.close() // Before anybody listened: there is nothing to give back.
  const listening = listen('a', 'session:{a}')
  events.close()
  await listening
  assert.equal(subscriptions.stopped, 1)
  await events.publish('session:{a}', LOGOUT)
  assert.deepEqual(heard, [])
})
