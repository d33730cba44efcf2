import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestStore, storeDown } from '../plugins/build-service.ts'
import { createWorld, SPA } from '../support/world.ts'
import { openClient, startAnswers } from './page.ts'

const OK = [200, 'fine'] as const
const REFUSED = [401, 'not you'] as const

/** The service with an API behind it that answers as told, and a page on which ada is signed in. */
async function open(t: import('node:test').TestContext, answer: Parameters<typeof startAnswers>[1]) {
  const api = await startAnswers(t, answer)
  const store = createTestStore(false)
  const world = await createWorld(t, { alg: 'HS256', store, env: { API_ROUTES: `/api/orders=${api.url}` } })
  const page = await openClient(t, world)
  await page.browser.signIn('ada')
  return { ...page, api, store, world }
}

test('a path is one of the service, wherever the page is, and goes there with the session', async (t) => {
  const { client, sent, api, world } = await open(t, () => OK)
  const response = await client.fetch('/api/orders?open=true', { headers: { accept: 'text/plain' } })
  assert.equal(await response.text(), 'fine')
  assert.deepEqual(sent, [{ url: `${world.publicUrl}/api/orders?open=true`, method: 'GET', credentials: 'include' }])
  assert.match(String(api.seen[0]?.headers.authorization), /^Bearer ./)
  assert.equal(api.seen[0]?.headers.accept, 'text/plain')
})

test('a call that is refused though the session lives is made once more, with its body', async (t) => {
  const { client, api } = await open(t, (calls) => (calls === 1 ? REFUSED : OK))
  const response = await client.fetch('/api/orders', { method: 'POST', body: '{"pieces":2}' })
  assert.equal(response.status, 200)
  assert.deepEqual(
    api.seen.map(({ body }) => body),
    ['{"pieces":2}', '{"pieces":2}'],
  )
})

test('it is made once more, not again and again', async (t) => {
  const { client, api } = await open(t, () => REFUSED)
  const response = await client.fetch('/api/orders')
  assert.equal(response.status, 401)
  assert.equal(await response.text(), 'not you')
  assert.equal(api.seen.length, 2)
})

test('a body that can be sent only once is sent once: a stream, and that of a Request', async (t) => {
  const { client, api, world } = await open(t, () => REFUSED)
  const stream = new Response('once').body
  const streamed = await client.fetch('/api/orders', { method: 'POST', body: stream, duplex: 'half' } as RequestInit)
  assert.equal(streamed.status, 401)
  assert.equal(api.seen.length, 1)
  const request = new Request(`${world.publicUrl}/api/orders`, { method: 'POST', body: 'once' })
  assert.equal((await client.fetch(request)).status, 401)
  assert.equal(api.seen.length, 2)
  await client.fetch(new Request(`${world.publicUrl}/api/orders`))
  assert.equal(api.seen.length, 4, 'a Request without a body')
})

test('a call after the end of the session is made once, and its 401 is the answer', async (t) => {
  const { client, sent, browser, api, world } = await open(t, () => OK)
  await browser.fetch('/auth/logout', { method: 'POST', origin: SPA })
  const response = await client.fetch('/api/orders')
  assert.equal(response.status, 401)
  assert.equal(((await response.json()) as { error: string }).error, 'unauthenticated')
  assert.deepEqual(
    sent.map(({ url }) => url.slice(world.publicUrl.length)),
    ['/api/orders', '/auth/session'],
  )
  assert.equal(api.seen.length, 0)
})

test('a call of one user is not made once more for another who has signed in meanwhile', async (t) => {
  const { client, browser, api } = await open(t, () => REFUSED)
  await client.getSession()
  await browser.signIn('grace')
  assert.equal((await client.fetch('/api/orders', { method: 'DELETE' })).status, 401)
  assert.equal(api.seen.length, 1)
})

test('when the service cannot say whether the session lives, the 401 is the answer', async (t) => {
  const { client, api, store } = await open(t, () => {
    store.fault = storeDown()
    return REFUSED
  })
  const response = await client.fetch('/api/orders')
  assert.equal(response.status, 401)
  assert.equal(await response.text(), 'not you')
  assert.equal(api.seen.length, 1)
})

test('another origin gets no cookie by this, and its 401 says nothing about the session', async (t) => {
  const { client, sent } = await open(t, () => OK)
  const elsewhere = await startAnswers(t, () => REFUSED)
  assert.equal((await client.fetch(`${elsewhere.url}/api/orders`)).status, 401)
  assert.equal((await client.fetch(new Request(`${elsewhere.url}/`))).status, 401)
  assert.deepEqual(
    sent.map(({ url, credentials }) => [new URL(url).origin, credentials]),
    Array.from({ length: 2 }, () => [elsewhere.url, 'same-origin']),
  )
  assert.equal(elsewhere.seen[0]?.headers.cookie, undefined)
})

test('on the origin of the service itself, an API that redirects elsewhere takes no cookies of that place along', async (t) => {
  const { client, sent } = await open(t, () => OK)
  client.configure({ url: SPA }) // Where the page is; nobody is there to answer.
  await assert.rejects(client.fetch('/api/orders'), { name: 'TypeError' })
  await assert.rejects(client.getSession(), { status: 0 })
  assert.deepEqual(
    sent.map(({ url, credentials }) => [url, credentials]),
    [
      [`${SPA}/api/orders`, 'same-origin'],
      [`${SPA}/auth/session`, 'same-origin'],
    ],
  )
})
