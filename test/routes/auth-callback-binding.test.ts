import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createService } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import {
  type AtCallback,
  countTokenRequests,
  openBrowser,
  parseSetCookie,
  reachCallback,
  readRequestObject,
  sendPlain,
  withParameters,
} from '../flows/steps.ts'
import { baseEnv, createKey } from '../support/env.ts'
import { createWorld } from '../support/world.ts'

/** The one transaction cookie of a browser that has one sign-in in flight. */
const findTransactionCookie = async ({ browser, url }: AtCallback) =>
  (await browser.jar.getCookies(url.origin)).find(({ key }) => key.startsWith('oten_tx_'))

test('CB-01: a callback without the cookie of its transaction gets 400, and no request leaves for the IdP', async (t) => {
  const world = await createWorld(t)
  const { browser, url } = await reachCallback(world)

  const stranger = await openBrowser(world).navigate(url.href)
  assert.equal(stranger.status, 400)
  assert.equal(stranger.location, null)
  assert.equal(countTokenRequests(world), 0)

  const owner = await browser.navigate(url.href)
  assert.equal(owner.status, 303, 'a stranger must not be able to burn the sign-in')
  assert.equal((await browser.session()).authenticated, true)
})

test('CB-01: another value in the cookie, or the cookie of another transaction, gets 400', async (t) => {
  const world = await createWorld(t)
  const arrived = await reachCallback(world)
  const { browser, url } = arrived
  const cookie = await findTransactionCookie(arrived)
  const other = await reachCallback(world)
  const otherCookie = await findTransactionCookie(other)
  for (const value of ['', 'x', `${cookie?.value}x`, cookie?.value.slice(0, -1), otherCookie?.value]) {
    const answer = await sendPlain(world, url.href, { headers: { cookie: `${cookie?.key}=${value}` } })
    assert.equal(answer.status, 400)
  }
  assert.equal(countTokenRequests(world), 0)
  assert.equal((await browser.navigate(url.href)).status, 303)
})

test('CB-01: the cookie sent twice gets 400: nothing tells which is the real one', async (t) => {
  const world = await createWorld(t)
  const arrived = await reachCallback(world)
  const { url } = arrived
  const cookie = await findTransactionCookie(arrived)
  const pair = `${cookie?.key}=${cookie?.value}`
  const answer = await sendPlain(world, url.href, { headers: { cookie: `${pair}; ${cookie?.key}=planted` } })
  assert.equal(answer.status, 400)
  assert.equal(countTokenRequests(world), 0)
})

test('CB-01: with the cookie, but without the state, with an empty one or with another, it is 400', async (t) => {
  const world = await createWorld(t)
  const { browser, url } = await reachCallback(world)
  for (const state of [undefined, '', 'x', `${url.searchParams.get('state')}x`]) {
    const answer = await browser.navigate(withParameters(url, { state }))
    assert.equal(answer.status, 400)
  }
  assert.equal(countTokenRequests(world), 0)
  assert.equal((await browser.navigate(url.href)).status, 303)
})

test('CB-02: of 20 identical callbacks at once exactly one signs in, with exactly one token request', async (t) => {
  const world = await createWorld(t)
  const { browser, url } = await reachCallback(world)
  const answers = await Promise.all(Array.from({ length: 20 }, () => browser.navigate(url.href)))
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [303, ...Array.from({ length: 19 }, () => 400)])
  assert.equal(answers.filter(({ setCookies }) => setCookies.some((c) => /^oten_session=b_/.test(c))).length, 1)
  assert.equal(countTokenRequests(world), 1)
})

test('CB-02: a callback that was already finished gets 400 with a link to start again', async (t) => {
  const world = await createWorld(t)
  const { browser, url, replay } = await reachCallback(world)
  assert.equal((await browser.navigate(url.href)).status, 303)
  const again = await replay()
  assert.equal(again.status, 400)
  assert.match(again.text, /<a [^>]*href="\/auth\/start"/)
  assert.equal(countTokenRequests(world), 1)
})

for (const [seconds, status] of [
  [595, 303],
  [600, 400],
] as const) {
  test(`CB-02: ${seconds} seconds after its start a sign-in ends with ${status}`, async (t) => {
    const world = await createWorld(t)
    const { browser, url } = await reachCallback(world)
    world.advance(seconds)
    assert.equal((await browser.navigate(url.href)).status, status)
    assert.equal(countTokenRequests(world), status === 303 ? 1 : 0)
  })
}

test('ER-06: unknown, foreign, used and expired transactions look the same from outside', async (t) => {
  const world = await createWorld(t)
  const { browser, url, replay } = await reachCallback(world)
  const late = await reachCallback(world)
  await browser.navigate(url.href)
  world.advance(601)
  const answers = [
    await replay(),
    await late.browser.navigate(late.url.href),
    await openBrowser(world).navigate(late.url.href),
    await openBrowser(world).navigate(withParameters(late.url, { state: 'A'.repeat(43) })),
  ]
  const shapes = answers.map(({ status, headers, setCookies, text }) => [
    status,
    headers.get('content-type'),
    headers.get('content-security-policy'),
    text.replace(/<code>[^<]+<\/code>/, ''),
    setCookies.map((line) => line.replace(/oten_tx_[\w-]{8}/, '')),
  ])
  for (const shape of shapes) assert.deepEqual(shape, shapes[0])
})

for (const [outcome, parameters, owner] of [
  ['signed in', {}, true],
  ['refused by the IdP', { code: undefined, error: 'access_denied' }, true],
  ['refused by a check', { iss: 'https://impostor.example' }, true],
  ['of a stranger', {}, false],
] as const) {
  test(`SC-12: a callback that is ${outcome} deletes its transaction cookie`, async (t) => {
    const world = await createWorld(t)
    const arrived = await reachCallback(world)
    const { browser, url } = arrived
    const cookie = await findTransactionCookie(arrived)
    const answer = await (owner ? browser : openBrowser(world)).navigate(withParameters(url, parameters))
    const deleted = answer.setCookies.map(parseSetCookie).find(({ name }) => name === cookie?.key)
    assert.equal(deleted?.value, '')
    assert.equal(deleted?.attributes.get('max-age'), '0')
    if (owner) assert.equal(await findTransactionCookie(arrived), undefined, 'the browser really dropped it')
  })
}

test('SC-12: on https the transaction cookie is deleted with the name and attributes it was set with', async (t) => {
  const world = await createWorld(t)
  const env = {
    PUBLIC_URL: 'https://bff.example',
    OTEN_ISSUER: 'https://idp.example',
    JAR_KEYS: createKey().privateJwk,
  }
  const { store, idp } = world
  const now = (): number => Date.now() / 1000
  const { log } = createLog('silent')
  const { app } = await createService({ config: loadConfig({ ...baseEnv(), ...env }), store, idp, log, now })
  t.after(() => app.close())

  const started = await app.inject({ url: '/auth/start', headers: { accept: 'application/json' } })
  const set = parseSetCookie(String(started.headers['set-cookie']))
  assert.match(set.name, /^__Host-Http-oten_tx_[A-Za-z0-9_-]{8}$/)
  const attributes = { path: '/', httponly: '', secure: '', samesite: 'Lax' }
  assert.deepEqual(Object.fromEntries(set.attributes), { ...attributes, 'max-age': '600' })

  const { state } = readRequestObject(started.json().authorization_url)
  const query = new URLSearchParams({ state: String(state), error: 'access_denied', iss: world.simulator.issuer })
  const answer = await app.inject({ url: `/auth/callback?${query}`, cookies: { [set.name]: set.value } })
  assert.equal(answer.headers.location, '/?auth_error=access_denied')
  const deleted = parseSetCookie(String(answer.headers['set-cookie']))
  assert.deepEqual([deleted.name, deleted.value], [set.name, ''])
  assert.deepEqual(Object.fromEntries(deleted.attributes), { ...attributes, 'max-age': '0' })
})
