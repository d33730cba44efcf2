import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { LightMyRequestResponse } from 'fastify'
import { hashSecret } from '../../src/session/credential.ts'
import {
  APP_QUERY,
  buildService,
  CANARIES,
  createTestStore,
  ISSUER,
  PUBLIC_URL,
  readRequestObject,
  type Service,
  VERIFIER,
} from '../plugins/build-service.ts'

const TOKEN = 'canary-admin-token-of-more-than-thirty-two-octets'

async function build(t: TestContext) {
  const service = await buildService(t, { env: { ADMIN_TOKEN: TOKEN }, store: createTestStore(false) })
  const end = async (target: object): Promise<unknown> => {
    const headers = { authorization: `Bearer ${TOKEN}` }
    const answer = await service.admin.inject({ method: 'POST', url: '/admin/sessions/end', headers, payload: target })
    assert.equal(answer.statusCode, 200)
    return answer.json()
  }
  const isLive = async (credential: string): Promise<boolean> => {
    const cookie = { cookie: `${service.cookieName}=${credential}` }
    const headers = credential.startsWith('t_') ? { authorization: `Bearer ${credential}` } : cookie
    const answer = await service.inject({ url: '/auth/session', headers })
    return (answer.json() as { authenticated: boolean }).authenticated
  }
  return { service, end, isLive }
}

/** A sign-in whose user is at the IdP. @returns comes back from there */
async function leaveForIdp({ inject }: Service): Promise<() => Promise<LightMyRequestResponse>> {
  const started = await inject({ url: '/auth/start?response=json' })
  const { authorization_url: url } = started.json() as { authorization_url: string }
  const [transaction] = started.cookies
  const answer = new URLSearchParams({ code: CANARIES.code, state: String(readRequestObject(url).state), iss: ISSUER })
  const headers = {
    cookie: `${transaction?.name}=${transaction?.value}`,
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  }
  return () => inject({ url: `/auth/callback?${answer}`, headers })
}

const credentialIn = ({ cookies }: LightMyRequestResponse, { cookieName }: Service): string | undefined =>
  cookies.find(({ name, value }) => name === cookieName && value !== '')?.value

test('SC-14: {"all":true} ends two hundred sessions of many users, and leaves nothing of them in the store', async (t) => {
  const { service, end, isLive } = await build(t)
  const kinds = ['browser-cookie', 'app-token'] as const
  const credentials = await Promise.all(
    Array.from({ length: 200 }, (_, n) =>
      service.plant({ sub: `user-${n % 70}`, sid: `sid-${n}`, kind: kinds[n % 2] ?? 'app-token' }),
    ),
  )
  assert.ok((await Promise.all(credentials.map(isLive))).every(Boolean))
  assert.deepEqual(await end({ all: true }), { ended: 200 })
  assert.ok(!(await Promise.all(credentials.map(isLive))).some(Boolean))
  assert.deepEqual(await Array.fromAsync(service.store.scan('session:')), [])
  assert.deepEqual(await end({ all: true }), { ended: 0 })
})

for (const target of [{ all: true }, { sub: 'ada' }, { sid: 'idp-session-1' }]) {
  test(`SC-14: after ${JSON.stringify(target)} a sign-in that was under way does not come alive, and a later one does`, async (t) => {
    const { service, end, isLive } = await build(t)
    const comeBack = await leaveForIdp(service)
    assert.deepEqual(await end(target), { ended: 0 })
    const later = await leaveForIdp(service) // In the same second.
    const answer = await comeBack()
    assert.equal(answer.statusCode, 303)
    assert.equal(credentialIn(answer, service), undefined)
    assert.deepEqual(await Array.fromAsync(service.store.scan('session:')), [])
    const credential = credentialIn(await later(), service) ?? assert.fail('the later one did not come alive')
    assert.equal(await isLive(credential), true)
  })
}

test('SC-14: nor does the session of an app whose code was on its way', async (t) => {
  const { service, end, isLive } = await build(t)
  const redeem = async (): Promise<LightMyRequestResponse> => {
    const link = (await codes.shift()) ?? assert.fail()
    const code = new URL(link.headers.location ?? '').searchParams.get('code') ?? ''
    const payload = { code, code_verifier: VERIFIER, session: 'token' }
    return service.inject({ method: 'POST', url: '/auth/handoff', payload })
  }
  const codes = [await service.signIn({ query: APP_QUERY })]
  await end({ all: true })
  codes.push(await service.signIn({ query: APP_QUERY }))
  const refused = await redeem()
  assert.deepEqual([refused.statusCode, (refused.json() as { error: string }).error], [400, 'invalid_grant'])
  const redeemed = await redeem()
  assert.equal(redeemed.statusCode, 200, redeemed.body)
  assert.equal(await isLive((redeemed.json() as { session_token: string }).session_token), true)
})

test('LG-01, LG-03: listing and ending sessions leaves lines that say what, how many and by whom, and no secret', async (t) => {
  const { service, end } = await build(t)
  const plant = async (sid: string) => {
    const credential = await service.plant({ sid })
    return { credential, id: (await service.sessions.find(credential))?.record.id ?? '' }
  }
  const [mine, other] = [await plant('canary-sid-1'), await plant('canary-sid-2')]
  for (const sid of ['canary-sid-3', 'canary-sid-4', 'canary-sid-5']) await plant(sid)
  const headers = { cookie: `${service.cookieName}=${mine.credential}`, origin: PUBLIC_URL }
  const url = '/auth/sessions'
  assert.equal((await service.inject({ url, headers })).statusCode, 200)
  assert.equal((await service.inject({ method: 'DELETE', url: `${url}/${other.id}`, headers })).statusCode, 204)
  assert.deepEqual(await end({ sid: 'canary-sid-3' }), { ended: 1 })
  assert.equal((await service.inject({ method: 'DELETE', url, headers })).statusCode, 200)
  assert.deepEqual(await end({ sub: 'ada' }), { ended: 1 })
  assert.deepEqual(await end({ all: true }), { ended: 0 })

  const lines = service.entries().filter(({ by }) => by !== undefined)
  const told = lines.map(({ level: _, time: __, request_id: ___, msg: ____, ...line }) => line)
  assert.deepEqual(told, [
    { event: 'sessions_listed', session: mine.id, listed: 5, by: 'user' },
    { event: 'session_ended', session: other.id, reason: 'revoked', by: 'user' },
    { event: 'sessions_ended', scope: 'sid', sid_hash: hashSecret('canary-sid-3'), ended: 1, by: 'admin' },
    { event: 'sessions_ended', session: mine.id, ended: 2, by: 'user' },
    { event: 'sessions_ended', scope: 'sub', sub: 'ada', ended: 1, by: 'admin' },
    { event: 'sessions_ended', scope: 'all', ended: 0, by: 'admin' },
  ])
  for (const { request_id: id } of lines) assert.equal(typeof id, 'string', 'each names its request')
  const log = service.logs.join('')
  for (const secret of [TOKEN, mine.credential, other.credential, 'canary-sid', ...Object.values(CANARIES)]) {
    assert.ok(!log.includes(secret), `the log shows ${secret}`)
  }
})

test('LG-03: a call with a wrong token leaves a line, too, and the token is not in it', async (t) => {
  const { service } = await build(t)
  const headers = { authorization: 'Bearer canary-wrong-token' }
  const target = { payload: { sid: 'canary-sid' } }
  const answer = await service.admin.inject({ method: 'POST', url: '/admin/sessions/end', headers, ...target })
  assert.equal(answer.statusCode, 401)
  const [line] = service.entries().filter(({ event }) => event === 'refused')
  assert.equal(line?.code, 'unauthenticated')
  assert.doesNotMatch(service.logs.join(''), /canary/)
})
