import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildService, CANARIES, setCookiesOf } from '../plugins/build-service.ts'

test('SE-01: the view says who is signed in, by which session, and for how many seconds more', async (t) => {
  const { inject, plant, sessions, cookieName, time } = await buildService(t)
  const credential = await plant()
  const id = (await sessions.find(credential))?.record.id
  const ask = async () =>
    (await inject({ url: '/auth/session', headers: { cookie: `${cookieName}=${credential}` } })).json() as object
  const view = { authenticated: true, user: { sub: 'ada', name: 'Ada' }, session_id: id }
  assert.deepEqual(await ask(), { ...view, expires_in: 43200, idle_expires_in: 3600, access_token_expires_in: 900 })
  time.now += 100.5
  assert.deepEqual(await ask(), { ...view, expires_in: 43100, idle_expires_in: 3500, access_token_expires_in: 799 })
  time.now += 1000
  assert.deepEqual(await ask(), { ...view, expires_in: 42100, idle_expires_in: 2500, access_token_expires_in: 0 })
})

test('SE-01: near the absolute limit the idle limit is that limit', async (t) => {
  const env = { SESSION_IDLE_S: '600', SESSION_MAX_S: '900' }
  const { inject, plant, cookieName, time } = await buildService(t, { env })
  const headers = { cookie: `${cookieName}=${await plant()}` }
  time.now += 500
  const touched = (await inject({ url: '/auth/session?touch=true', headers })).json() as Record<string, number>
  assert.equal(touched.expires_in, 400)
  assert.equal(touched.idle_expires_in, 400)
  time.now += 399
  assert.equal(
    ((await inject({ url: '/auth/session', headers })).json() as { authenticated: boolean }).authenticated,
    true,
  )
  time.now += 1
  assert.deepEqual((await inject({ url: '/auth/session', headers })).json(), { authenticated: false })
})

test('SE-01: the user is shown by the claims of SESSION_CLAIMS and no other; sub is always there', async (t) => {
  const { signIn, inject, cookieName } = await buildService(t, { env: { SESSION_CLAIMS: 'name,absent' } })
  const cookie = (await signIn()).cookies.find(({ name }) => name === cookieName)?.value
  const answer = await inject({ url: '/auth/session', headers: { cookie: `${cookieName}=${cookie}` } })
  assert.deepEqual((answer.json() as { user: object }).user, { sub: 'ada', name: 'Ada' })
})

test('SE-02: neither the body nor a header holds a token, the credential, a nonce, the sid or anything of the refresh', async (t) => {
  const { signIn, inject, cookieName } = await buildService(t)
  const cookie = (await signIn()).cookies.find(({ name }) => name === cookieName)?.value ?? ''
  for (const query of ['', '?touch=true']) {
    const answer = await inject({ url: `/auth/session${query}`, headers: { cookie: `${cookieName}=${cookie}` } })
    const text = answer.body + JSON.stringify(answer.headers)
    for (const secret of [...Object.values(CANARIES), cookie, cookie.slice(2), 'canary', 'idp-session-1']) {
      assert.ok(!text.includes(secret), secret)
    }
    assert.deepEqual(Object.keys(answer.json() as object).sort(), [
      'access_token_expires_in',
      'authenticated',
      'expires_in',
      'idle_expires_in',
      'session_id',
      'user',
    ])
  }
})

test('SE-03: a thousand anonymous calls leave no cookie and nothing in the store', async (t) => {
  const { inject, store } = await buildService(t)
  for (let call = 0; call < 1000; call++) {
    const answer = await inject({ url: call % 2 === 0 ? '/auth/session' : '/auth/session?touch=true' })
    assert.deepEqual(answer.json(), { authenticated: false })
    assert.deepEqual(setCookiesOf(answer), [])
  }
  assert.equal((await store.dump()).size, 0)
})

test('SE-04: the answer is JSON that no cache keeps, no other origin embeds and no browser sniffs', async (t) => {
  const { inject, plant, cookieName } = await buildService(t)
  for (const headers of [{}, { cookie: `${cookieName}=${await plant()}` }]) {
    const answer = await inject({ url: '/auth/session', headers })
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
    assert.equal(answer.headers['cross-origin-resource-policy'], 'same-origin')
    assert.equal(answer.headers.etag, undefined)
    assert.equal(answer.headers['last-modified'], undefined)
  }
})

test('SE-04: loaded as anything but by fetch it is 403, and the cookie is not even looked at', async (t) => {
  const { inject, plant, store, cookieName } = await buildService(t)
  const headers = { cookie: `${cookieName}=${await plant()}` }
  store.fault = new Error('asked')
  const destinations = [
    'script',
    'image',
    'iframe',
    'frame',
    'document',
    'style',
    'object',
    'embed',
    'worker',
    'video',
    'font',
    'bogus',
  ]
  for (const dest of destinations) {
    const answer = await inject({ url: '/auth/session', headers: { ...headers, 'sec-fetch-dest': dest } })
    assert.equal(answer.statusCode, 403, dest)
    assert.equal((answer.json() as { error: string }).error, 'forbidden_origin')
    assert.doesNotMatch(answer.body, /ada|authenticated/)
  }
  store.fault = undefined
  const fetched = await inject({ url: '/auth/session', headers: { ...headers, 'sec-fetch-dest': 'empty' } })
  assert.equal(fetched.statusCode, 200)
})

test('SE-05: polling does not keep a session alive; touch=true does, whatever the polling in between', async (t) => {
  const { inject, plant, cookieName, time } = await buildService(t)
  const [polled, touched] = [await plant(), await plant()]
  const ask = async (credential: string, query: string) =>
    (await inject({ url: `/auth/session${query}`, headers: { cookie: `${cookieName}=${credential}` } })).json() as {
      authenticated: boolean
      idle_expires_in: number
    }
  for (let minute = 1; minute < 60; minute++) {
    time.now += 60
    assert.equal((await ask(polled, minute % 2 === 0 ? '' : '?touch=false')).idle_expires_in, 3600 - minute * 60)
    assert.equal((await ask(touched, '?touch=true')).idle_expires_in, 3600)
  }
  time.now += 60
  assert.equal((await ask(polled, '')).authenticated, false)
  assert.equal((await ask(touched, '')).authenticated, true)
})

test('a touch that is not true or false, or is said twice, is 400; other parameters are ignored', async (t) => {
  const { inject } = await buildService(t)
  for (const query of ['touch=1', 'touch=', 'touch=TRUE', 'touch=true&touch=true', 'touch=true&touch=false']) {
    const answer = await inject({ url: `/auth/session?${query}` })
    assert.equal(answer.statusCode, 400, query)
    assert.equal((answer.json() as { error: string }).error, 'invalid_request')
  }
  assert.equal((await inject({ url: '/auth/session?utm_source=x&_=1' })).statusCode, 200)
})
