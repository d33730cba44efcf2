import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildIdp } from './build-idp.ts'

test('nothing is fetched before it is needed or started; start fetches the metadata', async (t) => {
  const { idp, hostile } = await buildIdp(t)
  assert.equal(hostile.requests.length, 0)
  assert.equal(idp.clockOffsetS(), undefined)
  idp.start()
  assert.equal((await idp.metadata.get()).issuer, hostile.issuer)
  assert.equal(hostile.requests.length, 1)
  assert.deepEqual(idp.metadata.status(), { state: 'ok' })
  assert.equal(typeof idp.clockOffsetS(), 'number')
})

test('sign-in, refresh and revocation ask for metadata and keys once', async (t) => {
  const { idp, hostile, redeemInput, grant } = await buildIdp(t)
  const { idToken } = await idp.redeemCode(redeemInput())
  grant({ id_token: undefined })
  assert.equal((await idp.refresh({ refreshToken: 'rt', idToken, scope: 'openid' })).kind, 'refreshed')
  assert.equal(await idp.revoke({ token: 'rt', tokenTypeHint: 'refresh_token' }), true)
  assert.deepEqual(
    hostile.requests.map(({ method, path }) => `${method} ${path}`),
    ['GET /.well-known/openid-configuration', 'POST /token', 'GET /jwks', 'POST /token', 'POST /revoke'],
  )
})

test('closed while a request is under way, it ends that request rather than wait for it', async (t) => {
  const { idp, hostile } = await buildIdp(t)
  hostile.on('/.well-known/openid-configuration', () => {
    void idp.close()
    return undefined
  })
  const startedAt = Date.now()
  await assert.rejects(idp.metadata.get(), /openid-configuration/)
  assert.ok(Date.now() - startedAt < 5000)
})
