import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { BffError } from '../../src/errors.ts'
import { type LogoutToken, verifyLogoutToken } from '../../src/idp/logout-token.ts'
import { TokenRefused } from '../../src/idp/strict-jws.ts'
import { buildIdp, CLIENT_ID } from './build-idp.ts'
import { createKey, signJws, type TestKey } from './hostile-idp.ts'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

async function build(t: TestContext) {
  const { hostile, idp, key, time } = await buildIdp(t)
  const claims = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
    iss: hostile.issuer,
    aud: CLIENT_ID,
    sub: 'alice',
    sid: 'idp-session-1',
    iat: time.now,
    exp: time.now + 120,
    jti: 'jti-1',
    events: { [EVENT]: {} },
    ...changes,
  })
  const verify = (token: string): Promise<LogoutToken> =>
    verifyLogoutToken(token, idp.jwks, { issuer: hostile.issuer, clientId: CLIENT_ID, now: time.now })
  /** Why it is refused, or `ok`. */
  const judge = (token: string): Promise<string> =>
    verify(token).then(
      () => 'ok',
      (error: unknown) => {
        assert.ok(error instanceof TokenRefused, String(error))
        return error.reason
      },
    )
  const header = { alg: 'EdDSA', kid: key.kid, typ: 'logout+jwt' }
  const sign = (changes: Record<string, unknown> = {}, by: TestKey = key, head: object = header): string =>
    signJws(claims(changes), by, head)
  return { hostile, key, time, claims, verify, judge, sign, header }
}

test('BL-06: a good token says whom it signs out, and until when a replay must be known', async (t) => {
  const { hostile, verify, sign, time } = await build(t)
  const shared = { issuer: hostile.issuer, jti: 'jti-1', expiresAt: time.now + 120 }
  const strange = { 'https://idp.example/extra': [1, { a: null }], toe: time.now, sub_id: { format: 'opaque' } }
  assert.deepEqual(await verify(sign(strange)), { ...shared, sub: 'alice', sid: 'idp-session-1' })
  assert.deepEqual(await verify(sign({ sid: undefined })), { ...shared, sub: 'alice', sid: undefined })
  assert.deepEqual(await verify(sign({ sub: undefined })), { ...shared, sub: undefined, sid: 'idp-session-1' })
})

test('BL-06: a token that names nobody, or names somebody by anything but a string, is refused', async (t) => {
  const { judge, sign } = await build(t)
  assert.equal(await judge(sign({ sub: undefined, sid: undefined })), 'nobody_named')
  for (const name of ['sub', 'sid']) {
    for (const value of ['', null, 7, true, [], ['alice'], {}]) {
      assert.equal(await judge(sign({ [name]: value })), name, `${name} ${JSON.stringify(value)}`)
    }
  }
})

test('BL-02: no signature, another key, another algorithm and a changed claim are refused', async (t) => {
  const { judge, sign, key, claims, header } = await build(t)
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const unsigned = `${encode({ ...header, alg: 'none' })}.${encode(claims())}`
  const hmacInput = `${encode({ ...header, alg: 'HS256' })}.${encode(claims())}`
  const pem = key.publicKey.export({ type: 'spki', format: 'pem' })
  const [head, , signature] = sign().split('.')
  assert.equal(await judge(`${unsigned}.`), 'segments')
  assert.equal(await judge(`${unsigned}.AAAA`), 'alg')
  assert.equal(await judge(`${hmacInput}.${createHmac('sha256', pem).update(hmacInput).digest('base64url')}`), 'alg')
  assert.equal(await judge(sign({}, key, { ...header, alg: 'RS256' })), 'alg')
  assert.equal(await judge(sign({}, createKey(key.kid))), 'signature')
  assert.equal(await judge(`${head}.${encode(claims({ sub: 'bob' }))}.${signature}`), 'signature')
  assert.equal(await judge(sign({}, createKey('other'), { ...header, kid: 'other' })), 'key_unknown')
  assert.equal(await judge(sign({}, key, { ...header, crit: ['exp'] })), 'crit')
})

test('BL-02: a key that the token brings along proves nothing', async (t) => {
  const { judge, sign, header, key } = await build(t)
  const own = createKey(key.kid)
  assert.equal(await judge(sign({}, own, { ...header, jwk: own.jwk })), 'signature')
})

test('BL-03: iss, aud, iat and exp are required, and checked as in an ID token', async (t) => {
  const { judge, sign, time, hostile } = await build(t)
  for (const name of ['iss', 'aud', 'iat', 'exp']) {
    for (const value of [undefined, null, {}, true]) assert.equal(await judge(sign({ [name]: value })), name)
  }
  for (const [name, values] of Object.entries({
    iss: [`${hostile.issuer}/`, 'https://other.example', [hostile.issuer]],
    aud: ['other', '', [], ['other'], [CLIENT_ID, 'other']],
    exp: [time.now - 30, time.now - 3600, String(time.now + 120)],
    iat: [time.now + 31, time.now - 631, String(time.now)],
    nbf: [time.now + 31, 'soon'],
  })) {
    for (const value of values) assert.equal(await judge(sign({ [name]: value })), name, `${name} ${value}`)
  }
})

test('BL-03: clocks may differ by half a minute, and a lone audience may stand in a list', async (t) => {
  const { judge, sign, time } = await build(t)
  for (const changes of [
    { exp: time.now - 29 },
    { iat: time.now + 30 },
    { iat: time.now - 630 },
    { nbf: time.now + 30 },
    { aud: [CLIENT_ID] },
  ]) {
    assert.equal(await judge(sign(changes)), 'ok', JSON.stringify(changes))
  }
})

test('BL-04: events is an object whose back-channel logout member is an object, whatever else it holds', async (t) => {
  const { judge, sign } = await build(t)
  const other = 'http://schemas.openid.net/event/frontchannel-logout'
  for (const events of [
    undefined,
    null,
    EVENT,
    [EVENT],
    [{ [EVENT]: {} }],
    {},
    { [other]: {} },
    { [`${EVENT}/`]: {} },
    ...[null, true, 1, 'x', [], [{}]].map((value) => ({ [EVENT]: value })),
  ]) {
    assert.equal(await judge(sign({ events })), 'events', JSON.stringify(events))
  }
  for (const events of [{ [EVENT]: { reason: 'admin' } }, { [EVENT]: {}, [other]: {} }]) {
    assert.equal(await judge(sign({ events })), 'ok')
  }
})

test('BL-04: an event that only the prototype has is none', async (t) => {
  const { judge, claims, key, header } = await build(t)
  const spoofed = JSON.stringify(claims()).replace(`"${EVENT}":{}`, `"__proto__":{"${EVENT}":{}}`)
  assert.ok(spoofed.includes('__proto__'))
  assert.equal(await judge(signJws(spoofed, key, header)), 'events')
})

test('BL-05: a nonce is refused, whatever its value', async (t) => {
  const { judge, sign } = await build(t)
  for (const nonce of ['n', '', null, 0, {}]) assert.equal(await judge(sign({ nonce })), 'nonce')
})

test('BL-05: an ID token is no logout token', async (t) => {
  const { judge, sign, key } = await build(t)
  const idToken = { events: undefined, jti: undefined, nonce: 'n', auth_time: 1 }
  assert.notEqual(await judge(sign(idToken, key, { alg: 'EdDSA', kid: key.kid })), 'ok')
})

test('BL-07: jti is required, and a string', async (t) => {
  const { judge, sign } = await build(t)
  for (const jti of [undefined, null, '', 7, {}, ['jti-1']]) assert.equal(await judge(sign({ jti })), 'jti')
})

test('BL-08: typ is logout+jwt in any case, JWT, or absent; another kind of token is refused', async (t) => {
  const { judge, sign, key } = await build(t)
  const judgeTyp = (typ: unknown) => judge(sign({}, key, { alg: 'EdDSA', kid: key.kid, typ }))
  for (const typ of ['logout+jwt', 'LOGOUT+JWT', 'application/logout+jwt', 'JWT', 'jwt', undefined]) {
    assert.equal(await judgeTyp(typ), 'ok', String(typ))
  }
  const others = ['at+jwt', 'oauth-authz-req+jwt', 'logout', 'logout+jwt ', 'jwtapplication/', '', null, 7]
  for (const typ of [...others, ['logout+jwt']]) {
    assert.equal(await judgeTyp(typ), 'typ', String(typ))
  }
})

test('a claim said twice is refused: two readers could take two different users out of it', async (t) => {
  const { judge, claims, key, header } = await build(t)
  const twice = JSON.stringify(claims()).replace('"sub":"alice"', '"sub":"alice","sub":"bob"')
  assert.equal(await judge(signJws(twice, key, header)), 'json')
})

test('nonsense and a token without end are refused before any key is fetched', async (t) => {
  const { judge, hostile, sign } = await build(t)
  for (const token of ['', '.', '..', 'a.b.c', 'x'.repeat(20_000), `${sign()}.`, `${sign()}.a.b`]) {
    assert.notEqual(await judge(token), 'ok')
  }
  assert.equal(hostile.count('/jwks'), 0)
})

test('BL-02: with the keys out of reach nobody is believed, and that is an outage', async (t) => {
  const { verify, sign, hostile } = await build(t)
  await hostile.stop()
  await assert.rejects(verify(sign()), (error) => error instanceof BffError && error.code === 'idp_unavailable')
})
