import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { PUBLIC_URL } from '../plugins/build-service.ts'
import { buildProxy } from '../routes/build-proxy.ts'
import { ask } from './raw.ts'
import { echoToken, openSurfaces, SURFACES } from './surfaces.ts'

const JSON_PLEASE = { accept: 'application/json' }
const ADMIN_TOKEN = 'an-admin-token-of-more-than-32-characters'

async function build(t: TestContext) {
  const proxy = await buildProxy(t, echoToken, { env: { ADMIN_TOKEN } })
  const surfaces = await openSurfaces(proxy)
  const { port: adminPort } = proxy.service.admin.server.address() as AddressInfo
  const admin = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }
  const end = (body: string) => ask(adminPort, '/admin/sessions/end', { method: 'POST', headers: admin, body })
  return { ...proxy, surfaces, end }
}

type World = Awaited<ReturnType<typeof build>>

/** Every way in which a session of `ada` ends while it could go on. */
const ENDS: Readonly<Record<string, (world: World) => Promise<unknown>>> = {
  'a sign-out': ({ port, mine }) => ask(port, '/auth/logout', { method: 'POST', headers: mine }),
  'the user, from another session': async ({ service, port }) => {
    const other = { cookie: `${service.cookieName}=${await service.plant()}`, origin: PUBLIC_URL }
    return ask(port, '/auth/sessions', { method: 'DELETE', headers: other })
  },
  'an operator who names the user': ({ end }) => end('{"sub":"ada"}'),
  "an operator who names the IdP's session": ({ end }) => end('{"sid":"idp-session-1"}'),
  'an operator who ends all': ({ end }) => end('{"all":true}'),
  'the next sign-in of this browser': ({ service, mine }) => service.signIn({ headers: { cookie: mine.cookie } }),
}

for (const [how, end] of Object.entries(ENDS)) {
  test(`the cookie of an ended session opens nothing, at once and a minute later, ended by ${how}`, async (t) => {
    const world = await build(t)
    const { mine, surfaces, service } = world
    const cookie = { cookie: mine.cookie }
    assert.deepEqual(await surfaces.openTo(cookie), SURFACES)
    await end(world)
    assert.deepEqual(await surfaces.openTo(cookie), [])
    service.time.now += 60
    assert.deepEqual(await surfaces.openTo(cookie), [])
  })
}

test('once an app has signed out, neither its token nor its cookie opens anything', async (t) => {
  const { service, port, surfaces } = await build(t)
  const token = { authorization: `Bearer ${await service.plant({ kind: 'app-token' })}` }
  const cookie = { cookie: `${service.cookieName}=${await service.plant({ kind: 'app-cookie' })}` }
  for (const credential of [token, cookie]) {
    assert.deepEqual(await surfaces.openTo(credential), SURFACES)
    assert.equal((await ask(port, '/auth/logout', { method: 'POST', headers: credential })).status, 200)
    assert.deepEqual(await surfaces.openTo(credential), [])
  }
})

test('what is asked in the same moment as the sign-out, on connections that were there before, revives nothing', async (t) => {
  const { port, mine, surfaces, service } = await build(t)
  service.time.now += 300 // So that each of these would write its use.
  const calls = Array.from({ length: 20 }, () => ask(port, '/api/x/1', { headers: mine }))
  const [ended] = await Promise.all([
    ask(port, '/auth/logout', { method: 'POST', headers: { ...JSON_PLEASE, ...mine } }),
    ...calls,
  ])
  assert.equal(ended.status, 200)
  assert.deepEqual(await surfaces.openTo({ cookie: mine.cookie }), [])
  const left = [...(await service.store.dump()).keys()].filter((key) => /^(session|used|meta)/.test(key))
  assert.deepEqual(left, [], 'nothing of the session is left in the store')
})

test('a callback that has signed somebody in is worth nothing once more, also after the sign-out', async (t) => {
  const { service, port } = await build(t)
  const first = await service.signIn()
  const [session] = first.cookies.filter(({ name }) => name === service.cookieName)
  const request = first.raw.req as unknown as { readonly url: string; readonly headers: Record<string, string> }
  const replay = { headers: { cookie: String(request.headers.cookie), 'sec-fetch-mode': 'navigate' } }
  const signedOut = await ask(port, '/auth/logout', {
    method: 'POST',
    headers: { ...JSON_PLEASE, origin: PUBLIC_URL, cookie: `${service.cookieName}=${session?.value}` },
  })
  assert.equal(signedOut.status, 200)
  const again = await ask(port, request.url, replay)
  assert.equal(again.status, 400)
  assert.ok(!again.headers.some(([name, value]) => name === 'set-cookie' && value.startsWith(`${service.cookieName}=`)))
})
