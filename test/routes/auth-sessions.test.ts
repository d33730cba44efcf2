import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { buildService, PUBLIC_URL, type Service, SPA, storeDown } from '../plugins/build-service.ts'

interface Listed {
  readonly session_id: string
  readonly current: boolean
  readonly kind: string
  readonly app: string | null
  readonly created_at: number
  readonly last_used_at: number
  readonly user_agent: string
}

/** Ada in two browsers and an app, Bob in one browser, and one of another issuer with Ada's name. */
async function build(t: TestContext) {
  const service = await buildService(t)
  const plantAt = async (at: number, changes: Parameters<Service['plant']>[0]): Promise<string> => {
    service.time.now = 1_800_000_000 + at
    return service.plant(changes)
  }
  const laptop = await plantAt(0, { userAgent: 'laptop' })
  const desktop = await plantAt(1, { userAgent: 'desktop', sid: 'idp-session-2' })
  const app = await plantAt(2, { kind: 'app-token', app: 'android', userAgent: 'phone', sid: undefined })
  const bob = await plantAt(3, { sub: 'bob', userAgent: 'bob' })
  const other = await plantAt(4, { issuer: 'https://other.example', userAgent: 'other' })
  const ask = (credential: string, method: 'GET' | 'DELETE', path = '') => {
    const browser = { cookie: `${service.cookieName}=${credential}`, origin: PUBLIC_URL }
    const headers = credential === app ? { authorization: `Bearer ${credential}` } : browser
    return service.inject({ method, url: `/auth/sessions${path}`, headers })
  }
  const list = async (credential: string): Promise<Listed[]> => {
    const answer = await ask(credential, 'GET')
    assert.equal(answer.statusCode, 200)
    assert.equal(answer.headers['cache-control'], 'no-store')
    return (answer.json() as { sessions: Listed[] }).sessions
  }
  const idOf = async (credential: string): Promise<string> =>
    String((await service.sessions.find(credential))?.record.id)
  const isLive = async (credential: string): Promise<boolean> => (await ask(credential, 'GET')).statusCode === 200
  return { service, laptop, desktop, app, bob, other, ask, list, idOf, isLive }
}

test('contract §5: the list shows every session of the user, browsers and apps, and nobody else', async (t) => {
  const { laptop, desktop, app, bob, list, idOf } = await build(t)
  const shared = { kind: 'browser', app: null, current: false }
  const at = (seconds: number) => ({ created_at: 1_800_000_000 + seconds, last_used_at: 1_800_000_000 + seconds })
  assert.deepEqual(await list(laptop), [
    { session_id: await idOf(app), ...shared, kind: 'app', app: 'android', ...at(2), user_agent: 'phone' },
    { session_id: await idOf(desktop), ...shared, ...at(1), user_agent: 'desktop' },
    { session_id: await idOf(laptop), ...shared, current: true, ...at(0), user_agent: 'laptop' },
  ])
  assert.deepEqual(
    (await list(bob)).map(({ user_agent: agent, current }) => [agent, current]),
    [['bob', true]],
  )
})

test('contract §5: current is the one that asks, an app included', async (t) => {
  const { laptop, desktop, app, list } = await build(t)
  for (const [credential, agent] of [
    [laptop, 'laptop'],
    [desktop, 'desktop'],
    [app, 'phone'],
  ] as const) {
    const current = (await list(credential)).filter((session) => session.current)
    assert.deepEqual(
      current.map((session) => session.user_agent),
      [agent],
    )
  }
})

test('the list holds no credential and no token, and leaves out what has expired', async (t) => {
  const { service, laptop, desktop, app, ask, list } = await build(t)
  const answer = await ask(laptop, 'GET')
  assert.doesNotMatch(answer.body, /canary|idp-session/)
  for (const credential of [laptop, desktop, app]) assert.ok(!answer.body.includes(credential.slice(2)))
  service.time.now += 3590 // A moment before the laptop's idle limit, which began 4 s before.
  assert.equal((await list(app)).length, 3)
  service.time.now += 10
  assert.deepEqual(
    (await list(app)).map(({ kind }) => kind),
    ['app'],
  )
})

test('SC-14: a user ends one of the sessions: 204, and 404 the second time', async (t) => {
  const { service, laptop, desktop, app, ask, list, idOf, isLive } = await build(t)
  const id = await idOf(desktop)
  const answer = await ask(laptop, 'DELETE', `/${id}`)
  assert.equal(answer.statusCode, 204)
  assert.equal(answer.body, '')
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.deepEqual([await isLive(laptop), await isLive(desktop), await isLive(app)], [true, false, true])
  assert.equal((await list(laptop)).length, 2)
  const again = await ask(laptop, 'DELETE', `/${id}`)
  assert.equal(again.statusCode, 404)
  assert.equal((again.json() as { error: string }).error, 'not_found')
  const lines = service.entries().filter(({ event }) => event === 'session_ended')
  assert.deepEqual(
    lines.map(({ session, reason, by }) => ({ session, reason, by })),
    [{ session: id, reason: 'revoked', by: 'user' }],
  )
})

test('SC-14: somebody else’s id is as unknown as one that never was, and ends nothing', async (t) => {
  const { laptop, bob, other, ask, idOf, isLive } = await build(t)
  for (const id of [await idOf(bob), await idOf(other), 'never-was', '%2e%2e', 'x'.repeat(64), 'x'.repeat(101)]) {
    assert.equal((await ask(laptop, 'DELETE', `/${id}`)).statusCode, 404, id)
  }
  assert.deepEqual([await isLive(laptop), await isLive(bob), await isLive(other)], [true, true, true])
})

test('SC-14: the current session may be ended, too', async (t) => {
  const { laptop, desktop, ask, idOf, isLive } = await build(t)
  assert.equal((await ask(laptop, 'DELETE', `/${await idOf(laptop)}`)).statusCode, 204)
  assert.deepEqual([await isLive(laptop), await isLive(desktop)], [false, true])
})

test('SC-14: a user ends all the others, from a browser or an app; other users stay', async (t) => {
  const { service, laptop, desktop, app, bob, other, ask, isLive, idOf } = await build(t)
  const answer = await ask(app, 'DELETE')
  assert.equal(answer.statusCode, 200)
  assert.deepEqual(answer.json(), { ended: 2 })
  const live = await Promise.all([laptop, desktop, app, bob, other].map(isLive))
  assert.deepEqual(live, [false, false, true, true, true])
  assert.deepEqual((await ask(app, 'DELETE')).json(), { ended: 0 })
  const [line] = service.entries().filter(({ event }) => event === 'sessions_ended')
  assert.deepEqual([line?.session, line?.ended, line?.by], [await idOf(app), 2, 'user'])
})

test('without a session every one of these is 401, and with the store down 503, never an empty list', async (t) => {
  const { service, laptop, ask } = await build(t)
  for (const [method, path] of [
    ['GET', ''],
    ['DELETE', ''],
    ['DELETE', '/some-id'],
  ] as const) {
    assert.equal((await ask('nonsense', method, path)).statusCode, 401)
  }
  await ask(laptop, 'GET')
  service.store.fault = storeDown()
  for (const method of ['GET', 'DELETE'] as const) {
    const answer = await ask(laptop, method)
    assert.equal(answer.statusCode, 503)
    assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/)
  }
})

test('a foreign page can neither end a session nor read the list', async (t) => {
  const { service, laptop, idOf, isLive } = await build(t)
  const cookie = `${service.cookieName}=${laptop}`
  for (const path of ['', `/${await idOf(laptop)}`]) {
    for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'same-site' }, {}]) {
      const answer = await service.inject({
        method: 'DELETE',
        url: `/auth/sessions${path}`,
        headers: { cookie, ...headers },
      })
      assert.equal(answer.statusCode, 403)
    }
  }
  const read = await service.inject({ url: '/auth/sessions', headers: { cookie, 'sec-fetch-dest': 'script' } })
  assert.equal(read.statusCode, 403)
  assert.equal(await isLive(laptop), true)
  const allowed = await service.inject({ url: '/auth/sessions', headers: { cookie, origin: SPA } })
  assert.equal(allowed.headers['access-control-allow-origin'], SPA)
})
