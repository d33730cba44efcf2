import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { countTokenRequests, openBrowser, parseSetCookie } from '../flows/steps.ts'
import type { Browser } from '../support/browser.ts'
import { createWorld, DEEP_LINK, type World } from '../support/world.ts'
import { ask, headerOf } from './raw.ts'

/** A sign-in that has been at the IdP and stands before its callback. */
interface InFlight {
  readonly who: string
  readonly browser: Browser
  /** `name=value` of its transaction cookie. */
  readonly cookie: string
  readonly code: string
  readonly state: string
  readonly iss: string
}

const challengeOf = (verifier: string): string => hash('sha256', verifier, 'base64url')

async function begin(world: World, who: string, query: string): Promise<InFlight> {
  const browser = openBrowser(world)
  const started = await browser.fetch(`/auth/start?${query}`)
  const { name, value } = parseSetCookie(started.setCookies[0] ?? assert.fail())
  const { searchParams } = new URL(await browser.passIdp(String(started.json().authorization_url), who))
  const read = (parameter: string): string => searchParams.get(parameter) ?? assert.fail(parameter)
  return { who, browser, cookie: `${name}=${value}`, code: read('code'), state: read('state'), iss: read('iss') }
}

/** Two browsers and an app, all of them at once at the IdP. */
async function beginAll(t: TestContext) {
  const world = await createWorld(t, { env: { RATE_LIMIT_PER_MINUTE: '0' } })
  const verifier = randomBytes(32).toString('base64url')
  const app = `app=android&state=of-the-app&code_challenge_method=S256&code_challenge=${challengeOf(verifier)}`
  const all = [
    await begin(world, 'ada', 'return_to=/of-ada'),
    await begin(world, 'bob', 'return_to=/of-bob'),
    await begin(world, 'cyd', app),
  ]
  return { world, verifier, all }
}

const callback = ({ code, state, iss }: Pick<InFlight, 'code' | 'state' | 'iss'>): string =>
  `/auth/callback?${new URLSearchParams({ code, state, iss })}`

const NAVIGATION = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

/** As a browser with exactly these cookies would open it. */
async function open({ publicUrl }: World, path: string, cookie: string) {
  const headers = { ...NAVIGATION, ...(cookie !== '' && { cookie }) }
  const answer = await ask(Number(new URL(publicUrl).port), path, { headers })
  const setCookies = answer.headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value)
  return { status: answer.status, location: headerOf(answer, 'location'), setCookies }
}

const setsSession = (setCookies: readonly string[]): boolean =>
  setCookies.some((line) => line.startsWith('oten_session=') && !line.startsWith('oten_session=;'))

test("another's callback, cookie or state opens no sign-in, burns none, and costs no token request", async (t) => {
  const { world, all } = await beginAll(t)
  const before = countTokenRequests(world)
  for (const mine of all) {
    for (const theirs of all) {
      if (mine === theirs) continue
      const [name = '', value = ''] = mine.cookie.split('=')
      const [theirName = ''] = theirs.cookie.split('=')
      const attempts: [path: string, cookie: string][] = [
        [callback(theirs), mine.cookie],
        [callback(theirs), ''],
        [callback(theirs), `${theirName}=${value}`],
        [callback(theirs), `${mine.cookie}; ${theirName}=${value}`],
        [callback({ ...mine, state: theirs.state }), mine.cookie],
        [callback({ ...mine, state: `${theirs.state}x` }), theirs.cookie],
        [callback({ ...mine, state: theirs.state.toLowerCase() }), theirs.cookie],
        [callback({ ...theirs, state: '' }), theirs.cookie],
        [callback(mine), `${name}=`],
      ]
      for (const [path, cookie] of attempts) {
        const { status, setCookies } = await open(world, path, cookie)
        assert.equal(status, 400, `${path} with ${cookie}`)
        assert.ok(!setsSession(setCookies))
      }
    }
  }
  assert.equal(countTokenRequests(world), before)
  for (const { who, browser, ...rest } of all.slice(0, 2)) {
    const answer = await browser.navigate(callback(rest))
    assert.equal(answer.location, `${world.publicUrl}/of-${who}`)
    const { user } = (await browser.session()) as { readonly user: { readonly sub: string } }
    assert.equal(user.sub, who)
  }
})

test("another's code in one's own callback signs nobody in: not as the other, and not as oneself", async (t) => {
  const { world, all } = await beginAll(t)
  const [ada, bob, cyd] = all
  assert.ok(ada && bob && cyd)
  for (const [mine, theirs] of [
    [ada, bob],
    [bob, cyd],
    [cyd, ada],
  ] as const) {
    const { location, setCookies } = await open(world, callback({ ...mine, code: theirs.code }), mine.cookie)
    assert.match(location ?? '', /[?&](?:auth_)?error=sign_in_failed/, mine.who)
    assert.ok(!setsSession(setCookies), mine.who)
  }
  // Each transaction is spent by that, and with it the code: nothing can be tried with it again.
  for (const { cookie, ...rest } of all) assert.equal((await open(world, callback(rest), cookie)).status, 400)
  assert.deepEqual(await ada.browser.session(), { authenticated: false })
})

test("a sign-in of an app ends in the app alone, and a browser's in the browser, whoever mixes them", async (t) => {
  const { world, verifier, all } = await beginAll(t)
  const [ada, , cyd] = all
  assert.ok(ada && cyd)
  const jar = `${ada.cookie}; ${cyd.cookie}` // One and the same browser has both in flight.
  const forApp = await open(world, callback(cyd), jar)
  assert.ok(forApp.location?.startsWith(`${DEEP_LINK}?code=`), 'the link of the app')
  assert.ok(!setsSession(forApp.setCookies), 'no session is left in the browser')
  const forBrowser = await open(world, callback(ada), jar)
  assert.equal(forBrowser.location, '/of-ada')
  assert.ok(setsSession(forBrowser.setCookies))
  const code = new URL(String(forApp.location)).searchParams.get('code') ?? ''
  const redeem = (given: string, code_verifier: string) =>
    fetch(`${world.publicUrl}/auth/handoff`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: given, code_verifier, session: 'token' }),
    })
  assert.equal((await redeem(ada.code, verifier)).status, 400, "the IdP's code is no code of ours")
  const redeemed = await redeem(code, verifier)
  assert.equal(redeemed.status, 200)
  assert.equal(((await redeemed.json()) as { readonly user: { readonly sub: string } }).user.sub, 'cyd')
})

test('what one app was promised, another app cannot have: the id, the link and the challenge stay together', async (t) => {
  const world = await createWorld(t, { env: { RATE_LIMIT_PER_MINUTE: '0' } })
  const verifiers = { ios: randomBytes(32).toString('base64url'), android: randomBytes(32).toString('base64url') }
  const inFlight: InFlight[] = []
  for (const app of ['ios', 'android'] as const) {
    const query = `app=${app}&state=${app}&code_challenge_method=S256&code_challenge=${challengeOf(verifiers[app])}`
    inFlight.push(await begin(world, app, query))
  }
  const links = await Promise.all(inFlight.map((one) => open(world, callback(one), one.cookie)))
  const [ios = '', android = ''] = links.map(({ location }) => String(location))
  assert.ok(ios.startsWith('https://app.example.com/signed-in?') && android.startsWith(DEEP_LINK))
  const codeOf = (link: string): string => new URL(link).searchParams.get('code') ?? ''
  for (const [link, code_verifier] of [
    [ios, verifiers.android],
    [android, verifiers.ios],
  ] as const) {
    const response = await fetch(`${world.publicUrl}/auth/handoff`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: codeOf(link), code_verifier }),
    })
    assert.deepEqual([response.status, ((await response.json()) as { error: string }).error], [400, 'invalid_grant'])
  }
})
