import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSweep } from '../../src/store/sweep.ts'

const PAUSE_MS = 2

/** Every step takes that long by the real clock; timers wait for the test. */
function countSteps(stepMs: number, moreSteps: number) {
  const seen = { steps: 0 }
  const stop = startSweep(() => {
    const end = performance.now() + stepMs
    while (performance.now() < end);
    seen.steps += 1
    return seen.steps <= moreSteps
  }, PAUSE_MS)
  return { seen, stop }
}

test('a round of short steps goes on after the pause, and the next round begins a second after it', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { seen, stop } = countSteps(0, 1)
  t.mock.timers.tick(999)
  assert.equal(seen.steps, 0)
  t.mock.timers.tick(1)
  assert.equal(seen.steps, 1)
  t.mock.timers.tick(500)
  assert.equal(seen.steps, 2)
  t.mock.timers.tick(499)
  assert.equal(seen.steps, 2, 'the round was over')
  t.mock.timers.tick(501)
  assert.equal(seen.steps, 3)
  stop()
  t.mock.timers.tick(10_000)
  assert.equal(seen.steps, 3)
})

test('after a step that took long, requests have as long', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { seen, stop } = countSteps(20, Number.POSITIVE_INFINITY)
  t.after(stop)
  t.mock.timers.tick(1000)
  assert.equal(seen.steps, 1)
  t.mock.timers.tick(19)
  assert.equal(seen.steps, 1)
})

test('a step that fails ends its round, and not the process', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let steps = 0
  t.after(
    startSweep(() => {
      steps += 1
      throw new Error('disk full')
    }, PAUSE_MS),
  )
  t.mock.timers.tick(1000)
  t.mock.timers.tick(999)
  assert.equal(steps, 1)
  t.mock.timers.tick(1)
  assert.equal(steps, 2)
})
