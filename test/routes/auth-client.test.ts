import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { createWorld, SPA } from '../support/world.ts'

const URL_PATH = '/auth/client.js'
const committed = readFileSync(new URL('../../client/dist/client.js', import.meta.url), 'utf8')

/** As a browser fetches a module: with CORS and without the cookies of another origin, wherever the page is. */
const moduleFrom = (site: string, origin?: string) => ({
  'sec-fetch-dest': 'script',
  'sec-fetch-mode': 'cors',
  'sec-fetch-site': site,
  ...(origin !== undefined && { origin }),
})

test('GET /auth/client.js: the committed module, as JavaScript, not stored', async (t) => {
  const world = await createWorld(t)
  const answer = await world.browser().request(URL_PATH, { headers: moduleFrom('same-origin') })
  assert.equal(answer.status, 200)
  assert.equal(answer.text, committed)
  assert.equal(answer.headers.get('content-type'), 'text/javascript; charset=utf-8')
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
  assert.equal(answer.headers.get('referrer-policy'), 'no-referrer')
  assert.deepEqual(answer.setCookies, [])
})

test('pages of allowed origins may run it, pages of others may not; nobody includes it as a plain script', async (t) => {
  const world = await createWorld(t)
  for (const origin of [SPA, world.publicUrl]) {
    const { status, headers } = await world.browser().request(URL_PATH, { headers: moduleFrom('same-site', origin) })
    assert.equal(status, 200)
    assert.equal(headers.get('access-control-allow-origin'), origin)
    assert.match(headers.get('vary') ?? '', /\bOrigin\b/)
  }
  for (const origin of ['http://localhost:5174', 'https://elsewhere.example', 'null']) {
    const { headers } = await world.browser().request(URL_PATH, { headers: moduleFrom('cross-site', origin) })
    assert.equal(headers.get('access-control-allow-origin'), null, origin)
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
  }
})

test('it is public: a dead cookie is neither looked at nor cleared, and a signed-in user gets the same', async (t) => {
  const world = await createWorld(t)
  const browser = world.browser()
  await browser.signIn('ada')
  assert.equal((await browser.request(URL_PATH)).text, committed)
  const stranger = await world.browser().request(URL_PATH, { headers: { cookie: `oten_session=${'x'.repeat(43)}` } })
  assert.equal(stranger.status, 200)
  assert.deepEqual(stranger.setCookies, [])
})

test('other methods are 405', async (t) => {
  const world = await createWorld(t)
  for (const method of ['POST', 'HEAD', 'DELETE']) {
    const answer = await world.browser().request(URL_PATH, { method, headers: { origin: world.publicUrl } })
    assert.equal(answer.status, 405, method)
    assert.equal(answer.headers.get('allow'), 'GET')
  }
})
