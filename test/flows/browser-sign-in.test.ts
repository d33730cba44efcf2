import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWorld } from '../support/world.ts'

for (const alg of ['EdDSA', 'HS256'] as const) {
  test(`a SPA signs in by fetch, with a request object signed by ${alg}`, async (t) => {
    const world = await createWorld(t, { alg })
    const browser = world.browser()
    assert.deepEqual(await browser.session(), { authenticated: false })

    const back = await browser.signIn('ada', 'return_to=/inbox?folder=1')
    assert.equal(back.status, 303)
    assert.equal(back.headers.get('location'), '/inbox?folder=1')

    const session = await browser.session()
    assert.equal(session.authenticated, true)
    assert.equal((session.user as { sub: string }).sub, 'ada')
  })
}
