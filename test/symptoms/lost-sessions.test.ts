import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFleet } from '../support/fleet.ts'
import { askRedis, startRedis } from '../support/redis.ts'
import { createWorld } from '../support/world.ts'

test('memory: signs everybody out with each restart, and a second replica knows nobody; over Redis both know everybody', async (t) => {
  const redis = await startRedis(t)
  for (const [store, isKnown] of [
    ['memory:', false],
    [redis.url, true],
  ] as const) {
    const fleet = await startFleet(t, { store })
    const browser = fleet.browser()
    await browser.signIn('ada')
    const cookie = await browser.jar.getCookieString(fleet.publicUrl)
    const [first, second] = fleet.replicas
    const ask = async (url: string): Promise<unknown> =>
      ((await (await fetch(`${url}/auth/session`, { headers: { cookie } })).json()) as { authenticated: unknown })
        .authenticated
    assert.equal(await ask(first.url), true)
    assert.equal(await ask(second.url), isKnown, store)
    await first.end('SIGTERM')
    await first.start()
    assert.equal(await ask(first.url), isKnown, store)
  }
})

test('a full Redis that evicts signs people out, and one that does not keeps them', async (t) => {
  for (const [policy, isKept] of [
    ['allkeys-lru', false],
    ['noeviction', true],
  ] as const) {
    const { url, port } = await startRedis(t)
    const world = await createWorld(t, { env: { SESSION_STORE: url } })
    const browser = world.browser()
    await browser.signIn('ada')
    await askRedis(port, 'CONFIG', 'SET', 'maxmemory-policy', policy)
    await askRedis(port, 'CONFIG', 'SET', 'maxmemory', '1')
    await askRedis(port, 'SET', 'something', 'else')
    assert.equal((await browser.session()).authenticated, isKept, policy)
  }
})
