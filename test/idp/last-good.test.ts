import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLastGood } from '../../src/idp/last-good.ts'

/** A copy that is kept 100 s, with a cooldown of 2 s after failures. */
function build() {
  const time = { now: 1000 }
  const loads: { resolve: (value: string) => void; reject: (error: Error) => void }[] = []
  const load = (): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    loads.push({ resolve, reject })
    return promise
  }
  return { time, loads, lastGood: createLastGood({ load, now: () => time.now, keepS: 100, cooldownS: 2 }) }
}

test('KY-03 callers at the same time share one load, and the next ones start another', async () => {
  const { loads, lastGood } = build()
  assert.equal(lastGood.peek(), undefined)
  const first = Array.from({ length: 20 }, () => lastGood.refresh())
  loads[0]?.resolve('a')
  assert.deepEqual(new Set(await Promise.all(first)), new Set(['a']))
  assert.equal(loads.length, 1)
  const second = lastGood.refresh()
  loads[1]?.resolve('b')
  assert.equal(await second, 'b')
  assert.deepEqual(lastGood.peek(), { value: 'b', ageS: 0 })
})

test('KY-03 a failure keeps the good copy until it is too old', async () => {
  const { time, loads, lastGood } = build()
  const load = lastGood.refresh()
  loads[0]?.resolve('a')
  await load
  time.now += 50
  const failed = lastGood.refresh()
  loads[1]?.reject(new Error('down'))
  await assert.rejects(failed, /down/)
  time.now += 50
  assert.deepEqual(lastGood.peek(), { value: 'a', ageS: 100 })
  time.now += 1
  assert.equal(lastGood.peek(), undefined)
})

test('KY-03 for two seconds after a failure nothing is tried', async () => {
  const { time, loads, lastGood } = build()
  const failed = lastGood.refresh()
  loads[0]?.reject(new Error('down'))
  await assert.rejects(failed)
  time.now += 1.9
  await assert.rejects(lastGood.refresh(), /down/)
  assert.equal(loads.length, 1)
  time.now += 0.1
  const retried = lastGood.refresh()
  loads[1]?.resolve('b')
  assert.equal(await retried, 'b')
})
