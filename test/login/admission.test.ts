import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { admit } from '../../src/login/admission.ts'
import { createSignOutMarks } from '../../src/session/sign-out-marks.ts'
import { buildService, CANARIES, newSession, storeDown } from '../plugins/build-service.ts'

async function build(t: TestContext) {
  const { sessions, store, time } = await buildService(t)
  const marks = createSignOutMarks(store)
  const revoked: string[] = []
  const hints: string[] = []
  const idp = {
    revoke: async ({ token, tokenTypeHint }: { token: string; tokenTypeHint: string }) => {
      revoked.push(token)
      hints.push(tokenTypeHint)
      return true
    },
  }
  const live = async () => (await sessions.list(newSession(0).issuer, 'ada')).length
  return { deps: { sessions, marks, idp }, store, time, marks, revoked, hints, live, input: newSession(time.now) }
}

const yes = async (): Promise<undefined> => undefined

test('a finished sign-in gets its session', async (t) => {
  const { deps, store, input, live, revoked } = await build(t)
  const admission = await admit(deps, input, await store.time(), yes)
  assert.ok(admission.kind === 'admitted')
  assert.equal(admission.session.record.sub, 'ada')
  assert.equal(await live(), 1)
  assert.deepEqual(revoked, [])
})

test('BL-13: who was signed out meanwhile is not admitted: the session is gone, and its tokens with it', async (t) => {
  const { deps, store, input, live, marks, revoked } = await build(t)
  const startedAtUs = await store.time()
  await marks.markSub(input.issuer, input.sub)
  const confirm = t.mock.fn(yes)
  assert.deepEqual(await admit(deps, input, startedAtUs, confirm), {
    kind: 'refused',
    reason: 'logged_out_meanwhile',
  })
  assert.equal(confirm.mock.callCount(), 0)
  assert.equal(await live(), 0)
  assert.deepEqual(revoked, [CANARIES.refreshToken, CANARIES.accessToken])
})

test('LO-03: the IdP is told what kind of token it revokes, and asked for no refresh token where there is none', async (t) => {
  const { deps, store, input, revoked, hints } = await build(t)
  await admit(deps, input, await store.time(), async () => 'redeemed_twice')
  assert.deepEqual(hints, ['refresh_token', 'access_token'])
  const { refreshToken: _none, ...tokens } = input.tokens
  await admit(deps, { ...input, tokens }, await store.time(), async () => 'redeemed_twice')
  assert.deepEqual(hints.slice(2), ['access_token'])
  assert.ok(!revoked.includes(undefined as never))
})

test('MH-07: what else the session depends on may refuse it, with the same end', async (t) => {
  const { deps, store, input, live, revoked } = await build(t)
  const admission = await admit(deps, input, await store.time(), async () => 'redeemed_twice')
  assert.deepEqual(admission, { kind: 'refused', reason: 'redeemed_twice' })
  assert.equal(await live(), 0)
  assert.equal(revoked.length, 2)
})

test('SC-13: a store that fails after the session was written leaves no session that nobody has the credential of', async (t) => {
  for (const fails of ['marks', 'confirm'] as const) {
    const { deps, store, input, live, revoked } = await build(t)
    const fail = async (): Promise<never> => {
      throw storeDown()
    }
    const broken = fails === 'marks' ? { ...deps, marks: { isMarked: fail } } : deps
    const admission = admit(broken, input, await store.time(), fails === 'confirm' ? fail : yes)
    await assert.rejects(admission, { code: 'store_unavailable' })
    assert.equal(await live(), 0)
    assert.deepEqual(revoked, [CANARIES.refreshToken, CANARIES.accessToken])
  }
})

test('a session that cannot even be taken back is an error all the same, and its tokens are revoked', async (t) => {
  const { deps, store, input, revoked } = await build(t)
  const startedAtUs = await store.time()
  const admission = admit(deps, input, startedAtUs, async () => {
    store.fault = storeDown()
    throw storeDown()
  })
  await assert.rejects(admission, { code: 'store_unavailable' })
  assert.equal(revoked.length, 2)
})
