import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  buildService,
  CANARIES,
  createTestStore,
  PUBLIC_URL,
  storeDown,
  type TestStore,
} from '../plugins/build-service.ts'

/** A service whose store refuses to write what a test says, and whose IdP notes what it is shown. */
async function build(t: TestContext) {
  const inner = createTestStore(false)
  const broken = { key: '' }
  const store = new Proxy(inner, {
    get: (target, name: keyof TestStore) =>
      name !== 'set'
        ? target[name]
        : (key: string, value: string, ttlS: number) =>
            broken.key !== '' && key.startsWith(broken.key) ? Promise.reject(storeDown()) : inner.set(key, value, ttlS),
  })
  const revoked: string[] = []
  const revoke = async ({ token }: { token: string }): Promise<boolean> => {
    revoked.push(token)
    return true
  }
  const service = await buildService(t, { store, idp: { revoke } })
  const signOut = (credential: string) =>
    service.inject({
      method: 'POST',
      url: '/auth/logout',
      headers: { cookie: `${service.cookieName}=${credential}`, origin: PUBLIC_URL, 'sec-fetch-mode': 'cors' },
    })
  return { ...service, broken, revoked, signOut }
}

for (const key of ['sign-out:', 'ended-sid:']) {
  test(`LO-02: a sign-out for which the store cannot write ${key} is 503 with the session still there, and works again`, async (t) => {
    const { plant, broken, signOut, sessions } = await build(t)
    const credential = await plant()
    broken.key = key
    const failed = await signOut(credential)
    assert.equal(failed.statusCode, 503)
    assert.equal(failed.headers['set-cookie'], undefined)
    assert.ok(await sessions.find(credential))
    broken.key = ''
    const done = await signOut(credential)
    assert.equal(done.statusCode, 200)
    assert.match(String((done.json() as { logout_url: string }).logout_url), /\/auth\/logout\/continue\?ticket=/)
    assert.equal(await sessions.find(credential), undefined)
  })
}

test('LO-03: the tokens of a refresh that came between are revoked, not those of the time when the request began', async (t) => {
  const { plant, signOut, revoked, sessions } = await build(t)
  const credential = await plant()
  const session = await sessions.find(credential)
  assert.ok(session)
  await sessions.update(session, { ...session.record.tokens, refreshToken: 'rt-2', accessToken: 'at-2' })
  assert.equal((await signOut(credential)).statusCode, 200)
  assert.deepEqual(revoked, ['rt-2', 'at-2'])
})

test('TX-09: after a change of OTEN_ISSUER the new IdP sees no token of the old one; the session ends here', async (t) => {
  const { plant, signOut, revoked, sessions } = await build(t)
  const credential = await plant({ issuer: 'https://old.example' })
  const answer = await signOut(credential)
  assert.deepEqual(answer.json(), { logout_url: null })
  assert.deepEqual(revoked, [])
  assert.equal(await sessions.find(credential), undefined)
  assert.ok(CANARIES.refreshToken.length > 0)
})
