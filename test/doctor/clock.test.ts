import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkClock } from '../../src/doctor/clock.ts'
import { assertCheck, createPatient, diagnose } from './patient.ts'

const settings = { alg: 'EdDSA', ttlS: 120, backdateS: 5, typ: 'JWT', audience: undefined } as const

const CASES = [
  { offsetS: 0, status: 'ok' },
  { offsetS: 5, status: 'ok' },
  { offsetS: -5, status: 'ok' },
  { offsetS: 6, status: 'warn', words: /^6 s behind/ },
  { offsetS: 30, status: 'warn', words: /^30 s behind/ },
  { offsetS: 31, status: 'FAIL', words: /ID tokens seem to come from the future/ },
  { offsetS: 115, status: 'FAIL', words: /request objects have expired when they arrive/ },
  { offsetS: -6, status: 'FAIL', words: /^6 s ahead .* request objects lie in its future/ },
  { offsetS: -8, backdateS: 10, status: 'warn', words: /^8 s ahead of/ },
  { offsetS: -11, backdateS: 10, status: 'FAIL', words: /JAR_BACKDATE_S|its future/ },
  { offsetS: 20, ttlS: 30, backdateS: 10, status: 'FAIL', words: /have expired when they arrive/ },
  { offsetS: -1, backdateS: 0, status: 'ok' },
  { offsetS: -2, backdateS: 0, status: 'warn', words: /^2 s ahead of/ },
] as const

for (const { offsetS, status, ...rest } of CASES) {
  const { ttlS, backdateS } = { ...settings, ...rest }
  test(`doctor on an IdP whose clock is ${offsetS} s ahead, with ttl ${ttlS} and backdate ${backdateS}: ${status}`, () => {
    const check = checkClock(offsetS, { ...settings, ttlS, backdateS })
    assert.equal(check.status, status)
    if ('words' in rest) assert.match(check.detail, rest.words)
    if (check.status !== 'ok') assert.match(check.remedy, /^synchronise the clock of this machine \(NTP\)/)
  })
}

test('doctor cannot compare the clocks where the IdP sends no date', () => {
  assertCheck([checkClock(undefined, settings)], 'warn', 'clock', /sends no Date header/, /synchronise/)
})

test('doctor measures the clock against the Date header of the IdP', async (t) => {
  const { env } = await createPatient(t)
  const ahead = await diagnose(env, { aheadS: 60 })
  assertCheck(ahead, 'FAIL', 'clock', /^(?:5[789]|60) s ahead of the identity provider/, /JAR_BACKDATE_S \(now 5\)/)
  assertCheck(ahead, 'FAIL', 'authorization request', /lies \d\d s in the future/, /synchronise the clock/)
  const behind = await diagnose(env, { aheadS: -20 })
  assertCheck(behind, 'warn', 'clock', /^(?:19|2[0123]) s behind the identity provider/, /synchronise/)
  const expired = await diagnose(env, { aheadS: -200 })
  assertCheck(expired, 'FAIL', 'clock', /^(?:199|20\d) s behind .*have expired/, /synchronise/)
  assertCheck(expired, 'FAIL', 'authorization request', /expired \d+ s ago/, /synchronise the clock/)
})
