import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createMetrics } from '../../src/metrics.ts'
import { buildIdp, createSigningKey } from './build-idp.ts'

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

test('started, it fetches the metadata though nobody asks for it; closed, it fetches no more', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { idp, hostile, time, log } = await buildIdp(t)
  idp.start()
  while (idp.metadata.status().state !== 'ok') await turn()
  await turn()
  await idp.close()
  const linesBefore = log.lines.length
  time.now += 7200 // Old by now: the background would fetch it again at its next turn, and fail.
  t.mock.timers.tick(10_000)
  for (let round = 0; round < 10; round += 1) await turn()
  assert.deepEqual([log.lines.length, idp.metadata.status().state], [linesBefore, 'ok'])
  assert.equal(hostile.requests.length, 1)
})

test('the credentials that are there decide how the service authenticates', async (t) => {
  const assertionKeys = [createSigningKey('assertion-1')]
  for (const [secrets, method] of [
    [{}, 'client_secret_basic'],
    [{ assertionKeys }, 'client_secret_basic'],
    [{ clientSecret: undefined, assertionKeys }, 'private_key_jwt'],
    [{ clientSecret: undefined }, undefined],
  ] as const) {
    const { idp, hostile } = await buildIdp(t, { secrets })
    hostile.metadata.token_endpoint_auth_methods_supported = ['private_key_jwt', 'client_secret_basic']
    const metadata = await idp.metadata.get().catch(() => undefined)
    assert.equal(metadata?.tokenAuthMethod, method)
  }
  const { idp, hostile } = await buildIdp(t)
  hostile.metadata.token_endpoint_auth_methods_supported = ['private_key_jwt']
  await assert.rejects(idp.metadata.get(), /has no method that is configured here/)
})

test('every answer is timed under the name of its endpoint, and every refresh counted by its outcome', async (t) => {
  const metrics = createMetrics()
  const { idp, hostile, redeemInput, grant } = await buildIdp(t, { metrics })
  const { idToken } = await idp.redeemCode(redeemInput())
  const refresh = () => idp.refresh({ refreshToken: 'rt', idToken, scope: 'openid' })
  grant({ id_token: undefined })
  await refresh()
  for (const error of ['invalid_grant', 'teapot']) {
    hostile.on('/token', () => ({ status: 400, body: { error } }))
    await refresh()
  }
  await idp.revoke({ token: 'rt', tokenTypeHint: 'refresh_token' })
  const text = await metrics.registry.metrics()
  const read = (sample: string) =>
    text
      .split('\n')
      .find((line) => line.startsWith(`oten_bff_${sample} `))
      ?.split(' ')[1]
  for (const [labels, count] of [
    ['endpoint="discovery",outcome="2xx"', '1'],
    ['endpoint="jwks",outcome="2xx"', '1'],
    ['endpoint="token",outcome="2xx"', '2'],
    ['endpoint="token",outcome="4xx"', '2'],
    ['endpoint="revocation",outcome="2xx"', '1'],
  ]) {
    assert.equal(read(`idp_duration_seconds_count{${labels}}`), count, labels)
  }
  for (const outcome of ['refreshed', 'ended', 'unavailable']) {
    assert.equal(read(`refreshes_total{outcome="${outcome}"}`), '1', outcome)
  }
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
