import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Store } from '../../src/store/store.ts'
import { storeDown } from '../plugins/build-service.ts'
import { assertDone, assertRefused, build, isSignedIn, signIn } from './build-backchannel-logout.ts'

type Verb = 'add' | 'get' | 'set' | 'delete' | 'members' | 'time'

/** A signed-in browser, the token that signs it out, and a store of which these verbs fail while it is away. */
async function prepare(t: TestContext) {
  const { world, sign, send } = await build(t)
  const { browser, sid } = await signIn(world, 'ada')
  const nowS = Math.floor(Date.now() / 1000)
  const token = sign({ sid, iat: nowS, exp: nowS + 120 })
  /** @returns brings them back */
  const takeAway = (...verbs: readonly Verb[]): (() => void) => {
    const mocks = verbs.map((verb) => t.mock.method(world.store, verb, () => Promise.reject(storeDown())))
    return () => {
      for (const { mock } of mocks) mock.restore()
    }
  }
  const reasons = () => world.events('backchannel_logout_refused').map(({ reason }) => reason)
  const ended = () => world.events('backchannel_logout').map((line) => line.ended)
  return { world, sign, send, browser, sid, token, takeAway, reasons, ended }
}

test('BL-09: while the store is away the answer is 400, and when it is back the same token signs the user out', async (t) => {
  const { send, browser, token, takeAway, reasons, ended } = await prepare(t)
  const bringBack = takeAway('add', 'get', 'set', 'delete', 'members', 'time')
  for (let attempt = 0; attempt < 3; attempt++) assertRefused(await send(token))
  bringBack()
  assertDone(await send(token))
  assert.equal(await isSignedIn(browser), false)
  assert.deepEqual(reasons(), Array(3).fill('could not be completed'))
  assert.deepEqual(ended(), [1])
})

for (const [what, verbs] of [
  ['the mark for sign-ins under way cannot be written', ['set']],
  ["the store's clock cannot be read", ['time']],
  ['the sessions cannot be found', ['members']],
] as const) {
  test(`BL-09: when ${what}, the answer is 400, and the same token works at once when that is over`, async (t) => {
    const { send, browser, token, takeAway, reasons } = await prepare(t)
    const bringBack = takeAway(...verbs)
    assertRefused(await send(token))
    bringBack()
    assertDone(await send(token))
    assert.equal(await isSignedIn(browser), false)
    assert.deepEqual(reasons(), ['could not be completed'])
  })
}

test('BL-09: when the store leaves half-way, so that not even the mark can be taken back, the token works after 30 s', async (t) => {
  const { world, send, browser, token, takeAway, reasons } = await prepare(t)
  const bringBack = takeAway('members', 'delete')
  assertRefused(await send(token))
  bringBack()
  world.advance(29)
  assertRefused(await send(token))
  assert.equal(await isSignedIn(browser), true)
  world.advance(2)
  assertDone(await send(token))
  assert.equal(await isSignedIn(browser), false)
  assert.deepEqual(reasons(), ['could not be completed', 'replayed'])
})

test('BL-09: when one of several sessions could not be ended it is 400, and the same token ends the rest', async (t) => {
  const { world, sign, send } = await build(t)
  const browsers = [(await signIn(world, 'ada')).browser, (await signIn(world, 'ada')).browser]
  const token = sign({ sub: 'ada' })
  const take: Store['take'] = world.store.take
  let takes = 0
  const mock = t.mock.method(world.store, 'take', (key: string) => {
    const isRecord = /^session:\{[^}]+\}$/.test(key)
    return isRecord && ++takes === 2 ? Promise.reject(storeDown()) : take.call(world.store, key)
  })
  assertRefused(await send(token))
  mock.mock.restore()
  assertDone(await send(token))
  for (const browser of browsers) assert.equal(await isSignedIn(browser), false)
})

test('BL-07: a token that was carried out is a replay for the rest of its life, and for as long as a slow clock believes it', async (t) => {
  const { world, send, token, reasons, ended } = await prepare(t)
  assertDone(await send(token))
  const steps = [0, 29, 2, 60, 28, 26] // 145 s in all: it lives 120 s, and 30 s more where our clock is ahead.
  for (const seconds of steps) {
    world.advance(seconds)
    assertRefused(await send(token))
  }
  assert.deepEqual(reasons(), Array(steps.length).fill('replayed'))
  assert.deepEqual(ended(), [1])
})

test('BL-07: a token that could not be carried out is not remembered as carried out when it comes twice at once', async (t) => {
  const { send, browser, token, takeAway } = await prepare(t)
  const bringBack = takeAway('members')
  for (const answer of await Promise.all([send(token), send(token), send(token)])) assertRefused(answer)
  bringBack()
  const statuses = (await Promise.all([send(token), send(token), send(token)])).map(({ status }) => status)
  assert.deepEqual(statuses.toSorted(), [200, 400, 400])
  assert.equal(await isSignedIn(browser), false)
})
