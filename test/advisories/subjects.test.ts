import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { newSession, PUBLIC_URL } from '../plugins/build-service.ts'
import { buildProxy } from '../routes/build-proxy.ts'
import { ask, headerOf } from './raw.ts'
import { echoToken } from './surfaces.ts'

const ADMIN_TOKEN = 'an-admin-token-of-more-than-32-characters'

/** Subjects that some system takes for `ada`: other case, blanks, other scripts, an address, a path, a pattern. */
const LIKE_ADA = [
  'Ada',
  'ADA',
  'ada.',
  'ada@example.com',
  '"ada"',
  'ada,ada',
  'ada/',
  './ada',
  'ad*',
  'ada:',
  '%61da',
  'a-da',
]

test('a subject is itself alone, to the byte: nobody with a like one, or the same e-mail address, is ended or listed with it', async (t) => {
  const { service, port } = await buildProxy(t, echoToken, { env: { ADMIN_TOKEN } })
  await service.admin.listen({ host: '127.0.0.1', port: 0 })
  const { port: adminPort } = service.admin.server.address() as AddressInfo
  const claims = { name: 'Ada', email: 'ada@example.com', email_verified: true } // All say that they have this address.
  const credentials = new Map<string, string>()
  for (const sub of LIKE_ADA) {
    credentials.set(sub, await service.plant({ sub, sid: `sid-of-${sub}`, claims }))
  }
  const isLive = async (sub: string): Promise<boolean> => {
    const cookie = `${service.cookieName}=${credentials.get(sub)}`
    const { body } = await ask(port, '/auth/session', { headers: { cookie } })
    return JSON.parse(body).authenticated === true
  }
  const end = async (target: Record<string, string>): Promise<number> => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }
    const answer = await ask(adminPort, '/admin/sessions/end', {
      method: 'POST',
      headers,
      body: JSON.stringify(target),
    })
    return JSON.parse(answer.body).ended
  }
  assert.equal(await end({ sub: 'ada' }), 1, 'the one that the setting has planted, and no other')
  for (const sub of LIKE_ADA) {
    const headers = { cookie: `${service.cookieName}=${credentials.get(sub)}`, origin: PUBLIC_URL }
    const listed = JSON.parse((await ask(port, '/auth/sessions', { headers })).body)
    assert.equal(listed.sessions.length, 1, `${sub} sees one session`)
    const others = await ask(port, '/auth/sessions', { method: 'DELETE', headers })
    assert.deepEqual(JSON.parse(others.body), { ended: 0 }, `${sub} ends nobody else's`)
  }
  for (const [at, sub] of LIKE_ADA.entries()) {
    assert.equal(await end(at % 2 === 0 ? { sub } : { sid: `sid-of-${sub}` }), 1, sub)
    assert.deepEqual(
      await Promise.all(LIKE_ADA.map(isLive)),
      LIKE_ADA.map((_, later) => later > at),
      sub,
    )
  }
})

test('an app behind the proxy is told the subject to the byte, and an address never stands for it', async (t) => {
  const { service } = await buildProxy(t, echoToken)
  await service.admin.listen({ host: '127.0.0.1', port: 0 })
  const { port } = service.admin.server.address() as AddressInfo
  const { tokens } = newSession(service.time.now)
  for (const sub of LIKE_ADA) {
    const credential = await service.plant({ sub, claims: { email: 'ada@example.com' }, tokens })
    const answer = await ask(port, '/auth/verify', { headers: { cookie: `${service.cookieName}=${credential}` } })
    assert.deepEqual([headerOf(answer, 'x-auth-subject'), headerOf(answer, 'x-auth-email')], [sub, 'ada@example.com'])
  }
  // What a header cannot hold as it is, is not changed into something that it can: there is no such user for an app.
  for (const sub of [' ada', 'ada ', 'ada\n', 'ada\u00a0', '\uff41da', 'a\u0501a', 'ada\u200b', '']) {
    const credential = await service.plant({ sub, tokens })
    const answer = await ask(port, '/auth/verify', { headers: { cookie: `${service.cookieName}=${credential}` } })
    assert.equal(answer.status, 401, JSON.stringify(sub))
    assert.equal(headerOf(answer, 'x-auth-subject'), undefined)
  }
})
