import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify from 'fastify'
import { createCookies } from '../../src/plugins/cookies.ts'
import { session } from '../../src/plugins/session.ts'
import { buildService, setCookiesOf, storeDown } from './build-service.ts'

const CLEARED = /^__Host-Http-oten_session=; Max-Age=0; Path=\/; HttpOnly; Secure; SameSite=Strict$/

test('SC-08: what is no credential of a live session is anonymous and cleared, and makes no session', async (t) => {
  const { inject, plant, store, cookieName } = await buildService(t)
  const live = await plant()
  const before = (await store.dump()).size
  const planted = [
    `b_${'A'.repeat(43)}`, // unknown
    '',
    'x',
    `${live}x`,
    live.slice(0, -1),
    live.toUpperCase(),
    `"${live}"`,
    live.slice(2),
    `c_${live.slice(2)}`, // another kind
    `t_${live.slice(2)}`,
    '__proto__',
    '%00',
    'b_'.repeat(2000),
    'ü',
  ]
  for (const value of planted) {
    const answer = await inject({ url: '/auth/session', headers: { cookie: `${cookieName}=${value}` } })
    assert.deepEqual(answer.json(), { authenticated: false }, value)
    assert.equal(answer.statusCode, 200)
    assert.deepEqual(setCookiesOf(answer).length, 1, value)
    assert.match(setCookiesOf(answer)[0] ?? '', CLEARED)
  }
  assert.equal((await store.dump()).size, before)
})

test('SC-08: of two session cookies neither counts, in whatever order, even when one is live', async (t) => {
  const { inject, plant, cookieName } = await buildService(t)
  const [mine, planted] = [await plant(), await plant({ sub: 'mallory' })]
  for (const pair of [
    [mine, planted],
    [planted, mine],
    [mine, mine],
    ['', mine],
  ]) {
    const cookie = pair.map((value) => `${cookieName}=${value}`).join('; ')
    const answer = await inject({ url: '/auth/session', headers: { cookie } })
    assert.deepEqual(answer.json(), { authenticated: false })
    assert.match(setCookiesOf(answer)[0] ?? '', CLEARED)
  }
})

test('SC-01: on https a cookie without the prefix, as a sibling subdomain could plant it, is not looked at', async (t) => {
  const { inject, plant } = await buildService(t)
  const credential = await plant()
  for (const name of ['oten_session', '__Host-oten_session', '__Secure-oten_session', '__host-http-oten_session']) {
    const answer = await inject({ url: '/auth/session', headers: { cookie: `${name}=${credential}` } })
    assert.deepEqual(answer.json(), { authenticated: false }, name)
    assert.deepEqual(setCookiesOf(answer), [])
  }
})

test('SC-08: other cookies around it, also broken ones, do not hide the session', async (t) => {
  const { inject, plant, cookieName } = await buildService(t)
  const cookie = `a; =b; ;;x=${cookieName}=1; ${cookieName}=${await plant()} ; c="d;e`
  const answer = await inject({ url: '/auth/session', headers: { cookie } })
  assert.equal((answer.json() as { authenticated: boolean }).authenticated, true)
  assert.deepEqual(setCookiesOf(answer), [])
})

test('SC-09: a new sign-in gives a new credential, and the one before is dead at once', async (t) => {
  const { inject, signIn, cookieName } = await buildService(t)
  const credentialOf = (answer: Awaited<ReturnType<typeof signIn>>) =>
    answer.cookies.find(({ name }) => name === cookieName)?.value ?? ''
  const first = credentialOf(await signIn())
  const second = credentialOf(await signIn({ headers: { cookie: `${cookieName}=${first}` } }))
  assert.notEqual(first, second)
  const ask = (credential: string) =>
    inject({ url: '/auth/session', headers: { cookie: `${cookieName}=${credential}` } })
  assert.equal(((await ask(second)).json() as { authenticated: boolean }).authenticated, true)

  const late = await ask(first)
  assert.deepEqual(late.json(), { authenticated: false })
  // Its answer may reach the browser after the new cookie did, and must not take that away.
  assert.deepEqual(setCookiesOf(late), [])
})

test('SC-09: the Strict cookie that is absent on the callback ends all the same, as remembered from the start', async (t) => {
  const { inject, plant, sessions, cookieName } = await buildService(t)
  const earlier = await plant({ sub: 'somebody-else' })
  const started = await inject({
    url: '/auth/start?response=json',
    headers: { cookie: `${cookieName}=${earlier}` },
  })
  assert.ok(await sessions.find(earlier), 'not before the new one is there')
  const { authorization_url: url } = started.json() as { authorization_url: string }
  const request = new URL(url).searchParams.get('request') ?? ''
  const { state } = JSON.parse(Buffer.from(request.split('.')[1] ?? '', 'base64url').toString()) as { state: string }
  const [transaction] = started.cookies
  const answer = await inject({
    url: `/auth/callback?code=x&state=${state}&iss=https://idp.example.net`,
    headers: { cookie: `${transaction?.name}=${transaction?.value}` },
  })
  assert.equal(answer.headers.location, '/')
  const late = await inject({ url: '/auth/session', headers: { cookie: `${cookieName}=${earlier}` } })
  assert.deepEqual(late.json(), { authenticated: false })
})

test('SC-11: a credential counts in its own place alone: not in the URL, a body, another header, the other kind', async (t) => {
  const { inject, plant, cookieName } = await buildService(t)
  const [browser, appCookie, appToken] = [
    await plant(),
    await plant({ kind: 'app-cookie' }),
    await plant({ kind: 'app-token' }),
  ]
  const isIn = async (headers: Record<string, string>, query = '') =>
    ((await inject({ url: `/auth/session${query}`, headers })).json() as { authenticated: boolean }).authenticated
  assert.equal(await isIn({ cookie: `${cookieName}=${browser}` }), true)
  assert.equal(await isIn({ cookie: `${cookieName}=${appCookie}` }), true)
  assert.equal(await isIn({ authorization: `Bearer ${appToken}` }), true)
  assert.equal(await isIn({ authorization: `bearer ${appToken}` }), true)

  assert.equal(await isIn({ cookie: `${cookieName}=${appToken}` }), false)
  for (const credential of [browser, appCookie]) {
    assert.equal(await isIn({ authorization: `Bearer ${credential}` }), false)
  }
  for (const credential of [browser, appCookie, appToken]) {
    for (const name of [cookieName, 'session', 'session_token', 'access_token', 'token']) {
      assert.equal(await isIn({}, `?${name}=${credential}`), false)
    }
    assert.equal(await isIn({ [cookieName]: credential }), false)
    assert.equal(await isIn({ 'x-session': credential }), false)
    assert.equal(await isIn({ authorization: credential }), false)
    assert.equal(await isIn({ authorization: `Basic ${credential}` }), false)
    assert.equal(await isIn({ authorization: `Bearer ${credential} x` }), false)
  }
})

test('SC-11: a dead token does not fall back to the cookie beside it', async (t) => {
  const { inject, plant, cookieName } = await buildService(t)
  const headers = { authorization: `Bearer t_${'A'.repeat(43)}`, cookie: `${cookieName}=${await plant()}` }
  assert.deepEqual((await inject({ url: '/auth/session', headers })).json(), { authenticated: false })
})

test('SC-13: with the store down it is 503 with Retry-After, no cookie is cleared, and nobody is told to be signed out', async (t) => {
  const { inject, plant, store, cookieName, config } = await buildService(t, {
    env: { API_ROUTES: '/api/x=http://127.0.0.1:1' },
  })
  const credential = await plant()
  store.fault = storeDown()
  const headers = { cookie: `${cookieName}=${credential}`, origin: config.publicUrl }
  const calls = [
    { url: '/auth/session' },
    { url: '/auth/session?touch=true' },
    { url: '/api/x/1' },
    { method: 'POST', url: '/auth/logout' },
    { url: '/auth/start?response=json' },
  ] as const
  for (const call of calls) {
    const answer = await inject({ ...call, headers })
    assert.equal(answer.statusCode, 503, call.url)
    assert.equal((answer.json() as { error: string }).error, 'store_unavailable')
    assert.match(String(answer.headers['retry-after']), /^[1-9][0-9]*$/)
    assert.deepEqual(setCookiesOf(answer), [], call.url)
    assert.doesNotMatch(answer.body, /authenticated/)
  }
  const unknown = await inject({ url: '/auth/session', headers: { cookie: `${cookieName}=b_${'A'.repeat(43)}` } })
  assert.equal(unknown.statusCode, 503)
  store.fault = undefined
  const back = await inject({ url: '/auth/session', headers })
  assert.equal((back.json() as { authenticated: boolean }).authenticated, true)
})

test('a route that does not say who may call it, or from where, stops the start', async (t) => {
  const { sessions, config } = await buildService(t)
  const cookies = createCookies(config)
  for (const rules of [undefined, {}, { access: 'public' }, { from: 'anywhere' }] as const) {
    const app = Fastify()
    await app.register(session, { sessions, cookies })
    assert.throws(
      () => app.get('/new', rules === undefined ? {} : { config: rules }, async () => 'open to all'),
      /GET \/new states no access rule/,
      JSON.stringify(rules),
    )
    await app.close()
  }
})
