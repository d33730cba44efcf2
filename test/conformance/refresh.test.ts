import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Answer, Browser } from '../support/browser.ts'
import type { Claims } from './forge.ts'
import { assertSignedIn, type Journey, startJourney } from './journey.ts'

const refresh = (browser: Browser): Promise<Answer> => browser.fetch('/auth/refresh', { method: 'POST' })
const call = (browser: Browser): Promise<Answer> => browser.fetch('/api/accounts/1')

/** A signed-in browser, and the tokens with which the API behind the proxy was called. */
async function start(t: TestContext) {
  const journey = await startJourney(t)
  const seen: unknown[] = []
  journey.provider.idp.on('/accounts/1', ({ headers }) => {
    seen.push(headers.authorization)
    return { body: {} }
  })
  const outcome = await journey.signIn()
  await assertSignedIn(journey, outcome)
  return { journey, browser: outcome.browser, seen }
}

const countRefreshes = ({ provider }: Journey): number =>
  provider.idp.requests.filter(({ body }) => body.get('grant_type') === 'refresh_token').length

test('oidcc-client-test-refresh-token: after a refresh the new access token is used, and the new refresh token next time', async (t) => {
  const { journey, browser, seen } = await start(t)
  const { granted, idp } = journey.provider
  for (let round = 1; round <= 3; round++) {
    assert.equal((await refresh(browser)).status, 200)
    assert.equal((await call(browser)).status, 200)
    assert.equal(seen.at(-1), `Bearer ${granted[round]?.access_token}`)
    assert.equal(idp.last('/token').body.get('refresh_token'), granted[round - 1]?.refresh_token)
  }
  assert.equal(granted.length, 4)
  assert.equal(idp.count('/revoke'), 0)
  journey.assertSilent()
})

interface Row {
  readonly title: string
  readonly reason: string
  /** Of the ID token that comes with the refresh. */
  readonly claims: (right: Claims) => Claims
}

const REFUSED: readonly Row[] = [
  {
    title:
      'oidcc-client-test-refresh-token-invalid-issuer: an ID token of another issuer ends the session, its tokens revoked',
    reason: 'iss',
    claims: ({ iss }) => ({ iss: `${iss}1` }),
  },
  {
    title:
      'oidcc-client-test-refresh-token-invalid-sub: an ID token of another user ends the session, its tokens revoked',
    reason: 'sub_changed',
    claims: ({ sub }) => ({ sub: `${sub}1` }),
  },
]

for (const { title, reason, claims } of REFUSED) {
  test(title, async (t) => {
    const { journey, browser, seen } = await start(t)
    const { idp, granted } = journey.provider
    journey.provider.twist = { claims }
    const answer = await refresh(browser)
    assert.equal(answer.status, 401)
    assert.equal(answer.json().error, 'unauthenticated')
    assert.deepEqual(await browser.session(), { authenticated: false })
    assert.equal((await call(browser)).status, 401)
    assert.deepEqual(seen, [], 'no token of that answer was used')
    const revoked = idp.requests.filter(({ path }) => path === '/revoke').map(({ body }) => body.get('token'))
    assert.deepEqual(revoked.toSorted(), [granted[1]?.access_token, granted[1]?.refresh_token])
    assert.equal(countRefreshes(journey), 1)
    assert.equal(journey.events('session_ended').at(-1)?.reason, reason)
    journey.assertSilent()
  })
}

test('fapi2-security-profile-final-client-refresh-token-test: an API that refuses the token gets the call again with a renewed one, twice over', async (t) => {
  const { journey, browser, seen } = await start(t)
  const { idp, granted } = journey.provider
  const refused = new Set<unknown>()
  idp.on('/accounts/1', ({ headers }) => {
    seen.push(headers.authorization)
    if (!refused.has(headers.authorization)) return { body: {} }
    return { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } }
  })
  for (let round = 1; round <= 2; round++) {
    refused.add(`Bearer ${granted[round - 1]?.access_token}`)
    assert.equal((await call(browser)).status, 200)
    assert.equal(countRefreshes(journey), round)
    assert.equal(idp.last('/token').body.get('refresh_token'), granted[round - 1]?.refresh_token)
    journey.advance(11) // Tokens of the last ten seconds are not renewed again for an API.
  }
  assert.deepEqual(
    seen,
    [0, 1, 1, 2].map((index) => `Bearer ${granted[index]?.access_token}`),
  )
})
