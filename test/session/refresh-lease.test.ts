import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { BffError } from '../../src/errors.ts'
import { type Lease, type LeaseAnswer, readLease, takeLease } from '../../src/session/refresh-lease.ts'
import { sessionKey } from '../../src/session/session-keys.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'

const KEY = sessionKey('b_a-credential')

/** A store whose clock and timers move by argument. What a lease does by itself happens in `pass`, and only there. */
function build(t: TestContext) {
  const time = { now: 1_800_000_000 }
  const store = createMemoryStore({ now: () => time.now })
  t.after(() => store.close())
  t.mock.timers.enable({ apis: ['setInterval'] })
  const take = (key = KEY): Promise<LeaseAnswer> => takeLease(store, key)
  const hold = async (key = KEY): Promise<Lease> => {
    const answer = await take(key)
    assert.equal(answer.kind, 'held')
    return answer.kind === 'held' ? answer.lease : assert.fail()
  }
  /** Time in which every holder is alive. */
  const pass = async (seconds: number): Promise<void> => {
    for (let passed = 0; passed < seconds; passed += 0.5) {
      time.now += 0.5
      t.mock.timers.tick(500)
      await turn()
    }
  }
  const kindNow = async (): Promise<string> => (await readLease(store, KEY)).kind
  return { time, store, take, hold, pass, kindNow }
}

test('RF-02: of twenty callers exactly one holds the lease, and the others learn that it is taken', async (t) => {
  const { take } = build(t)
  const kinds = (await Promise.all(Array.from({ length: 20 }, () => take()))).map(({ kind }) => kind)
  assert.deepEqual(kinds.toSorted(), ['held', ...Array(19).fill('taken')])
})

test('RF-02: it is taken while it is held, free after its release, and other sessions have their own', async (t) => {
  const { take, hold, kindNow } = build(t)
  assert.equal(await kindNow(), 'free')
  const lease = await hold()
  assert.equal(await kindNow(), 'taken')
  assert.equal((await take()).kind, 'taken')
  assert.equal((await take(sessionKey('b_another'))).kind, 'held')
  await lease.release()
  assert.equal(await kindNow(), 'free')
  assert.equal((await take()).kind, 'held')
})

test('RF-02: a holder that lives keeps its lease, however long the IdP takes; one that let go renews no more', async (t) => {
  const { store, hold, pass, kindNow } = build(t)
  const renewals = t.mock.method(store, 'swap')
  const lease = await hold()
  for (let waited = 0; waited < 30; waited += 3) {
    await pass(3)
    assert.equal(await kindNow(), 'taken', `after ${waited + 3} s`)
  }
  await lease.release()
  const renewed = renewals.mock.callCount()
  await pass(10)
  assert.equal(await kindNow(), 'free')
  assert.equal(renewals.mock.callCount(), renewed)
})

test('RF-03: the lease of a holder that died runs out after five seconds', async (t) => {
  const { time, hold, take } = build(t)
  await hold()
  time.now += 4.9
  assert.equal((await take()).kind, 'taken')
  time.now += 0.1
  assert.equal((await take()).kind, 'held')
})

test('RF-02: the fence is 1 after a clean release and after a rest', async (t) => {
  const { hold, pass } = build(t)
  for (let round = 0; round < 3; round++) {
    const lease = await hold()
    assert.equal(lease.fence, 1)
    await lease.release()
  }
  const failed = await hold()
  await pass(await failed.rest(3))
  assert.equal((await hold()).fence, 1)
})

test('RF-02: the fence grows with every holder that died, also a minute later, and is 1 again once one was clean', async (t) => {
  const { time, hold } = build(t)
  const fences: number[] = []
  for (const deadForS of [5, 5, 60]) {
    fences.push((await hold()).fence)
    time.now += deadForS
  }
  const clean = await hold()
  assert.deepEqual([...fences, clean.fence], [1, 2, 3, 4])
  await clean.release()
  assert.equal((await hold()).fence, 1)
})

for (const how of ['release', 'rest'] as const) {
  test(`RF-02: the ${how} of a holder whose lease has passed on touches neither the next one's lease nor its fence`, async (t) => {
    const { time, hold, kindNow } = build(t)
    const late = await hold()
    time.now += 5
    const next = await hold()
    assert.equal(next.fence, 2)
    if (how === 'release') await late.release()
    else await late.rest(7)
    assert.equal(await kindNow(), 'taken')
    time.now += 5
    const third = await hold()
    assert.equal(third.fence, 3, 'that the one before died is not forgotten')
    await next.release()
    assert.equal(await kindNow(), 'taken')
    await third.release()
    assert.equal(await kindNow(), 'free')
  })
}

test('RF-02: a late renewal does not take the lease back from the next holder, nor lengthen its', async (t) => {
  const { time, store, hold, pass } = build(t)
  await hold()
  time.now += 5
  await store.add(`${KEY}:lease`, 'of a holder on another replica', 5)
  await pass(4)
  assert.equal(await store.get(`${KEY}:lease`), 'of a holder on another replica')
  await pass(2)
  assert.equal(await store.get(`${KEY}:lease`), undefined)
})

test('RF-05: a holder that lets its session rest renews no more, also once the rest is over', async (t) => {
  const { store, hold, pass } = build(t)
  const lease = await hold()
  await lease.rest(1)
  const renewals = t.mock.method(store, 'swap')
  await pass(10)
  assert.equal(renewals.mock.callCount(), 0)
})

test("RF-05: after a failure the session rests for all, for as long as the IdP's Retry-After says", async (t) => {
  const { hold, take, pass, kindNow } = build(t)
  const lease = await hold()
  assert.equal(await lease.rest(7), 7)
  assert.deepEqual(await take(), { kind: 'resting', retryAfterS: 7 })
  await pass(6.5)
  assert.equal((await take()).kind, 'resting')
  await pass(0.5)
  assert.equal(await kindNow(), 'free')
  assert.equal((await take()).kind, 'held')
})

test('RF-05: without Retry-After the rest doubles up to 30 s, each between half and whole, and not the same for all', async (t) => {
  const { time, hold } = build(t)
  const last: number[] = []
  for (let session = 0; session < 60; session++) {
    for (const whole of [1, 2, 4, 8, 16, 30, 30]) {
      const restS = await (await hold(sessionKey(`b_${session}`))).rest(undefined)
      assert.ok(Number.isInteger(restS) && restS >= Math.max(1, whole / 2) && restS <= whole, `${restS} of ${whole}`)
      time.now += restS
      if (whole === 30) last.push(restS)
    }
  }
  assert.ok(Math.min(...last) < 19 && Math.max(...last) > 26, 'spread over the whole half')
})

test('RF-05: a refresh that succeeds forgets the failures before it', async (t) => {
  const { time, hold } = build(t)
  const fail = async (): Promise<void> => {
    time.now += await (await hold()).rest(undefined)
  }
  for (let failure = 0; failure < 6; failure++) await fail()
  await (await hold()).release()
  assert.equal(await (await hold()).rest(undefined), 1)
})

test('the keys of a lease share the hash tag of the session, so that they are on its node of a cluster', async (t) => {
  const { store } = build(t)
  const keys = new Set<string>()
  const watched = new Proxy(store, {
    get: (target, name: keyof Store) => {
      const verb = target[name]
      if (typeof verb !== 'function') return verb
      return (...parts: readonly [string, ...unknown[]]) => {
        if (name !== 'time') keys.add(parts[0])
        return Reflect.apply(verb, target, parts) as unknown
      }
    },
  })
  const first = await takeLease(watched, KEY)
  if (first.kind === 'held') await first.lease.release()
  const second = await takeLease(watched, KEY)
  if (second.kind === 'held') await second.lease.rest(undefined)
  assert.equal(keys.size, 3, 'lease, fence and failures')
  const tagOf = (key: string): string => /\{[^}]+\}/.exec(key)?.[0] ?? ''
  assert.match(tagOf(KEY), /^\{.{22}\}$/)
  for (const key of keys) {
    assert.equal(tagOf(key), tagOf(KEY))
    assert.notEqual(key, KEY)
  }
})

test('SC-13: with the store away nobody holds a lease, and a holder that cannot renew is no unhandled failure', async (t) => {
  const { store, hold, take, pass } = build(t)
  const lease = await hold()
  await store.close()
  await assert.rejects(take(), (error) => error instanceof BffError && error.code === 'store_unavailable')
  await pass(6)
  await assert.rejects(lease.release())
  await pass(6)
})
