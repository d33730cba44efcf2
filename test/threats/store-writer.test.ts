import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { createSeal } from '../../src/session/seal.ts'
import { sessionKey, usedKey } from '../../src/session/session-keys.ts'
import { openMeta, openSession, sealSession } from '../../src/session/stored-session.ts'
import { buildService, newSession, type Service } from '../plugins/build-service.ts'
import { createSessionKey } from '../support/env.ts'
import { openEvents } from '../support/event-source.ts'
import { askRedis, startRedis } from '../support/redis.ts'
import { createWorld } from '../support/world.ts'

const isSignedIn = async ({ inject, cookieName }: Service, credential: string): Promise<unknown> => {
  const answer = await inject({ url: '/auth/session', headers: { cookie: `${cookieName}=${credential}` } })
  return (answer.json() as { authenticated: boolean }).authenticated
}

/** Where in a stored session the part that a list shows ends. */
const findSecondPart = (stored: string): number => 3 + Buffer.from(stored, 'latin1').readUIntBE(0, 3)

const credentialOf = (): string => `b_${randomBytes(32).toString('base64url')}`

test('who may write to the store, and has no SESSION_KEYS, makes no session: not by a record of theirs, nor by that of another', async (t) => {
  const service = await buildService(t)
  const { store, plant, time } = service
  const adas = await plant({ sub: 'ada' })
  const own = credentialOf()
  const record = {
    generation: 1,
    id: 'x',
    ...newSession(time.now, { sub: 'root' }),
    createdAt: time.now,
    expiresAt: time.now + 9000,
    idleS: 9000,
  }
  const stolen = (await store.dump()).get(sessionKey(adas)) ?? ''
  const [, keyId = ''] = /2\.([\w-]{8})\./.exec(stolen) ?? assert.fail('no key is named')
  const forging = createSeal(() => [{ id: keyId, key: Buffer.from(createSessionKey(), 'base64url') }])
  const attempts = [
    JSON.stringify(record),
    Buffer.from(JSON.stringify(record)).toString('base64url'),
    sealSession(forging, { key: sessionKey(own), credential: own, record }),
    stolen,
    `2.${keyId}.${JSON.stringify(record)}`,
    '',
    '2..',
    '\0\0\0',
    '\xff\xff\xff',
    stolen + stolen,
  ]
  for (const value of attempts) {
    await store.set(sessionKey(own), value, 9000)
    await store.set(usedKey(sessionKey(own)), value, 9000)
    assert.equal(await isSignedIn(service, own), false, value.slice(0, 40))
  }
  assert.equal(await isSignedIn(service, adas), true)
})

test('who may write to the store, and has SESSION_KEYS too, changes no session: not its user, nor its limits', async (t) => {
  const service = await buildService(t)
  const { store, seal, plant, time, sessions } = service
  const credential = await plant({ sub: 'ada' })
  const key = sessionKey(credential)
  const stored = (await store.get(key)) ?? assert.fail('the session is not there')
  const { record } = (await sessions.find(credential)) ?? assert.fail('the session does not open')
  // What a list shows is sealed under the keys alone, so whoever has them can make one.
  const rootForEver = { ...record, sub: 'root', expiresAt: time.now + 1e9, idleS: 1e9 }
  const made = sealSession(seal, { key, credential: credentialOf(), record: rootForEver })
  const forged = made.slice(0, findSecondPart(made)) + stored.slice(findSecondPart(stored))
  assert.equal(openMeta(seal, key, forged)?.sub, 'root')
  assert.equal(openSession(seal, { key, credential }, forged), undefined)
  await store.set(key, forged, 9000)
  assert.equal(await isSignedIn(service, credential), false)
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
