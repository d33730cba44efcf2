import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startCluster } from '../store/redis-topologies.ts'
import { openEvents } from '../support/event-source.ts'
import { startFleet } from '../support/fleet.ts'
import { askRedis } from '../support/redis.ts'

test('over a Redis Cluster of three nodes: sign-in, refresh, list, events and sign-out, across two replicas', async (t) => {
  const { url, servers } = await startCluster(t)
  const fleet = await startFleet(t, { store: url, env: { ADMIN_TOKEN: 'canary-admin-token-of-sufficient-length' } })
  const [first, second] = fleet.replicas
  const browsers = await Promise.all(
    Array.from({ length: 12 }, async (_, n) => {
      const browser = fleet.browser()
      assert.equal((await browser.signIn(`user-${n % 4}`)).status, 303)
      return browser
    }),
  )
  const places = await Promise.all(servers.map(({ port }) => askRedis(port, 'DBSIZE')))
  assert.ok(
    places.every((size) => Number(size) > 0),
    'every node has some of it',
  )
  const [ada = assert.fail(), other = assert.fail()] = [browsers[0], browsers[4]] // Both are user-0.
  const cookie = await other.jar.getCookieString(fleet.publicUrl)
  const events = await openEvents(t, `${second.url}/auth/events`, { cookie })
  assert.equal((await events.next())?.event, 'session')
  const refreshed = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      other.fetch(`${n % 2 === 0 ? first.url : second.url}/auth/refresh`, { method: 'POST' }),
    ),
  )
  assert.deepEqual(new Set(refreshed.map(({ status }) => status)), new Set([200]))
  assert.equal((await events.next())?.event, 'session')
  const { sessions } = (await ada.fetch(`${second.url}/auth/sessions`)).json() as { sessions: unknown[] }
  assert.equal(sessions.length, 3)
  assert.deepEqual((await ada.fetch(`${first.url}/auth/sessions`, { method: 'DELETE' })).json(), { ended: 2 })
  for (;;) {
    const heard = await events.next()
    if (heard?.event === 'session') continue // Of one more of the refreshes.
    assert.deepEqual(heard, { event: 'ended', data: { reason: 'revoked' } })
    break
  }
  const ended = await fetch(`${second.adminUrl}/admin/sessions/end`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer canary-admin-token-of-sufficient-length',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ all: true }),
  })
  assert.deepEqual(await ended.json(), { ended: 10 })
  for (const browser of browsers) assert.deepEqual(await browser.session(), { authenticated: false })
})
