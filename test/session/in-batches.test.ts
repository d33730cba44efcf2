import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inBatches } from '../../src/session/in-batches.ts'

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('thousands are done in order, at most 64 at once', async () => {
  let running = 0
  let most = 0
  const results = await inBatches(
    Array.from({ length: 1000 }, (_, n) => n),
    async (n) => {
      most = Math.max(most, ++running)
      await tick()
      running -= 1
      return 2 * n
    },
  )
  assert.deepEqual(
    results,
    Array.from({ length: 1000 }, (_, n) => 2 * n),
  )
  assert.equal(most, 64)
})

test('what comes little by little is not waited for as a whole', async () => {
  const done: number[] = []
  async function* come(): AsyncIterable<number> {
    for (let n = 0; n < 100; n++) yield n
    assert.ok(done.length >= 64)
  }
  await inBatches(come(), async (n) => void done.push(n))
  assert.equal(done.length, 100)
})

test('a failure is told once those beside it are done, and nothing after it begins', async () => {
  const done: number[] = []
  const work = async (n: number): Promise<void> => {
    if (n === 3) throw new Error('the store is away')
    await tick()
    done.push(n)
  }
  await assert.rejects(
    inBatches(
      Array.from({ length: 200 }, (_, n) => n),
      work,
    ),
    /the store is away/,
  )
  assert.equal(done.length, 63)
})
