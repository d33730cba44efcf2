import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { sendPlain } from '../flows/steps.ts'
import { buildService, PUBLIC_URL } from '../plugins/build-service.ts'

/** What a page of a sibling subdomain can set for the whole domain: cookies of any name without our prefix, and any value. */
const plantCookies = (octets: number): string =>
  Array.from({ length: Math.floor(octets / 200) }, (_, index) => `planted_${index}=${'x'.repeat(180)}`).join('; ')

test('cookies of a sibling beside ours change nothing; more than a request may hold are refused, and sign nobody out', async (t) => {
  const service = await buildService(t)
  await service.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = service.app.server.address() as AddressInfo
  const ours = `${service.cookieName}=${await service.plant()}`
  const ask = (cookie: string) =>
    sendPlain({ publicUrl: `http://127.0.0.1:${port}` }, '/auth/session', { headers: { cookie } })
  for (const cookie of [`${plantCookies(8000)}; ${ours}`, `${ours}; ${plantCookies(8000)}`]) {
    assert.equal((await ask(cookie)).json().authenticated, true)
  }
  const tooMuch = await ask(`${plantCookies(20_000)}; ${ours}`)
  assert.equal(tooMuch.status, 400)
  assert.equal(tooMuch.json().error, 'invalid_request')
  assert.deepEqual(tooMuch.setCookies, [])
  assert.equal((await ask(ours)).json().authenticated, true, 'once the planted ones are gone')
})

test('a session cookie that a sibling sets under a name without the prefix, or beside the real one, signs nobody in', async (t) => {
  const { inject, plant, cookieName } = await buildService(t)
  const [eves, adas] = [await plant({ sub: 'eve' }), await plant({ sub: 'ada' })]
  const ask = async (cookie: string): Promise<Record<string, unknown>> =>
    (await inject({ url: '/auth/session', headers: { cookie, origin: PUBLIC_URL } })).json()
  const names = [
    'oten_session',
    '__Host-oten_session',
    '__Secure-oten_session',
    '__host-http-oten_session',
    ` ${cookieName.slice(1)}`,
  ]
  for (const name of names) assert.deepEqual(await ask(`${name}=${eves}`), { authenticated: false }, name)
  for (const name of names)
    assert.deepEqual((await ask(`${name}=${eves}; ${cookieName}=${adas}`)).user, { sub: 'ada', name: 'Ada' })
  assert.deepEqual(
    await ask(`${cookieName}=${eves}; ${cookieName}=${adas}`),
    { authenticated: false },
    'two of one name',
  )
})
