import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Session } from '../../src/session/record.ts'
import { buildService, createTestStore, type Service, storeDown } from '../plugins/build-service.ts'
import { type EventSource, openEvents } from '../support/event-source.ts'
import { until } from '../support/until.ts'

async function build(t: TestContext, claims: Record<string, unknown> = {}) {
  const service = await buildService(t, { store: createTestStore(false) })
  await service.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = service.app.server.address() as AddressInfo
  const plant = async (): Promise<Session> => {
    const session = await service.sessions.find(await service.plant({ claims }))
    return session ?? assert.fail()
  }
  const session = await plant()
  const headersOf = ({ credential }: Session) => ({ cookie: `${service.cookieName}=${credential}` })
  const open = (of = session): Promise<EventSource> =>
    openEvents(t, `http://127.0.0.1:${port}/auth/events`, headersOf(of))
  /** A tab whose stream is about to open: its session was found, and is not listened to yet. */
  const openSlowly = async () => {
    const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const { subscribe } = service.store
    service.store.subscribe = async (...parts) => {
      asked.resolve()
      await released.promise
      return subscribe(...parts)
    }
    const opening = open()
    await asked.promise
    return async (): Promise<EventSource> => {
      released.resolve()
      return opening
    }
  }
  /** As after a refresh elsewhere: whoever listens looks again. */
  const makeLook = (of = session): Promise<void> =>
    service.store.publish('session-events', JSON.stringify([of.key, { type: 'refreshed' }]))
  return { service, port, session, plant, headersOf, open, openSlowly, makeLook }
}

async function assertOver(stream: EventSource, reason: string): Promise<void> {
  assert.equal(stream.status, 200)
  assert.deepEqual(await stream.next(), { event: 'ended', data: { reason } })
  assert.equal(await stream.next(), undefined)
}

for (const [how, reason, end] of [
  ['signed out', 'logout', ({ sessions }: Service, { key }: Session) => sessions.end(key, 'logout')],
  ['signed out by the IdP', 'backchannel', ({ sessions }, { key }) => sessions.end(key, 'backchannel')],
  ['ended by an operator', 'revoked', ({ sessions }, { key }) => sessions.end(key, 'revoked')],
  ['replaced by a newer sign-in', 'logout', ({ sessions }, { key }) => sessions.replace(key)],
  ['lost without a trace', 'revoked', ({ store }, { key }) => store.delete(key)],
  ['over by its idle limit', 'expired', ({ time }, { record }) => (time.now += record.idleS)],
  ['over by its absolute limit', 'expired', ({ time }, { record }) => (time.now = record.expiresAt)],
] as [string, string, (service: Service, session: Session) => unknown][]) {
  test(`contract §5: a session that is ${how} while its stream opens is told as ${reason}`, async (t) => {
    const { service, session, openSlowly } = await build(t)
    const release = await openSlowly()
    await end(service, session)
    await assertOver(await release(), reason)
  })
}

test('contract §5: why it ended is told of this session, though another of the same user ended otherwise', async (t) => {
  const { service, session, plant, open, openSlowly } = await build(t)
  const other = await plant()
  const release = await openSlowly()
  await service.sessions.end(other.key, 'backchannel')
  await service.sessions.end(session.key, 'logout')
  await assertOver(await release(), 'logout')
  assert.equal((await open(other)).status, 401)
})

test('SC-14: an end that was told to nobody is found by the next look, with its reason', async (t) => {
  const { service, session, open, makeLook } = await build(t)
  const stream = await open()
  assert.equal((await stream.next())?.event, 'session')
  const { publish } = service.store
  service.store.publish = async () => {} // As when the message is lost with a connection.
  await service.sessions.end(session.key, 'backchannel')
  service.store.publish = publish
  await makeLook()
  await assertOver(stream, 'backchannel')
})

test('SC-13: a store that is away during a look does not end the stream; what happens afterwards is told', async (t) => {
  const { service, session, open, makeLook } = await build(t)
  const { store } = service
  const stream = await open()
  const view = await stream.next()
  assert.equal(view?.event, 'session')
  const { get } = store
  store.get = () => Promise.reject(storeDown())
  await makeLook()
  await makeLook()
  await sleep(50)
  store.get = get
  await service.sessions.update(session, { ...session.record.tokens, accessTokenExpiresAt: service.time.now + 1800 })
  for (;;) {
    const heard = await stream.next()
    assert.equal(heard?.event, 'session', 'only views, old ones perhaps')
    if (heard.data.access_token_expires_in === 1800) break
  }
  await service.sessions.end(session.key, 'logout')
  await assertOver(stream, 'logout')
})

test('SC-10, SC-13: a store that is away does not lengthen a session: at its limit the stream is over', async (t) => {
  const { service, session, open, makeLook } = await build(t)
  const stream = await open()
  await stream.next()
  service.store.get = () => Promise.reject(storeDown())
  service.time.now = session.record.expiresAt
  await makeLook()
  await assertOver(stream, 'expired')
})

test('SC-13: when the reason cannot be read the session is over all the same', async (t) => {
  const { service, session, open, makeLook } = await build(t)
  const stream = await open()
  await stream.next()
  const { get } = service.store
  service.store.get = (key) => (key.startsWith('ended-') ? Promise.reject(storeDown()) : get(key))
  await service.store.delete(session.key)
  await makeLook()
  await assertOver(stream, 'revoked')
})

test('SC-13: with the store away no stream begins, and none is left over: it is 503', async (t) => {
  const { service, open } = await build(t)
  const { subscribe } = service.store
  service.store.subscribe = () => Promise.reject(storeDown())
  for (let attempt = 0; attempt < 25; attempt++) assert.equal((await open()).status, 503) // More than a session may have.
  service.store.subscribe = subscribe
  assert.equal((await (await open()).next())?.event, 'session')
})

test('a client that does not read is cut off once more than 64 KiB wait for it; others are not', async (t) => {
  const { service, port, session, headersOf, open, makeLook } = await build(t, { name: 'x'.repeat(200_000) })
  const reading = await open()
  const sent = request({ port, host: '127.0.0.1', path: '/auth/events', headers: headersOf(session), agent: false })
  sent.on('error', () => {})
  t.after(() => sent.destroy())
  const [deaf] = (await once(sent.end(), 'response')) as [IncomingMessage]
  deaf.on('error', () => {})
  deaf.pause()
  const connections = (): Promise<number> =>
    new Promise((resolve, reject) => {
      service.app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
    })
  assert.equal(await connections(), 2)
  await reading.next()
  // The system's own buffers take some megabytes first.
  for (let told = 0; told < 200 && (await connections()) === 2; told++) {
    await makeLook()
    assert.equal((await reading.next())?.event, 'session')
  }
  await until(async () => (await connections()) === 1, 2000)
  await service.sessions.end(session.key, 'logout')
  await assertOver(reading, 'logout')
})
