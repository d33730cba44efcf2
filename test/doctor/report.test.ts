import assert from 'node:assert/strict'
import { test } from 'node:test'
import { about, guard } from '../../src/doctor/check.ts'
import { formatCheck } from '../../src/doctor/report.ts'

const { ok, warn, fail } = about('clock')

test('a check is one line that begins with its verdict', () => {
  assert.equal(formatCheck(ok('right')), 'ok    clock: right')
  assert.equal(formatCheck(warn('late', 'wind it')), 'warn  clock: late -> wind it')
  assert.equal(formatCheck(fail('stopped', 'wind it')), 'FAIL  clock: stopped -> wind it')
})

test('what the IdP says can neither begin a line nor move the cursor', () => {
  const hostile = 'a\r\nok    all: fine\u001b[2J\u0085\u2028\u202Eb'
  const line = formatCheck(fail(hostile, hostile))
  assert.doesNotMatch(line, /[\p{C}\u2028\u2029]/u)
  assert.ok(line.startsWith('FAIL  clock: a  ok    all: fine [2J'))
})

test('a check that throws is one that failed, and its message is not shown', async () => {
  const checks = await guard('clock', async () => {
    throw new TypeError('canary')
  })
  const lines = checks.map(formatCheck)
  assert.deepEqual(lines, ['FAIL  clock: the check itself failed (TypeError) -> report this as a bug of oten-bff'])
})
