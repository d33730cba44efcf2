import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { APP_QUERY, buildService, VERIFIER } from '../plugins/build-service.ts'

const CALLS = 200
const random = (): string => randomBytes(32).toString('base64url')

test('what strangers make up is kept nowhere: only a sign-in that is started takes room in the store, and that is limited', async (t) => {
  const { inject, store, admin, cookieName } = await buildService(t, {
    env: { RATE_LIMIT_PER_MINUTE: '10', BACKCHANNEL_LOGOUT: 'on', ADMIN_TOKEN: 'a-token-of-the-operator' },
  })
  const page = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  for (let call = 0; call < CALLS; call++) {
    const [state, credential] = [random(), random()]
    const cookie = `${cookieName}=b_${credential}; __Host-Http-oten_tx_12345678=${credential}`
    await inject({ url: `/auth/callback?code=${credential}&state=${state}`, headers: { ...page, cookie } })
    await inject({ url: '/auth/session?touch=true', headers: { cookie } })
    await inject({ url: '/auth/sessions', headers: { authorization: `Bearer t_${credential}` } })
    await inject({ url: `/auth/logged-out?state=${state}`, headers: page })
    await inject({ url: `/auth/logout/continue?ticket=${state}`, headers: page })
    await inject({ method: 'POST', url: '/auth/logout', headers: { cookie, origin: 'https://bff.example.com' } })
    await inject({ method: 'POST', url: '/auth/handoff', payload: { code: credential, code_verifier: VERIFIER } })
    await inject({
      method: 'POST',
      url: '/auth/backchannel-logout',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: `logout_token=${state}.${state}.${state}`,
    })
    await admin.inject({ url: '/auth/verify', headers: { cookie } })
    await admin.inject({
      method: 'POST',
      url: '/admin/sessions/end',
      headers: { authorization: state },
      payload: { sub: state },
    })
    await inject({ url: `/auth/${state}` })
  }
  assert.deepEqual([...(await store.dump()).keys()], [])
  let started = 0
  for (let call = 0; call < CALLS; call++) {
    for (const query of ['', APP_QUERY]) {
      const { statusCode } = await inject({ url: `/auth/start?${query}`, headers: page })
      if (statusCode === 303) started += 1
    }
  }
  assert.equal(started, 10)
  assert.equal((await store.dump()).size, 10)
})

test('a client has at most a minute for its headers, on either listener', async (t) => {
  const { app, admin } = await buildService(t)
  for (const { server } of [app, admin]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    assert.ok(server.headersTimeout > 0 && server.headersTimeout <= 60_000, `${server.headersTimeout} ms`)
  }
})
