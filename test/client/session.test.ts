import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestStore, storeDown } from '../plugins/build-service.ts'
import { createWorld, getFreePort } from '../support/world.ts'
import { openClient, startAnswers } from './page.ts'

test('getSession: nobody, then the view of who is signed in', async (t) => {
  const world = await createWorld(t, { alg: 'HS256' })
  const { client, browser } = await openClient(t, world)
  assert.deepEqual(await client.getSession(), { authenticated: false })
  await browser.signIn('ada')
  const session = await client.getSession()
  assert.ok(session.authenticated)
  assert.equal(session.user.sub, 'ada')
  assert.equal(session.session_id, (await browser.session()).session_id)
})

test('to ask does not keep a session alive; to say that the user is there does', async (t) => {
  const world = await createWorld(t, { alg: 'HS256' })
  const { client, browser } = await openClient(t, world)
  await browser.signIn('ada')
  const idleS = async (touch: boolean): Promise<number> => {
    const session = await client.getSession({ touch })
    return session.authenticated ? session.idle_expires_in : 0
  }
  world.advance(1000)
  assert.ok((await idleS(false)) <= 2600)
  assert.ok((await idleS(true)) > 3590)
})

test('calls at the same time share one request, but one that touches is not answered by one that does not', async (t) => {
  const world = await createWorld(t, { alg: 'HS256' })
  const { client, sent } = await openClient(t, world)
  const asked = (): string[] => sent.splice(0).map(({ url }) => url.slice(world.publicUrl.length))
  await Promise.all(Array.from({ length: 20 }, () => client.getSession()))
  assert.deepEqual(asked(), ['/auth/session'])
  await Promise.all([client.getSession(), client.getSession({ touch: true }), client.getSession()])
  assert.deepEqual(asked(), ['/auth/session', '/auth/session?touch=true'])
  await client.getSession()
  assert.deepEqual(asked(), ['/auth/session'], 'an answer is not kept')
})

test('a service that cannot say throws: with its code, the id of its log, and when to come back', async (t) => {
  const store = createTestStore(false)
  const world = await createWorld(t, { alg: 'HS256', store })
  const { client, browser } = await openClient(t, world)
  await browser.signIn('ada')
  store.fault = storeDown()
  const error = await client.getSession().then(
    () => assert.fail('it says who is signed in'),
    (cause: unknown) => cause,
  )
  assert.ok(error instanceof client.BffError)
  const { name, status, code, errorId = '', retryAfterS = 0 } = error
  assert.deepEqual({ name, status, code }, { name: 'BffError', status: 503, code: 'store_unavailable' })
  assert.ok(retryAfterS > 0)
  assert.ok(world.logs.some((line) => line.includes(`"request_id":"${errorId}"`) && errorId !== ''))
  store.fault = undefined
  assert.ok((await client.getSession()).authenticated, 'the next question is a new one')
})

test('no answer at all throws with status 0', async (t) => {
  const { client } = await openClient(t, { publicUrl: `http://127.0.0.1:${await getFreePort()}` })
  await assert.rejects(client.getSession(), { name: 'BffError', status: 0, code: 'no_answer', retryAfterS: undefined })
})

for (const status of [200, 502]) {
  test(`what a proxy in front says by itself, with ${status}, is no answer of the service`, async (t) => {
    const { url } = await startAnswers(t, () => [status, '<h1>Under maintenance</h1>'])
    const { client } = await openClient(t, { publicUrl: url })
    await assert.rejects(client.getSession(), { name: 'BffError', status, code: 'no_answer', errorId: undefined })
  })
}
