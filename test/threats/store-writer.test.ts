import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { createSeal } from '../../src/session/seal.ts'
import { metaKey, sessionKey, usedKey } from '../../src/session/session-keys.ts'
import { buildService, newSession, type Service } from '../plugins/build-service.ts'
import { createSessionKey } from '../support/env.ts'
import { openEvents } from '../support/event-source.ts'
import { askRedis, startRedis } from '../support/redis.ts'
import { createWorld } from '../support/world.ts'

const isSignedIn = async ({ inject, cookieName }: Service, credential: string): Promise<unknown> => {
  const answer = await inject({ url: '/auth/session', headers: { cookie: `${cookieName}=${credential}` } })
  return (answer.json() as { authenticated: boolean }).authenticated
}

const credentialOf = (): string => `b_${randomBytes(32).toString('base64url')}`

test('who may write to the store, and has no SESSION_KEYS, makes no session: not by a record of theirs, nor by that of another', async (t) => {
  const service = await buildService(t)
  const { store, plant, time } = service
  const adas = await plant({ sub: 'ada' })
  const own = credentialOf()
  const record = {
    version: 1,
    generation: 1,
    id: 'x',
    ...newSession(time.now, { sub: 'root' }),
    createdAt: time.now,
    expiresAt: time.now + 9000,
    idleS: 9000,
  }
  const stolen = (await store.dump()).get(sessionKey(adas)) ?? ''
  const keyId = stolen.split('.')[1] ?? ''
  assert.match(keyId, /^[\w-]{8}$/)
  const forged = createSeal(() => [{ id: keyId, key: Buffer.from(createSessionKey(), 'base64url') }])
  const attempts = [
    JSON.stringify(record),
    Buffer.from(JSON.stringify(record)).toString('base64url'),
    forged.seal('session', own, JSON.stringify(record)),
    stolen,
    `1.${keyId}.${Buffer.from(JSON.stringify(record)).toString('base64url')}`,
    '',
    '1..',
    `${stolen}.${stolen}`,
  ]
  for (const value of attempts) {
    await store.set(sessionKey(own), value, 9000)
    await store.set(usedKey(sessionKey(own)), value, 9000)
    await store.set(metaKey(sessionKey(own)), value, 9000)
    assert.equal(await isSignedIn(service, own), false, value.slice(0, 40))
  }
  assert.equal(await isSignedIn(service, adas), true)
})

test('who may write to the store can put the record of an ended session back, and then its credential opens it again, no longer than its limits', async (t) => {
  const { store, plant, sessions, time } = await buildService(t)
  const credential = await plant()
  const before = await store.dump()
  await sessions.end(sessionKey(credential), 'logout')
  assert.equal(await sessions.find(credential), undefined)
  for (const [key, value] of before) if (key.startsWith('session:')) await store.set(key, value, 100_000)
  assert.equal((await sessions.find(credential))?.record.sub, 'ada')
  time.now += 3600
  assert.equal(await sessions.find(credential), undefined)
})

/** The service over a Redis that somebody else may write to, and a page that listens. */
async function openWorld(t: TestContext) {
  const redis = await startRedis(t)
  const world = await createWorld(t, { env: { SESSION_STORE: redis.url } })
  const browser = world.browser()
  assert.equal((await browser.signIn('ada')).status, 303)
  const cookie = await browser.jar.getCookieString(world.publicUrl)
  const events = await openEvents(t, `${world.publicUrl}/auth/events`, { cookie, 'sec-fetch-site': 'same-origin' })
  assert.equal((await events.next())?.event, 'session')
  return { redis, world, browser, events }
}

test('SC-13: messages and values that are not ours, written to Redis by somebody else, end neither the process nor a session', async (t) => {
  const { redis, world, browser, events } = await openWorld(t)
  const channel = 'oten-bff:0:session-events'
  const messages = [
    'garbage',
    '{}',
    'null',
    '[]',
    '[null]',
    '["x"]',
    '["session:{x}",null]',
    '["session:{x}",{"type":"other"}]',
    '"\\u0000"',
  ]
  for (const message of messages) assert.equal(await askRedis(redis.port, 'PUBLISH', channel, message), '1', message)
  for (const key of ['ended-all', 'ended-sub:{x}', 'user:{x}', 'time']) {
    await askRedis(redis.port, 'SET', `oten-bff:${key}`, 'garbage')
  }
  assert.equal((await browser.session()).authenticated, true)
  assert.equal((await browser.fetch('/auth/sessions')).status, 200)
  await browser.fetch('/auth/sessions', { method: 'DELETE' })
  assert.equal((await browser.fetch('/auth/logout', { method: 'POST' })).status, 200)
  assert.equal((await events.next())?.event, 'ended', 'the stream still hears what is ours')
  assert.equal((await world.browser().session()).authenticated, false)
})
