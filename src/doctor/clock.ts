import type { Config } from '../config.ts'
import { ID_TOKEN_SKEW_S } from '../idp/id-token.ts'
import { about, type Check } from './check.ts'

/** A machine that keeps its time by NTP is not so far off. */
const WARNING_S = 5

const { ok, warn, fail } = about('clock')

const SYNCHRONISE = 'synchronise the clock of this machine (NTP)'

/**
 * Compares our clock with the `Date` header of the IdP.
 *
 * @param offsetS how far the IdP's clock is ahead of ours, seconds; undefined when it sends no date
 */
export function checkClock(offsetS: number | undefined, { ttlS, backdateS }: Config['requestObject']): Check {
  if (offsetS === undefined) {
    return warn(
      'the identity provider sends no Date header, so the clocks cannot be compared',
      `${SYNCHRONISE} in any case`,
    )
  }
  const distance = `${Math.abs(Math.round(offsetS))} s`
  if (offsetS >= ttlS - backdateS) {
    return fail(`${distance} behind the identity provider: request objects have expired when they arrive`, SYNCHRONISE)
  }
  if (offsetS > ID_TOKEN_SKEW_S) {
    return fail(`${distance} behind the identity provider: its ID tokens seem to come from the future`, SYNCHRONISE)
  }
  if (offsetS < -Math.max(backdateS, WARNING_S)) {
    const remedy = `${SYNCHRONISE}; JAR_BACKDATE_S (now ${backdateS}) makes up for 10 s at most`
    return fail(`${distance} ahead of the identity provider: request objects lie in its future`, remedy)
  }
  if (offsetS > WARNING_S || offsetS < -Math.min(backdateS + 1, WARNING_S)) {
    return warn(`${distance} ${offsetS > 0 ? 'behind' : 'ahead of'} the identity provider`, SYNCHRONISE)
  }
  return ok(`within ${WARNING_S} s of that of the identity provider`)
}
