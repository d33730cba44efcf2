import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CredentialKind } from '../../src/session/credential.ts'
import { newSession, PUBLIC_URL } from '../plugins/build-service.ts'
import { buildProxy } from '../routes/build-proxy.ts'
import { ask } from './raw.ts'
import { echoToken, openSurfaces, SURFACES } from './surfaces.ts'

/** Shorter than a token's life, so that nothing has to be renewed on the way. */
const LIMITS = { SESSION_IDLE_S: '100', SESSION_MAX_S: '500', APP_SESSION_IDLE_S: '200', APP_SESSION_MAX_S: '700' }
const LIFE_S: Readonly<Record<CredentialKind, { readonly idle: number; readonly max: number }>> = {
  'browser-cookie': { idle: 100, max: 500 },
  'app-cookie': { idle: 200, max: 700 },
  'app-token': { idle: 200, max: 700 },
}

for (const [kind, { idle, max }] of Object.entries(LIFE_S) as [CredentialKind, { idle: number; max: number }][]) {
  // The store of these tests forgets nothing by itself, and the client ignores `Max-Age`: the limits inside are alone.
  test(`a client that keeps its ${kind} for ever, over a store that forgets nothing, is out at the absolute limit`, async (t) => {
    const proxy = await buildProxy(t, echoToken, { env: LIMITS })
    const { service, port } = proxy
    const surfaces = await openSurfaces(proxy)
    const value = await service.plant({ kind })
    const credential: Record<string, string> =
      kind === 'app-token' ? { authorization: `Bearer ${value}` } : { cookie: `${service.cookieName}=${value}` }
    const start = service.time.now
    for (let used = 0; used < max; used += idle / 2) {
      service.time.now = start + used
      const call = await ask(port, '/api/x/1', { headers: { origin: PUBLIC_URL, ...credential } })
      assert.equal(call.status, 200, `in use after ${used} s`)
    }
    service.time.now = start + max - 1
    assert.deepEqual(await surfaces.openTo(credential), SURFACES)
    for (const later of [0, 1, 3600, 365 * 24 * 3600]) {
      service.time.now = start + max + later
      assert.deepEqual(await surfaces.openTo(credential), [], `${later} s past the limit`)
    }
  })

  test(`once its idle limit is over, an unused ${kind} opens nothing, and use does not wake it`, async (t) => {
    const proxy = await buildProxy(t, echoToken, { env: LIMITS })
    const surfaces = await openSurfaces(proxy)
    const value = await proxy.service.plant({ kind })
    const credential: Record<string, string> =
      kind === 'app-token' ? { authorization: `Bearer ${value}` } : { cookie: `${proxy.service.cookieName}=${value}` }
    proxy.service.time.now += idle
    assert.deepEqual(await surfaces.openTo(credential), [])
    proxy.service.time.now -= 1 // Also for a replica whose clock is a second behind.
    assert.deepEqual(await surfaces.openTo(credential), SURFACES)
    proxy.service.time.now += idle
    assert.deepEqual(await surfaces.openTo(credential), [])
  })
}

test('an access token that is over is not passed on, though the session lives', async (t) => {
  const { service, port, mine } = await buildProxy(t, echoToken)
  const { tokens } = newSession(service.time.now)
  const cookie = `${service.cookieName}=${await service.plant({ tokens: { ...tokens, refreshToken: undefined } })}`
  service.time.now += 899
  assert.equal((await ask(port, '/api/x/1', { headers: { ...mine, cookie } })).status, 200)
  service.time.now += 1
  assert.equal((await ask(port, '/api/x/1', { headers: { ...mine, cookie } })).status, 401)
})
