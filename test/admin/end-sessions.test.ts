import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { buildService, ISSUER, storeDown } from '../plugins/build-service.ts'

const TOKEN = 'an-admin-token-of-more-than-thirty-two-octets'
const URL = '/admin/sessions/end'

/** Ada in a browser and an app, Bob in a browser. */
async function build(t: TestContext, env: Record<string, string> = { ADMIN_TOKEN: TOKEN }) {
  const service = await buildService(t, { env })
  const browser = await service.plant()
  const app = await service.plant({ kind: 'app-token', app: 'android', sid: 'idp-session-2' })
  const bob = await service.plant({ sub: 'bob', sid: 'idp-session-3' })
  const isLive = async (credential: string): Promise<boolean> => {
    const cookie = { cookie: `${service.cookieName}=${credential}` }
    const headers = credential === app ? { authorization: `Bearer ${credential}` } : cookie
    const answer = await service.inject({ url: '/auth/session', headers })
    return (answer.json() as { authenticated: boolean }).authenticated
  }
  const live = () => Promise.all([browser, app, bob].map(isLive))
  assert.deepEqual(await live(), [true, true, true]) // Also: they are in the memory of the listener that serves them.
  const end = (body: object, authorization: string | undefined = `Bearer ${TOKEN}`) =>
    service.admin.inject({
      method: 'POST',
      url: URL,
      headers: authorization === undefined ? {} : { authorization },
      payload: body,
    })
  return { service, live, end, bob }
}

for (const [target, ended, left] of [
  [{ sub: 'ada' }, 2, [false, false, true]],
  [{ sid: 'idp-session-1' }, 1, [false, true, true]],
  [{ all: true }, 3, [false, false, false]],
  [{ sub: 'nobody' }, 0, [true, true, true]],
  [{ sid: 'nobody' }, 0, [true, true, true]],
] as const) {
  test(`SC-14: an operator ends ${JSON.stringify(target)}: ${ended}, at once; a line in the log says so`, async (t) => {
    const { service, live, end } = await build(t)
    const answer = await end(target)
    assert.equal(answer.statusCode, 200)
    assert.deepEqual(answer.json(), { ended })
    assert.deepEqual(await live(), left)
    const lines = service.entries().filter(({ event }) => event === 'sessions_ended')
    assert.deepEqual(
      lines.map(({ scope, ended: count, by }) => ({ scope, ended: count, by })),
      [{ scope: Object.keys(target)[0], ended, by: 'admin' }],
    )
    assert.ok(!service.logs.join('').includes(TOKEN))
    assert.deepEqual((await end(target)).json(), { ended: 0 })
  })
}

test('SC-14: a sign-in of that user that is under way does not come alive', async (t) => {
  const { service, end } = await build(t)
  const started = await service.inject({ url: '/auth/start?response=json' })
  const url = new globalThis.URL((started.json() as { authorization_url: string }).authorization_url)
  const payload = (url.searchParams.get('request') ?? '').split('.')[1] ?? ''
  const { state } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { state: string }
  service.time.now += 1
  assert.equal((await end({ sub: 'ada' })).statusCode, 200)
  const [transaction] = started.cookies
  const answer = await service.inject({
    url: `/auth/callback?${new URLSearchParams({ code: 'code', state, iss: ISSUER })}`,
    headers: {
      cookie: `${transaction?.name}=${transaction?.value}`,
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    },
  })
  assert.ok(!answer.cookies.some(({ name, value }) => name === service.cookieName && value !== ''))
})

test('KY-10: a missing or wrong token is 401 and ends nothing', async (t) => {
  const { end, live } = await build(t)
  const wrong = [TOKEN, 'Bearer', 'Bearer ', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, `Basic ${TOKEN}`, '']
  for (const authorization of wrong) {
    const answer = await end({ all: true }, authorization)
    assert.equal(answer.statusCode, 401, authorization)
    assert.equal((answer.json() as { error: string }).error, 'unauthenticated')
  }
  assert.deepEqual(await live(), [true, true, true])
})

test('without ADMIN_TOKEN there is no such address, whatever is shown', async (t) => {
  const { end, live } = await build(t, {})
  for (const authorization of ['Bearer ', 'Bearer undefined', `Bearer ${TOKEN}`, '']) {
    assert.equal((await end({ all: true }, authorization)).statusCode, 404)
  }
  assert.deepEqual(await live(), [true, true, true])
})

test('the main listener does not have it', async (t) => {
  const { service, live } = await build(t)
  const headers = { authorization: `Bearer ${TOKEN}` }
  const answer = await service.inject({ method: 'POST', url: URL, headers, payload: { all: true } })
  assert.equal(answer.statusCode, 404)
  assert.deepEqual(await live(), [true, true, true])
})

test('a target that says nothing, or two things, or the wrong kind of thing, is 400 and ends nothing', async (t) => {
  const { end, live } = await build(t)
  for (const target of [
    {},
    { all: false },
    { all: 'true' },
    { sub: '' },
    { sub: 7 },
    { sub: ['ada'] },
    { sid: null },
    { sub: 'ada', sid: 'idp-session-1' },
    { sub: 'bob', all: true },
    { user: 'ada' },
    { sub: 'x'.repeat(256) },
    [],
  ]) {
    assert.equal((await end(target)).statusCode, 400, JSON.stringify(target))
  }
  assert.deepEqual(await live(), [true, true, true])
})

test('with the store down it is 503: nobody is told that a session ended that did not', async (t) => {
  const { service, end } = await build(t)
  service.store.fault = storeDown()
  for (const target of [{ sub: 'ada' }, { sid: 'idp-session-1' }]) {
    const answer = await end(target)
    assert.equal(answer.statusCode, 503)
    assert.equal((answer.json() as { error: string }).error, 'store_unavailable')
  }
})
