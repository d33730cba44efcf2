import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createSeal } from '../../src/session/seal.ts'
import { sessionKey } from '../../src/session/session-keys.ts'
import { hasKeyOf, openMeta, openSession } from '../../src/session/stored-session.ts'
import { APP_QUERY, buildService, CANARIES, readRequestObject, type Service } from '../plugins/build-service.ts'
import { createSessionKey } from '../support/env.ts'

/** A service whose store holds one of everything, and all that must not be readable there. */
async function fill(t: TestContext): Promise<{ service: Service; secrets: string[]; credential: string }> {
  const service = await buildService(t)
  const { inject, signIn, cookieName, plant, sessions } = service
  const started = await inject({ url: '/auth/start?response=json&return_to=/canary-return' })
  const requestObject = readRequestObject((started.json() as { authorization_url: string }).authorization_url)
  const signedIn = await signIn()
  const credential = signedIn.cookies.find(({ name }) => name === cookieName)?.value ?? ''
  const session = await sessions.find(credential)
  assert.ok(session)
  await sessions.touch(session, { exact: true })
  const toApp = await signIn({ query: APP_QUERY })
  const logout = await inject({
    method: 'POST',
    url: '/auth/logout',
    headers: { origin: service.config.publicUrl, 'sec-fetch-mode': 'cors', cookie: `${cookieName}=${await plant()}` },
    payload: { return_to: '/canary-return' },
  })
  const { logout_url: logoutUrl } = logout.json() as { logout_url: string }
  const transactionCookie = started.cookies[0]?.value ?? ''
  const secrets = [
    ...Object.values(CANARIES),
    credential,
    credential.slice(2),
    transactionCookie,
    transactionCookie.split('.')[1] ?? '',
    String(requestObject.state),
    String(requestObject.nonce),
    String(requestObject.code_challenge),
    new URL(toApp.headers.location ?? '').searchParams.get('code') ?? '',
    new URL(logoutUrl).searchParams.get('ticket') ?? '',
    'canary-app-state',
    'canary-return',
    'idp-session-1',
    'ada',
  ]
  for (const secret of secrets) assert.ok(secret.length >= 3)
  return { service, secrets, credential }
}

/** A text with everything in it that base64url and hex would hide. */
const unfold = (text: string): string =>
  [
    text,
    ...text.split(/[^\w-]+/).flatMap((part) => ['base64url', 'hex'].map((encoding) => decode(part, encoding))),
  ].join()
const decode = (text: string, encoding: string): string =>
  Buffer.from(text, encoding as BufferEncoding).toString('latin1')

test('SC-05: a dump of the store shows no credential, no token, no code, no state, no user', async (t) => {
  const { service, secrets } = await fill(t)
  const dump = await service.store.dump()
  const kinds = new Set([...dump.keys()].map((key) => key.split(':')[0]))
  for (const kind of ['session', 'transaction', 'handoff', 'sign-out']) assert.ok(kinds.has(kind), kind)
  for (const [key, value] of dump) {
    const text = unfold(key) + unfold(value)
    for (const secret of secrets) assert.ok(!text.includes(secret), `${key} shows ${secret}`)
  }
})

test('SC-05: the whole store and SESSION_KEYS together open no record without its credential', async (t) => {
  const { service, credential } = await fill(t)
  const { seal } = service
  const dump = await service.store.dump()
  const purposes = ['session', 'session-use', 'transaction', 'handoff', 'sign-out'] as const
  const known = [...dump].flatMap(([key, value]) => [key, value, key.replace(/^[^:]*:/, ''), ...key.split(/[{}]/)])
  let opened = 0
  for (const sealed of dump.values()) {
    for (const guess of ['', ...known]) {
      for (const purpose of purposes) if (seal.open(purpose, guess, sealed) !== undefined) opened += 1
      for (const key of dump.keys())
        if (openSession(seal, { key, credential: guess }, sealed) !== undefined) opened += 1
    }
  }
  assert.equal(opened, 0)
  const key = sessionKey(credential)
  const own = [...dump.values()].filter((stored) => openSession(seal, { key, credential }, stored) !== undefined)
  assert.equal(own.length, 1)
})

test('SC-05: the whole store and a credential open no record without SESSION_KEYS', async (t) => {
  const { service, credential } = await fill(t)
  const dump = await service.store.dump()
  const key = sessionKey(credential)
  const stored = dump.get(key) ?? assert.fail('the session is not there')
  assert.ok(openSession(service.seal, { key, credential }, stored))
  const keyId = /2\.([\w-]{8})\./.exec(stored)?.[1] ?? assert.fail('no key is named')
  const stranger = createSeal(() => [{ id: keyId, key: Buffer.from(createSessionKey(), 'base64url') }])
  assert.ok(hasKeyOf(stranger, stored), 'it has a key of that name')
  assert.equal(openSession(stranger, { key, credential }, stored), undefined)
  assert.equal(openMeta(stranger, key, stored), undefined)
})

test("SC-05: one user's record, put under another's key, opens for neither", async (t) => {
  const { plant, store, inject, cookieName } = await buildService(t)
  const [alice, bob] = [await plant({ sub: 'alice' }), await plant({ sub: 'bob' })]
  const bobs = (await store.dump()).get(sessionKey(bob))
  assert.ok(bobs)
  await store.set(sessionKey(alice), bobs, 1000)
  const answer = await inject({ url: '/auth/session', headers: { cookie: `${cookieName}=${alice}` } })
  assert.deepEqual(answer.json(), { authenticated: false })
})

test('SC-06: after a rotation of SESSION_KEYS old sessions live on; without the old key they are over', async (t) => {
  const [oldKey, newKey] = [createSessionKey(), createSessionKey()]
  const before = await buildService(t, { env: { SESSION_KEYS: oldKey } })
  const credential = await before.plant()
  const ask = async (keys: string) => {
    const service = await buildService(t, { env: { SESSION_KEYS: keys }, store: before.store })
    const answer = await service.inject({
      url: '/auth/session',
      headers: { cookie: `${service.cookieName}=${credential}` },
    })
    return { service, authenticated: (answer.json() as { authenticated: boolean }).authenticated }
  }
  const rotated = await ask(`${newKey},${oldKey}`)
  assert.equal(rotated.authenticated, true)
  await rotated.service.plant()
  const ids = new Set([...(await before.store.dump()).values()].map((stored) => /2\.([\w-]{8})\./.exec(stored)?.[1]))
  assert.equal(ids.size, 2, 'what is new is sealed with the new key')
  assert.equal((await ask(newKey)).authenticated, false)
})
