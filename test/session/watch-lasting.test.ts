import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Session } from '../../src/session/record.ts'
import { createLastingWatch } from '../../src/session/watch-lasting.ts'
import { newSession } from '../plugins/build-service.ts'

const NOW = 1_800_000_000

const createSession = (key: string): Session => ({
  key,
  credential: `b_${key}`,
  lastUsedAt: NOW,
  record: {
    ...newSession(NOW),
    generation: 1,
    id: key,
    createdAt: NOW,
    expiresAt: NOW + 3600,
    idleS: 3600,
  },
})

function build(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const dead = new Set<string>()
  const listening = new Map<string, (event: { type: 'ended'; reason: 'logout' }) => void>()
  const reload = t.mock.fn(async (session: Session) => (dead.has(session.key) ? undefined : session))
  const events = {
    listen: async (key: string, listener: (event: never) => void) => {
      listening.set(key, listener as never)
      return () => void listening.delete(key)
    },
  }
  const watch = createLastingWatch({ sessions: { reload }, events, now: () => NOW })
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 50) {
      t.mock.timers.tick(50)
      for (let round = 0; round < 5; round++) await turn()
    }
  }
  return { watch, pass, dead, listening, reload }
}

test('what is over soon was never watched', async (t) => {
  const { watch, pass, listening, reload } = build(t)
  const leaves = Array.from({ length: 100 }, (_, n) => watch.begin(createSession(`s${n}`), () => assert.fail()))
  await pass(150)
  for (const leave of leaves) leave()
  await pass(2000)
  assert.equal(listening.size, 0)
  assert.equal(reload.mock.callCount(), 0)
})

test('SC-14: what lasts is told of an end that came before it was watched, and of one that comes later', async (t) => {
  const { watch, pass, dead, listening } = build(t)
  const ended: string[] = []
  for (const key of ['early', 'late', 'never']) watch.begin(createSession(key), () => ended.push(key))
  dead.add('early')
  await pass(450)
  assert.deepEqual(ended, ['early'])
  assert.deepEqual([...listening.keys()], ['late', 'never'])
  listening.get('late')?.({ type: 'ended', reason: 'logout' })
  assert.deepEqual(ended, ['early', 'late'])
})

test('who leaves, at whatever age, is told nothing and leaves nothing behind, and places are used again', async (t) => {
  const { watch, pass, dead, listening } = build(t)
  for (const age of [0, 150, 250, 450, 1000]) {
    const leave = watch.begin(createSession(`aged ${age}`), () => assert.fail(`told at ${age}`))
    const other = watch.begin(createSession(`beside ${age}`), () => {})
    await pass(age)
    leave()
    leave() // Twice does no harm to who took the place.
    const next = watch.begin(createSession(`next ${age}`), () => {})
    leave()
    dead.add(`aged ${age}`)
    await pass(1000)
    assert.deepEqual([...listening.keys()].sort(), [`beside ${age}`, `next ${age}`])
    other()
    next()
    await pass(1000)
    assert.equal(listening.size, 0)
  }
})

test('what is younger than a step is not watched yet, and what has outlived two is', async (t) => {
  const { watch, pass, listening, reload } = build(t)
  watch.begin(createSession('first'), () => {})
  await pass(150)
  watch.begin(createSession('second'), () => {})
  await pass(100)
  assert.deepEqual([listening.size, reload.mock.callCount()], [0, 0])
  await pass(200)
  assert.deepEqual([...listening.keys()], ['first', 'second'])
})

test('one timer runs, however much is going on, and none where nothing is', async (t) => {
  const { watch, pass } = build(t)
  const set = t.mock.method(globalThis, 'setTimeout')
  for (let round = 1; round <= 3; round++) {
    set.mock.resetCalls()
    const leaves = Array.from({ length: 100 }, (_, n) => watch.begin(createSession(`s${n}`), () => assert.fail()))
    assert.equal(set.mock.callCount(), 1)
    for (const leave of leaves) leave()
    await pass(250)
    set.mock.resetCalls()
    await pass(1000)
    assert.equal(set.mock.callCount(), 0, `after round ${round}`)
  }
})
