import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { buildService, createTestStore, PUBLIC_URL } from '../plugins/build-service.ts'
import { createModelIdp } from '../session/model-idp.ts'
import { createSessionKey } from '../support/env.ts'

const SESSIONS = 100
const CALLS = 20

/** Two replicas on one store, an IdP that takes a spent refresh token for theft, and an API that notes what it sees. */
async function build(t: TestContext) {
  const seen = new Map<string, number>()
  const api = createServer(({ headers: { authorization = '' } }, response) => {
    seen.set(authorization, (seen.get(authorization) ?? 0) + 1)
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
  t.after(() => api.close())
  const model = createModelIdp({ rotate: true, lifeS: 1e9, fate: () => ({ mishap: 'none', delayMs: 30 }) })
  const env = {
    API_ROUTES: `/api/x=http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    SESSION_KEYS: createSessionKey(),
  }
  const store = createTestStore(false)
  const idp = { refresh: model.refresh, revoke: model.revoke }
  const replicas = [await buildService(t, { env, store, idp }), await buildService(t, { env, store, idp })] as const
  return { model, seen, replicas }
}

test('RF-02: 100 sessions × 20 calls at once on two replicas are 100 token requests, and nobody is signed out', async (t) => {
  const { model, seen, replicas } = await build(t)
  const [{ plant, time, cookieName }] = replicas
  const names = Array.from({ length: SESSIONS }, (_, at) => `user-${at}`)
  const credentials = await Promise.all(
    names.map((sub) => {
      const tokens = { ...model.grant(sub), accessTokenExpiresAt: time.now + 5, obtainedAt: time.now - 895 }
      return plant({ sub, sid: sub, tokens: { ...tokens, scope: 'openid' } })
    }),
  )
  const call = (credential: string, at: number) =>
    replicas[at % 2 === 0 ? 0 : 1].inject({
      url: '/api/x/1',
      headers: { cookie: `${cookieName}=${credential}`, origin: PUBLIC_URL },
    })
  const answers = await Promise.all(
    Array.from({ length: CALLS }, (_, at) => credentials.map((credential) => call(credential, at))).flat(),
  )
  const statuses = Map.groupBy(answers, ({ statusCode }) => statusCode)
  assert.deepEqual(
    [...statuses].map(([status, those]) => [status, those.length]),
    [[200, SESSIONS * CALLS]],
  )
  assert.deepEqual(model.violations, [])
  assert.deepEqual(model.requests, new Map(names.map((name) => [name, 1])))
  assert.deepEqual(seen, new Map(names.map((name) => [`Bearer access:${name}:2`, CALLS])))
  const lines = replicas.flatMap(({ entries }) => entries())
  assert.equal(lines.filter(({ event }) => event === 'refreshed').length, SESSIONS)
  assert.ok(!lines.some(({ event }) => event === 'session_ended' || event === 'refresh_failed'))
})
