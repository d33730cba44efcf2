import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildIdp } from './build-idp.ts'
import { signJws } from './hostile-idp.ts'

const input = { token: 'canary-refresh-token', tokenTypeHint: 'refresh_token' } as const

test('LO-03 a token is revoked with its kind and with client authentication (RFC 7009 §2.1)', async (t) => {
  const { idp, hostile } = await buildIdp(t)
  assert.equal(await idp.revoke(input), true)
  const { method, query, body, headers } = hostile.last('/revoke')
  assert.deepEqual([method, query.size], ['POST', 0])
  assert.deepEqual(Object.fromEntries(body), { token: 'canary-refresh-token', token_type_hint: 'refresh_token' })
  assert.match(String(headers.authorization), /^Basic /)
})

test('LO-03 only 200 counts as revoked, and nothing is ever thrown', async (t) => {
  const { idp, hostile } = await buildIdp(t)
  hostile.on('/revoke', () => ({ body: '<html>' }))
  assert.equal(await idp.revoke(input), true)
  for (const status of [201, 204, 302, 400, 401, 503]) {
    hostile.on('/revoke', () => ({ status, headers: { 'www-authenticate': 'Basic' } }))
    assert.equal(await idp.revoke(input), false)
  }
  await hostile.stop()
  assert.equal(await idp.revoke(input), false)
})

test('LO-03 an IdP without revocation endpoint is not asked', async (t) => {
  const { idp, hostile } = await buildIdp(t)
  delete hostile.metadata.revocation_endpoint
  assert.equal(await idp.revoke(input), false)
  assert.equal(hostile.count('/revoke'), 0)
})

test('LO-03 it is given up in time, wherever the IdP hangs', async (t) => {
  for (const path of ['/revoke', '/.well-known/openid-configuration']) {
    const { idp, hostile } = await buildIdp(t)
    hostile.on(path, () => undefined)
    const startedAt = Date.now()
    assert.equal(await idp.revoke({ ...input, timeoutMs: 100 }), false)
    assert.ok(Date.now() - startedAt < 2000)
  }
})

test('TX-08 tokens that nobody will use are revoked, each by its kind, and none that is not there', async (t) => {
  const { idp, hostile, grant, redeemInput, key, claims } = await buildIdp(t)
  const strays = async (members: Record<string, unknown>) => {
    const before = hostile.requests.length
    grant(members)
    await assert.rejects(idp.redeemCode(redeemInput()), /^SignInRefused/)
    return hostile.requests
      .slice(before)
      .filter(({ path }) => path === '/revoke')
      .map(({ body }) => `${body.get('token_type_hint')} ${body.get('token')}`)
      .sort()
  }
  const unfit = { id_token: signJws(claims({ nonce: 'other' }), key) }
  const both = ['access_token canary-access-token', 'refresh_token canary-refresh-token']
  assert.deepEqual(await strays({ ...unfit, refresh_token: 'canary-refresh-token' }), both)
  assert.deepEqual(await strays(unfit), both.slice(0, 1))
  assert.deepEqual(await strays({ access_token: 7, refresh_token: 'canary-refresh-token' }), both.slice(1))
})
