import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { sendPlain } from '../flows/steps.ts'
import { signJws } from '../idp/hostile-idp.ts'
import { assertDone, assertRefused, FORM } from '../routes/build-backchannel-logout.ts'
import type { Answer, Browser } from '../support/browser.ts'
import { CLIENT_SECRET } from '../support/env.ts'
import { type Claims, createForeignKey, leaveUnsigned, signForeign, signHmac } from './forge.ts'
import { assertSignedIn, type Journey, startJourney } from './journey.ts'
import { CLIENT_ID, type Twist } from './provider.ts'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const rsa = createForeignKey('RS256', 'provider-1')

interface Returned {
  /** At the way back from the provider. */
  readonly landed: Answer
  /** How the provider was asked. */
  readonly asked: URL
}

/** Signs out at the page and at the provider, and comes back. */
async function signOut(browser: Browser): Promise<Returned> {
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ return_to: '/bye' })
  const told = await browser.fetch('/auth/logout', { method: 'POST', headers, body })
  assert.equal(told.status, 200, told.text)
  assert.deepEqual(await browser.session(), { authenticated: false }, 'before the provider knows of it')
  const onward = await browser.navigate(String(told.json().logout_url))
  assert.equal(onward.status, 303)
  const asked = new URL(String(onward.location))
  const back = await browser.navigate(asked.href)
  assert.equal(back.status, 302, back.text)
  return { landed: await browser.navigate(String(back.location)), asked }
}

async function signIn(journey: Journey): Promise<Browser> {
  const outcome = await journey.signIn()
  await assertSignedIn(journey, outcome)
  return outcome.browser
}

interface Return {
  readonly title: string
  readonly landing?: NonNullable<Twist['landing']>
  /** Where the user ends up. */
  readonly target: string
}

const RETURNS: readonly Return[] = [
  {
    title: 'oidcc-client-test-rp-init-logout: the user is signed out here and at the provider, and comes back',
    target: '/bye',
  },
  {
    title: 'oidcc-client-test-rp-init-logout-no-state: a way back without state is taken, and leads to the front page',
    landing: () => ({ state: undefined }),
    target: '/',
  },
  {
    title:
      'oidcc-client-test-rp-init-logout-other-state: a way back with another state is taken, and leads to the front page',
    landing: ({ state }) => ({ state: `${state}_INVALID` }),
    target: '/',
  },
]

for (const { title, landing, target } of RETURNS) {
  test(title, async (t) => {
    const journey = await startJourney(t)
    const { provider, publicUrl } = journey
    const browser = await signIn(journey)
    if (landing !== undefined) provider.twist = { landing }
    const { landed, asked } = await signOut(browser)
    assert.equal(landed.status, 303)
    assert.equal(landed.headers.get('location'), target)
    assert.equal(asked.origin + asked.pathname, provider.idp.metadata.end_session_endpoint)
    assert.equal(asked.searchParams.get('id_token_hint'), provider.granted[0]?.id_token)
    assert.equal(asked.searchParams.get('post_logout_redirect_uri'), `${publicUrl}/auth/logged-out`)
    assert.match(String(asked.searchParams.get('state')), /^[\w-]{43}$/)
    assert.equal(provider.idp.count('/revoke'), 2)
    assert.deepEqual(await browser.session(), { authenticated: false })
    journey.assertSilent()
  })
}

/**
 * As in the suite: while a browser is at the provider's sign-out, the provider sends a logout token. It names another
 * session of the same user, so that it shows what the token does.
 */
async function logOutMeanwhile(journey: Journey, make: (right: Claims) => string) {
  const { provider } = journey
  const [leaving, staying] = [await signIn(journey), await signIn(journey)]
  const iat = Math.floor(Date.now() / 1000)
  const parties = { iss: provider.idp.issuer, aud: CLIENT_ID, iat, exp: iat + 120, jti: randomUUID() }
  const right = { ...parties, sub: 'ada', sid: provider.sids[1], events: { [EVENT]: {} } }
  const body = new URLSearchParams({ logout_token: make(right) }).toString()
  const answers: Answer[] = []
  provider.atLogout = async () => {
    answers.push(await sendPlain(journey, '/auth/backchannel-logout', { method: 'POST', headers: FORM, body }))
  }
  const { landed } = await signOut(leaving)
  assert.equal(landed.headers.get('location'), '/bye')
  const [answer] = answers
  assert.ok(answer)
  return { answer, staying }
}

const HEADER = { alg: 'EdDSA', kid: 'provider-1', typ: 'logout+jwt' }

test('oidcc-client-test-rp-backchannel-rpinitlogout: a logout token ends the session that it names', async (t) => {
  const journey = await startJourney(t)
  const { key } = journey.provider
  const { answer, staying } = await logOutMeanwhile(journey, (right) => signJws(right, key, HEADER))
  assertDone(answer)
  assert.deepEqual(await staying.session(), { authenticated: false })
})

test('oidcc-client-test-rp-backchannel-rpinitlogout: a logout token for the session that has just left is no error', async (t) => {
  const journey = await startJourney(t)
  const { key, sids } = journey.provider
  const { answer, staying } = await logOutMeanwhile(journey, (right) =>
    signJws({ ...right, sid: sids[0] }, key, HEADER),
  )
  assertDone(answer)
  assert.equal((await staying.session()).authenticated, true)
})

interface Row {
  readonly title: string
  readonly reason: string
  /** Of a logout token. */
  readonly claims?: (right: Claims) => Claims
  readonly token?: (right: Claims) => string
}

/** Logout tokens that end nothing. */
const REFUSED: readonly Row[] = [
  {
    title: 'oidcc-client-test-rp-backchannel-rpinitlogout-alg-none: an unsigned logout token is 400 and ends nothing',
    reason: 'alg',
    token: (right) => leaveUnsigned(right, 'AAAA'),
  },
  {
    title: 'oidcc-client-test-rp-backchannel-rpinitlogout-alg-none: so is one with nothing behind its last dot',
    reason: 'segments',
    token: (right) => leaveUnsigned(right),
  },
  {
    title:
      'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg: a logout token signed with RS256 is 400 and ends nothing',
    reason: 'alg',
    token: (right) => signForeign(right, rsa),
  },
  {
    title: 'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg: so is one with an HMAC',
    reason: 'alg',
    token: (right) => signHmac(right, CLIENT_SECRET, 'provider-1'),
  },
  {
    title:
      'oidcc-client-test-rp-backchannel-rpinitlogout-no-event: a logout token without events is 400 and ends nothing',
    reason: 'events',
    claims: () => ({ events: undefined }),
  },
  {
    title:
      'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event: a logout token of another event is 400 and ends nothing',
    reason: 'events',
    claims: () => ({ events: { 'http://schemas.openid.net/event/foobar': {} } }),
  },
  {
    title:
      'oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce: a logout token with a nonce is 400 and ends nothing',
    reason: 'nonce',
    claims: () => ({ nonce: 'x' }),
  },
  {
    title:
      'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud: a logout token for another client is 400 and ends nothing',
    reason: 'aud',
    claims: () => ({ aud: `${CLIENT_ID}1` }),
  },
  {
    title:
      'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss: a logout token of another issuer is 400 and ends nothing',
    reason: 'iss',
    claims: ({ iss }) => ({ iss: `${iss}1` }),
  },
  {
    title: 'a logout token that names neither a session nor a user is 400 and ends nothing',
    reason: 'nobody_named',
    claims: () => ({ sid: undefined, sub: undefined }),
  },
]

for (const { title, reason, claims = () => ({}), token } of REFUSED) {
  test(title, async (t) => {
    const journey = await startJourney(t)
    const { key, idp } = journey.provider
    idp.keys.push(rsa.jwk)
    const make = token ?? ((right: Claims) => signJws({ ...right, ...claims(right) }, key, HEADER))
    const { answer, staying } = await logOutMeanwhile(journey, make)
    assertRefused(answer)
    assert.deepEqual(
      journey.events('backchannel_logout_refused').map((entry) => entry.reason),
      [reason],
    )
    assert.equal((await staying.session()).authenticated, true)
  })
}
