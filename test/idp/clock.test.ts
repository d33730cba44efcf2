import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClock } from '../../src/idp/clock.ts'
import { createTestLog } from './build-idp.ts'

const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT'
const AT = 784_111_777

/** What is measured when our clock says `now` and the IdP's header says `DATE`. */
function observe(now: number, headers: Record<string, string> = { date: DATE }, sentAt = now) {
  const log = createTestLog()
  const clock = createClock({ now: () => now, log })
  clock.observeDate(new Headers(headers), sentAt)
  return { offsetS: clock.offsetS(), warnings: log.lines.length }
}

test('LG-05 an offset of 30 s is tolerated, 31 s is not, in either direction', () => {
  assert.deepEqual(observe(AT - 30), { offsetS: 30, warnings: 0 })
  assert.deepEqual(observe(AT - 31), { offsetS: 31, warnings: 1 })
  assert.deepEqual(observe(AT + 31), { offsetS: -30, warnings: 0 }) // The header's second may have been nearly over.
  assert.deepEqual(observe(AT + 32), { offsetS: -31, warnings: 1 })
})

test('LG-05 the time that the exchange took is no skew', () => {
  assert.deepEqual(observe(AT + 60, { date: DATE }, AT - 5), { offsetS: 0, warnings: 0 })
})

test("LG-05 a cached answer's age counts", () => {
  assert.deepEqual(observe(AT + 3600, { date: DATE, age: '3600' }), { offsetS: 0, warnings: 0 })
})

test('LG-05 a header that is absent or no date says nothing', () => {
  assert.deepEqual(observe(AT, {}), { offsetS: undefined, warnings: 0 })
  assert.deepEqual(observe(AT, { date: 'soon' }), { offsetS: undefined, warnings: 0 })
  assert.deepEqual(observe(AT, { date: DATE, age: 'old' }), { offsetS: undefined, warnings: 0 })
})

test('LG-05 the warning says by how many whole seconds, and what to do', () => {
  const log = createTestLog()
  createClock({ now: () => AT - 40.4, log }).observeDate(new Headers({ date: DATE }), AT - 40.4)
  const [warning] = log.lines
  assert.deepEqual([warning?.level, warning?.fields], ['warn', { clockOffsetS: 40 }])
  assert.match(warning?.message ?? '', /differs from the identity provider’s.*NTP/)
})

test('LG-05 after an hour the warning comes again', () => {
  const log = createTestLog()
  let now = AT - 40
  const clock = createClock({ now: () => now, log })
  const observeAt = (instant: number): void => {
    now = instant
    clock.observeDate(new Headers({ date: new Date((now + 40) * 1000).toUTCString() }), now)
  }
  observeAt(AT)
  observeAt(AT + 3599)
  assert.equal(log.lines.length, 1)
  observeAt(AT + 3600)
  assert.equal(log.lines.length, 2)
})
