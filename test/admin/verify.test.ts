import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { InjectOptions } from 'fastify'
import type { RefreshOutcome } from '../../src/idp/refresh-tokens.ts'
import { CANARIES, createTestStore, ISSUER, newSession, PUBLIC_URL, storeDown } from '../plugins/build-service.ts'
import { assertRefused, build, EMAIL, headersOf, METHODS, present, VERIFY, YES } from './build-verify.ts'

test('contract §7: of a live session it is 204 with who it is and the access token, and with nothing else', async (t) => {
  const { ask, service, credential } = await build(t)
  const answer = await ask()
  assert.deepEqual([answer.statusCode, answer.body, headersOf(answer)], [204, '', YES])
  for (const secret of [credential, EMAIL, ...Object.values(CANARIES)]) {
    assert.ok(!service.logs.join('').includes(secret), `the log shows ${secret}`)
  }
})

for (const kind of ['browser-cookie', 'app-cookie', 'app-token'] as const) {
  test(`contract §7: a credential of the kind ${kind} is taken from its own place, and from no other`, async (t) => {
    const { ask, service, credential } = await build(t, {}, { kind })
    assert.deepEqual(headersOf(await ask()), YES)
    const { cookieName } = service
    const elsewhere =
      kind === 'app-token' ? { cookie: `${cookieName}=${credential}` } : { authorization: `Bearer ${credential}` }
    for (const question of [
      { url: VERIFY, headers: elsewhere },
      {
        url: VERIFY,
        headers: { 'x-authorization': `Bearer ${credential}`, 'x-cookie': `${cookieName}=${credential}` },
      },
      { url: VERIFY, headers: { cookie: `oten_session=${credential}` } },
      { url: VERIFY, headers: { authorization: `Basic ${credential}` } },
      { url: `${VERIFY}?access_token=${credential}&${cookieName}=${credential}` },
      { url: `${VERIFY}/${credential}` },
      { url: VERIFY, method: 'POST', payload: { access_token: credential, [cookieName]: credential } },
    ] satisfies InjectOptions[]) {
      assertRefused(await service.admin.inject(question), JSON.stringify(question))
    }
  })
}

test('contract §7: the main listener does not have it, for anybody', async (t) => {
  const { service, credential } = await build(t)
  for (const method of METHODS.filter((name) => name !== 'OPTIONS')) {
    for (const url of [VERIFY, `${VERIFY}/`, `${VERIFY}?x`, `${VERIFY}/orders/5?x`, '/auth/%76erify']) {
      const headers = { ...present(service, credential), origin: PUBLIC_URL }
      const answer = await service.inject({ method, url, headers })
      assert.equal(answer.statusCode, 404, `${method} ${url}`)
      assert.doesNotMatch(JSON.stringify([answer.headers, answer.body]), /canary|x-auth-|ada/)
    }
  }
})

test('every method, path below and body is the same question', async (t) => {
  const { ask, service } = await build(t)
  const json = { 'content-type': 'application/json' }
  for (const url of [
    VERIFY,
    `${VERIFY}/`,
    `${VERIFY}/orders/5?x`,
    `${VERIFY}/${'long/'.repeat(600)}?${'q'.repeat(2000)}`,
  ]) {
    for (const method of METHODS) {
      for (const body of [
        {},
        { payload: { a: 1 } },
        { payload: '{"a":', headers: json },
        { payload: '{"__proto__":{"a":1}}', headers: json },
        { payload: 'a=1&a=2', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
        { payload: 'x'.repeat(300 * 1024), headers: { 'content-type': 'application/octet-stream' } },
        { payload: Buffer.alloc(70_000, 0xff), headers: json },
        { payload: 'x', headers: { 'content-type': 'multipart/form-data' } },
        { payload: 'x' },
        { headers: { ...json, 'content-length': '0' } },
      ] satisfies InjectOptions[]) {
        const about = `${method} ${url.slice(0, 40)} ${JSON.stringify(body).slice(0, 90)}`
        const yes = await ask({ method, url, ...body })
        assert.ok([200, 204].includes(yes.statusCode), `${about}: ${yes.statusCode} ${yes.body}`)
        const { 'content-length': length = '0', ...headers } = headersOf(yes)
        assert.deepEqual([headers, length, yes.body], [YES, '0', ''], about)
        assertRefused(await service.admin.inject({ method, url, ...body }), about)
      }
    }
  }
})

test('a content type that is none is of no account, like every other', async (t) => {
  const { ask, service } = await build(t)
  for (const type of ['no media type at all; ;=', 'json', '/', 'text/html, text/plain', '\u00e9']) {
    const question: InjectOptions = { method: 'POST', payload: 'x', headers: { 'content-type': type } }
    assert.deepEqual(headersOf(await ask(question)), YES, type)
    assertRefused(await service.admin.inject({ url: VERIFY, ...question }), type)
  }
})

test('a path below that nobody can decode is no yes', async (t) => {
  const { ask } = await build(t)
  for (const path of ['/%zz', '/%', '/%c3']) {
    const { statusCode, headers } = await ask({ url: VERIFY + path })
    assert.ok(statusCode >= 400 && statusCode < 500, `${path}: ${statusCode}`)
    assert.equal(headers.authorization, undefined)
  }
})

test('Envoy takes 200 alone for a yes, and hands the page the headers of a 204: below, where it asks, it is 200', async (t) => {
  const { ask } = await build(t)
  for (const url of [VERIFY, `${VERIFY}?x`]) assert.equal((await ask({ url })).statusCode, 204, url)
  for (const url of [`${VERIFY}/`, `${VERIFY}/orders/5?x`]) assert.equal((await ask({ url })).statusCode, 200, url)
})

test('no credential, a malformed or unknown one, two of them: 401', async (t) => {
  const { service, credential, plant } = await build(t)
  const name = service.cookieName
  const other = await plant({ sub: 'eve' })
  for (const cookie of [
    undefined,
    '',
    `${name}=`,
    `${name}=b_${'A'.repeat(43)}`,
    `${name}=${credential.slice(0, -1)}`,
    `${name}=${credential}x`,
    `${name}="${credential}"`,
    `${name}=${credential}%20`,
    `${name.toLowerCase()}=${credential}`,
    `x${name}=${credential}`,
    `${name}=${credential}; ${name}=${credential}`,
    `${name}=${credential}; ${name}=${other}`,
    `${name}=; ${name}=${credential}`,
  ]) {
    assertRefused(
      await service.admin.inject({ url: VERIFY, headers: { ...(cookie !== undefined && { cookie }) } }),
      `${cookie}`,
    )
  }
  for (const authorization of [
    `Bearer t_${'A'.repeat(43)}`,
    `Bearer ${CANARIES.accessToken}`,
    'Bearer',
    'Basic YTpi',
  ]) {
    assertRefused(await service.admin.inject({ url: VERIFY, headers: { authorization } }), authorization)
  }
})

test('asking is use, and slides the idle limit; past it, past the absolute one, or ended, it is 401', async (t) => {
  const { service, ask, plant } = await build(t, { env: { SESSION_IDLE_S: '600', SESSION_MAX_S: '1500' } })
  for (let round = 0; round < 2; round++) {
    service.time.now += 599
    assert.equal((await ask()).statusCode, 204)
  }
  service.time.now += 301
  assert.equal((await ask()).statusCode, 204)
  service.time.now += 1
  assertRefused(await ask(), 'absolute limit')

  const idle = await plant()
  service.time.now += 600
  assertRefused(await ask({}, idle), 'idle limit')

  const ended = await plant()
  assert.equal((await ask({}, ended)).statusCode, 204)
  const headers = { ...present(service, ended), origin: PUBLIC_URL, accept: 'application/json' }
  assert.equal((await service.inject({ method: 'POST', url: '/auth/logout', headers })).statusCode, 200)
  assertRefused(await ask({}, ended), 'ended')
})

/** An IdP that answers a refresh as the test says, and a session whose token lives for 900 s. */
async function buildRefreshing(t: TestContext) {
  const idp = { shown: [] as string[], answer: { kind: 'unavailable', reason: 'down' } as RefreshOutcome }
  const refresh = async ({ refreshToken }: { readonly refreshToken: string }): Promise<RefreshOutcome> => {
    idp.shown.push(refreshToken)
    return idp.answer
  }
  const { service, ask, plant } = await build(t, { idp: { refresh } })
  const credential = await plant({ tokens: newSession(service.time.now).tokens })
  return { idp, time: service.time, ask: () => ask({}, credential) }
}

test('a stale token is renewed first, once for all who ask; when its refresh token is dead, it is 401', async (t) => {
  const { idp, time, ask } = await buildRefreshing(t)
  assert.deepEqual(headersOf(await ask()), YES)
  assert.deepEqual(idp.shown, [])
  for (const [round, passedS] of [845, 900].entries()) {
    time.now += passedS
    const idTokenClaims = { iss: ISSUER, sub: 'ada' }
    const [accessToken, refreshToken, accessTokenExpiresAt] = [`renewed-${round}`, `next-${round}`, time.now + 900]
    const tokens = { accessToken, refreshToken, accessTokenExpiresAt, idToken: 'i', idTokenClaims, scope: 'openid' }
    idp.answer = { kind: 'refreshed', tokens }
    const answers = await Promise.all(Array.from({ length: 20 }, ask))
    for (const answer of answers)
      assert.deepEqual(headersOf(answer), { ...YES, authorization: `Bearer ${accessToken}` })
    assert.equal(idp.shown.length, round + 1)
  }
  idp.answer = { kind: 'invalid_grant' }
  time.now += 900
  assertRefused(await ask(), 'its refresh token is dead')
})

test('with the IdP down a token is used up, and is then 503 with Retry-After', async (t) => {
  const { idp, time, ask } = await buildRefreshing(t)
  time.now += 899
  assert.deepEqual(headersOf(await ask()), YES)
  time.now += 1
  const answer = await ask()
  assert.deepEqual([answer.statusCode, (answer.json() as { error: string }).error], [503, 'idp_unavailable'])
  assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/)
  for (const name of ['authorization', 'x-auth-subject', 'set-cookie']) assert.equal(answer.headers[name], undefined)
  assert.notDeepEqual(idp.shown, [])
})

test('a dead token that nothing can renew is 401', async (t) => {
  const { service, ask, plant } = await build(t)
  const { refreshToken: _, ...tokens } = newSession(service.time.now).tokens
  const credential = await plant({ tokens })
  service.time.now += 899
  assert.equal((await ask({}, credential)).statusCode, 204)
  service.time.now += 1
  assertRefused(await ask({}, credential), 'dead')
})

test('SC-09: with the store down it is 503 with Retry-After, and never "signed out"', async (t) => {
  const { service, ask } = await build(t, { store: createTestStore(false) })
  service.store.fault = storeDown()
  for (const method of METHODS) {
    const answer = await ask({ method, url: `${VERIFY}/x` })
    assert.equal(answer.statusCode, 503)
    assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/)
    assert.equal(answer.headers['set-cookie'], undefined)
    if (method !== 'HEAD') assert.equal((answer.json() as { error: string }).error, 'store_unavailable')
  }
  service.store.fault = undefined
  assert.equal((await ask()).statusCode, 204)
})

test('an e-mail address that a header cannot hold as it is becomes an empty one, and the headers are always the same', async (t) => {
  const { ask, plant } = await build(t)
  const long = `${'x'.repeat(300)}@example.com`
  for (const [email, sent] of [
    ['Ada Lovelace@example.com', 'Ada Lovelace@example.com'],
    [long, long],
    ['ada@example.com\r\nX-Auth-Subject: eve', ''],
    ['ada@example.com\n', ''],
    ['ada\u0000@example.com', ''],
    ['ädä@example.com', ''],
    ['ada@例え.jp', ''],
    [' ada@example.com', ''],
    ['ada@example.com ', ''],
    ['ada@example.com\t', ''],
    ['', ''],
    [undefined, ''],
    [null, ''],
    [7, ''],
    [['ada@example.com'], ''],
  ] as const) {
    const answer = await ask({}, await plant({ claims: { email } }))
    assert.equal(answer.statusCode, 204, JSON.stringify(email))
    assert.deepEqual(headersOf(answer), { ...YES, 'x-auth-email': sent })
  }
})

test('no subject looks to an app like another: a header has no spaces at its ends', async (t) => {
  const { service, plant } = await build(t)
  const url = await service.admin.listen({ host: '127.0.0.1', port: 0 })
  for (const sub of [' ada', 'ada ', '  ada  ']) {
    const answer = await fetch(url + VERIFY, { headers: present(service, await plant({ sub })) })
    assert.notEqual(answer.headers.get('x-auth-subject'), 'ada', `${answer.status} for ${JSON.stringify(sub)}`)
  }
})
