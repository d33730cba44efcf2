import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildCheckedResponse, parseTokenResponse } from '../../src/idp/token-response.ts'

const NOW = 784_111_777 // Sun, 06 Nov 1994 08:49:37 GMT
const good = { access_token: 'at', token_type: 'Bearer', expires_in: 900, id_token: 'it' }

const parse = (body: unknown, init: ResponseInit = {}) =>
  parseTokenResponse(new Response(typeof body === 'string' ? body : JSON.stringify(body), init), NOW)

/** The answer to a good response with these members changed; `undefined` takes one away. */
async function answer(changes: Record<string, unknown>) {
  const outcome = await parse({ ...good, ...changes })
  assert.equal(outcome.kind, 'tokens')
  return outcome.kind === 'tokens' ? outcome.answer : assert.fail()
}

async function malformation(body: unknown): Promise<string> {
  const outcome = await parse(body)
  return outcome.kind === 'malformed' ? outcome.reason : assert.fail(`${JSON.stringify(body)} was ${outcome.kind}`)
}

test('TX-05 a good response is read, unknown members are ignored', async () => {
  assert.deepEqual(await answer({ refresh_token: 'rt', scope: 'openid', session_state: { a: 1 } }), {
    accessToken: 'at',
    expiresInS: 900,
    refreshToken: 'rt',
    refreshExpiresInS: undefined,
    idToken: 'it',
    scope: 'openid',
  })
})

test('TX-05 a success without JSON object, or without its tokens in the right types, is malformed', async () => {
  for (const body of ['', '<html>canary</html>', '[]', 'null', '"text"', '7', '{']) {
    assert.equal(await malformation(body), 'access_token')
  }
  for (const value of [undefined, null, '', 7, ['at'], { a: 1 }]) {
    assert.equal(await malformation({ ...good, access_token: value }), 'access_token')
  }
  for (const value of [7, ['rt'], {}, true])
    assert.equal(await malformation({ ...good, refresh_token: value }), 'refresh_token')
  for (const value of [7, ['it'], {}, true]) assert.equal(await malformation({ ...good, id_token: value }), 'id_token')
  for (const value of [7, ['openid'], {}]) assert.equal(await malformation({ ...good, scope: value }), 'scope')
})

test('TX-05 an access token that could not stand in a header is malformed', async () => {
  for (const value of ['a b', 'a\r\nx-evil: 1', 'a\u0000', 'ä', ' a']) {
    assert.equal(await malformation({ ...good, access_token: value }), 'access_token')
  }
})

test('TX-05 only 200 is success', async () => {
  for (const status of [201, 202, 206]) assert.equal((await parse(good, { status })).kind, 'error')
})

test('TX-06 the token type is Bearer in any case, and nothing else', async () => {
  for (const value of ['Bearer', 'bearer', 'bEARER']) await answer({ token_type: value })
  for (const value of [undefined, null, '', 'mac', 'DPoP', 'Bearer ', 7, ['Bearer']]) {
    assert.equal(await malformation({ ...good, token_type: value }), 'token_type')
  }
})

test('TX-07 expires_in is seconds, and 300 where it makes no sense', async () => {
  for (const [value, seconds] of [
    [3600, 3600],
    ['3600', 3600],
    [0, 0],
    [1.5, 1.5],
    [undefined, 300],
    [null, 300],
    [-1, 300],
    ['-1', 300],
    ['soon', 300],
    ['', 300],
    ['1e3', 300],
    [[900], 300],
    [{}, 300],
    [true, 300],
  ]) {
    assert.equal((await answer({ expires_in: value })).expiresInS, seconds, JSON.stringify(value))
  }
  const infinite = await parse('{"access_token":"at","token_type":"bearer","expires_in":1e999}')
  assert.ok(infinite.kind === 'tokens' && infinite.answer.expiresInS === 300)
})

test('TX-07 a missing scope, refresh token or ID token is absent, however it is written', async () => {
  for (const void_ of [undefined, null, '']) {
    const { scope, refreshToken, idToken } = await answer({ scope: void_, refresh_token: void_, id_token: void_ })
    assert.deepEqual([scope, refreshToken, idToken], [undefined, undefined, undefined])
  }
})

test("SC-10 the refresh token's life is taken from either name, where it is a positive number", async () => {
  for (const name of ['refresh_expires_in', 'refresh_token_expires_in']) {
    for (const [value, seconds] of [
      [1800, 1800],
      ['1800', 1800],
      [0, undefined],
      [-1, undefined],
      ['never', undefined],
      [null, undefined],
    ]) {
      assert.equal((await answer({ [name]: value })).refreshExpiresInS, seconds)
    }
  }
})

test('TX-08 of a malformed answer the tokens in it come back, to be revoked', async () => {
  const strays = async (changes: object) => {
    const outcome = await parse({ ...good, ...changes })
    return outcome.kind === 'malformed' ? outcome.strays : assert.fail(outcome.kind)
  }
  const refreshToken = 'rt'
  assert.deepEqual(await strays({ token_type: 'mac', refresh_token: 'rt' }), { accessToken: 'at', refreshToken })
  assert.deepEqual(await strays({ token_type: 'mac' }), { accessToken: 'at', refreshToken: undefined })
  assert.deepEqual(await strays({ access_token: 7, refresh_token: 'rt' }), { accessToken: undefined, refreshToken })
})

test('the second, certified check sees the tokens alone, as if of type bearer', async () => {
  const checked = buildCheckedResponse(await answer({ expires_in: 'odd', refresh_token: 'rt', scope: 'openid' }))
  assert.equal(checked.status, 200)
  assert.deepEqual(await checked.json(), { access_token: 'at', token_type: 'bearer', id_token: 'it' })
})

test('TX-11 the IdP’s error is one of the fixed words', async () => {
  const known = [
    'invalid_request',
    'invalid_client',
    'invalid_grant',
    'unauthorized_client',
    'unsupported_grant_type',
    'invalid_scope',
  ]
  for (const error of known) {
    assert.deepEqual(await parse({ error, error_description: 'canary' }, { status: 400 }), { kind: 'error', error })
  }
  for (const error of [undefined, 7, 'canary\n', ['invalid_grant'], '__proto__']) {
    assert.deepEqual(await parse({ error }, { status: 400 }), { kind: 'error', error: 'unknown_error' })
  }
  assert.deepEqual(await parse('<html>', { status: 403 }), { kind: 'error', error: 'unknown_error' })
})

test('TX-11 a 401 is invalid_client, also with a challenge or without a body; a known error in it counts more', async () => {
  const headers = { 'www-authenticate': 'Basic realm="canary"' }
  assert.deepEqual(await parse('', { status: 401, headers }), { kind: 'error', error: 'invalid_client' })
  assert.deepEqual(await parse({ error: 'invalid_grant' }, { status: 401, headers }), {
    kind: 'error',
    error: 'invalid_grant',
  })
})

test('TX-11 "not now" is an outage, with the wait that the IdP asks for', async () => {
  for (const status of [500, 502, 503, 504, 429, 408, 425]) {
    const outcome = await parse({ error: 'invalid_grant' }, { status })
    assert.deepEqual(outcome, { kind: 'unavailable', status, retryAfterS: undefined })
  }
  for (const error of ['temporarily_unavailable', 'server_error']) {
    assert.equal((await parse({ error }, { status: 400 })).kind, 'unavailable')
  }
})

test('RF-05 Retry-After is read as seconds or as a date, and bounded', async () => {
  for (const [value, retryAfterS] of [
    ['7', 7],
    ['0', 1],
    ['86400', 3600],
    ['Sun, 06 Nov 1994 08:50:37 GMT', 60],
    ['Sun, 06 Nov 1994 08:00:00 GMT', 1],
    ['soon', undefined],
    ['-5', undefined],
  ] as const) {
    const outcome = await parse('', { status: 503, headers: { 'retry-after': value } })
    assert.deepEqual(outcome, { kind: 'unavailable', status: 503, retryAfterS }, value)
  }
})
