import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { createSelfSigned } from '../idp/self-signed.ts'
import { buildProxy } from '../routes/build-proxy.ts'

/** What a browser keeps for the whole origin, or does to all of it, because of one answer. */
const ORIGIN_WIDE: Readonly<Record<string, string>> = {
  'Strict-Transport-Security': 'max-age=0', // RFC 6797 §6.1.1: forgets that the host is https only.
  'Clear-Site-Data': '"cookies", "storage"', // Signs out, and takes what the page keeps.
  NEL: '{"report_to":"x","max_age":31536000,"success_fraction":1}', // Reports every request, its URL included.
  'Report-To': '{"group":"x","max_age":31536000,"endpoints":[{"url":"https://evil.example/"}]}',
  'Alt-Svc': 'h3="evil.example:443"; ma=31536000', // RFC 7838: the next requests go there.
  'Service-Worker-Allowed': '/', // A script of the API could then answer for every page.
}

test('PX-05: an API decides nothing for the whole origin: what a browser would keep for all of it stays behind', async (t) => {
  const { url, mine } = await buildProxy(t, (_incoming, answer) => {
    answer.writeHead(200, { ...ORIGIN_WIDE, 'x-of-the-api': 'kept' }).end('{}')
  })
  const { headers } = await fetch(`${url}/api/x/1`, { headers: mine })
  assert.equal(headers.get('x-of-the-api'), 'kept')
  assert.equal(headers.get('strict-transport-security'), 'max-age=31536000; includeSubDomains')
  for (const name of Object.keys(ORIGIN_WIDE).filter((other) => other !== 'Strict-Transport-Security')) {
    assert.equal(headers.get(name), null, name)
  }
})

test('an API sees the token of the session that calls it, and of no other, however many call at once', async (t) => {
  const shown = new Map<string, Set<string>>()
  const { service, url, mine } = await buildProxy(t, (incoming, answer) => {
    const caller = String(incoming.headers['x-caller'])
    shown.set(caller, (shown.get(caller) ?? new Set()).add(JSON.stringify(incoming.headers)))
    answer.end('{}')
  })
  const users = await Promise.all(
    ['ada', 'bob', 'eve'].map(async (sub) => {
      const tokens = {
        accessToken: `token-of-${sub}`,
        accessTokenExpiresAt: service.time.now + 900,
        refreshToken: `refresh-of-${sub}`,
        idToken: 'a.b.c',
        scope: 'openid',
        obtainedAt: service.time.now,
      }
      return { sub, cookie: `${service.cookieName}=${await service.plant({ sub, tokens })}` }
    }),
  )
  const calls = Array.from({ length: 30 }, () => users).flat()
  await Promise.all(
    calls.map(async ({ sub, cookie }) => {
      const answer = await fetch(`${url}/api/x/1`, { headers: { ...mine, cookie, 'x-caller': sub } })
      assert.equal(answer.status, 200)
    }),
  )
  for (const { sub } of users) {
    const all = [...(shown.get(sub) ?? [])].join()
    assert.deepEqual(new Set(all.match(/token-of-\w+/g)), new Set([`token-of-${sub}`]))
    assert.doesNotMatch(all, /refresh-of|"cookie"/)
  }
})

test('an API whose certificate nobody vouches for sees no token, by a call or a WebSocket: it is 502', async (t) => {
  let requests = 0
  const impostor = createServer(createSelfSigned(), (_incoming, answer) => {
    requests += 1
    answer.end()
  })
  impostor.on('upgrade', (_incoming, socket) => {
    requests += 1
    socket.destroy()
  })
  await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve))
  t.after(() => impostor.close())
  const address = `https://localhost:${(impostor.address() as AddressInfo).port}`
  const { url, port, mine } = await buildProxy(t, () => {}, { env: { API_ROUTES: `/api/x=${address}` } })
  assert.equal((await fetch(`${url}/api/x/1`, { headers: mine })).status, 502)
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/x/1`, { headers: mine }).on('error', () => {})
  const [, { statusCode }] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
  assert.equal(statusCode, 502)
  assert.equal(requests, 0)
})
