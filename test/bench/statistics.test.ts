import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCoreList } from '../../bench/cores.ts'
import { median, percentile, shorten } from '../../bench/statistics.ts'

test('the median is the middle value, in whatever order they come', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([10, 9]), 10)
  assert.ok(Number.isNaN(median([])))
})

test('a percentile is a value that was measured, and that its share does not exceed', () => {
  const hundred = Float64Array.from({ length: 100 }, (_, index) => index + 1)
  assert.deepEqual(
    [0.5, 0.99, 0.999, 1].map((share) => percentile(hundred, share)),
    [50, 99, 100, 100],
  )
  assert.ok(Number.isNaN(percentile([], 0.5)))
})

test('counts of sessions are short in the names of cases', () => {
  assert.deepEqual([500, 1000, 3000, 1_000_000].map(shorten), ['500', '1 k', '3 k', '1 M'])
})

test('the cores that a process may use are read as the kernel writes them', () => {
  assert.deepEqual(parseCoreList('0-2,5'), [0, 1, 2, 5])
  assert.deepEqual(parseCoreList('3'), [3])
})
