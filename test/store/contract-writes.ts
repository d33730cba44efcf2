import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Create, callers } from './subject.ts'

/** What callers rely on when they move an end, compare before they write, and count. */
export function testConditionalWrites(name: string, create: Create): void {
  test(`${name} store: expire moves the end of a live value, either way, and creates nothing`, async (t) => {
    const { store, advance } = await create(t)
    assert.equal(await store.expire('k', 10), false)
    assert.equal(await store.get('k'), undefined)
    await store.set('longer', 'v', 1)
    await store.set('shorter', 'v', 10)
    await store.set('ended', 'v', 1)
    assert.equal(await store.expire('longer', 10), true)
    assert.equal(await store.expire('shorter', 1), true)
    await advance(1.1)
    assert.equal(await store.get('longer'), 'v')
    assert.equal(await store.get('shorter'), undefined)
    assert.equal(await store.expire('ended', 10), false)
    assert.equal(await store.get('ended'), undefined)
  })

  test(`${name} store: time is in epoch microseconds, and grows from call to call`, async (t) => {
    const { store, advance } = await create(t)
    const first = await store.time()
    const second = await store.time()
    assert.ok(second > first && Number.isSafeInteger(second), `${first}, ${second}`)
    await advance(2)
    const passedUs = (await store.time()) - second
    assert.ok(passedUs >= 1_900_000 && passedUs < 60_000_000, `${passedUs} µs for two seconds`)
  })

  test(`${name} store: swap writes only over this very value, and gives it a new ttl`, async (t) => {
    const { store, advance } = await create(t)
    assert.equal(await store.swap('k', '', 'never there', 10), false)
    await store.set('k', 'one', 1)
    assert.equal(await store.swap('k', 'on', 'two', 10), false)
    assert.equal(await store.swap('k', 'ONE', 'two', 10), false)
    assert.equal(await store.get('k'), 'one')
    assert.equal(await store.swap('k', 'one', 'two', 10), true)
    assert.equal(await store.swap('k', 'one', 'three', 10), false)
    await store.set('short', 'one', 10)
    await store.swap('short', 'one', 'two', 1)
    await store.set('late', 'one', 1)
    await advance(1.1)
    assert.equal(await store.get('k'), 'two')
    assert.equal(await store.get('short'), undefined)
    assert.equal(await store.swap('late', 'one', 'two', 10), false)
    assert.equal(await store.get('late'), undefined)
  })

  test(`${name} store: a failed swap does not prolong what is there`, async (t) => {
    const { store, advance } = await create(t)
    await store.set('k', 'one', 1)
    assert.equal(await store.swap('k', 'other', 'two', 10), false)
    await advance(1.1)
    assert.equal(await store.get('k'), undefined)
  })

  test(`${name} store: of many callers who saw the same value, exactly one swaps it`, async (t) => {
    const { store } = await create(t)
    await store.set('k', 'seen', 10)
    const swapped = await callers((n) => store.swap('k', 'seen', `caller ${n}`, 10))
    assert.equal(swapped.filter(Boolean).length, 1)
    assert.equal(await store.get('k'), `caller ${swapped.indexOf(true)}`)
  })

  test(`${name} store: deleteIf removes only this very value, once`, async (t) => {
    const { store, advance } = await create(t)
    assert.equal(await store.deleteIf('k', ''), false)
    await store.set('k', 'mine', 10)
    assert.equal(await store.deleteIf('k', 'yours'), false)
    assert.equal(await store.get('k'), 'mine')
    assert.equal((await callers(() => store.deleteIf('k', 'mine'))).filter(Boolean).length, 1)
    assert.equal(await store.get('k'), undefined)
    await store.set('k', 'mine', 1)
    await advance(1.1)
    assert.equal(await store.deleteIf('k', 'mine'), false)
  })

  test(`${name} store: values are compared as they are: large, empty, in any script`, async (t) => {
    const { store } = await create(t)
    for (const value of ['', 'ü'.repeat(64 * 1024), 'nul\u0000 inside', '1', '1.0', 'Zoë 🦊\r\n']) {
      await store.set('k', value, 10)
      assert.equal(await store.swap('k', `${value}0`, 'wrong', 10), false)
      assert.equal(await store.swap('k', value, `${value}!`, 10), true)
      assert.equal(await store.deleteIf('k', value), false)
      assert.equal(await store.deleteIf('k', `${value}!`), true)
    }
  })

  test(`${name} store: increment counts from 1, each caller a number of its own`, async (t) => {
    const { store } = await create(t)
    assert.equal(await store.increment('k', 10), 1)
    const numbers = await callers(() => store.increment('k', 10))
    assert.deepEqual(
      numbers.sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, n) => n + 2),
    )
    assert.equal(await store.increment('other', 10), 1)
    await store.delete('k')
    assert.equal(await store.increment('k', 10), 1)
  })

  test(`${name} store: increment gives the counter a new ttl, and starts again when it has ended`, async (t) => {
    const { store, advance } = await create(t)
    await store.increment('kept', 1)
    await store.increment('kept', 10)
    await store.increment('ended', 10)
    await store.increment('ended', 1)
    await advance(1.1)
    assert.equal(await store.increment('kept', 10), 3)
    assert.equal(await store.increment('ended', 10), 1)
  })
}
