import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { BffError } from '../../src/errors.ts'
import type { Session } from '../../src/session/record.ts'
import { useSession } from '../../src/session/use-session.ts'
import { buildService, newSession } from '../plugins/build-service.ts'

/** A session, and what is done with it: `isDue` says what a test wants to be due. */
async function build(t: TestContext, isDue: { touch: boolean; tokens: boolean }) {
  const { sessions, time } = await buildService(t)
  const session = await sessions.create(newSession(time.now))
  if (isDue.touch) time.now += 1000
  const renewed: Session[] = []
  const refresher = {
    isDue: () => isDue.tokens,
    ensureFresh: async (found: Session) => {
      renewed.push(found)
      return found
    },
  }
  return { session, sessions, time, renewed, use: () => useSession({ sessions, refresher }, session) }
}

test('where nothing is due, a session is used as it is, and nothing has to be waited for', async (t) => {
  const { session, renewed, use } = await build(t, { touch: false, tokens: false })
  assert.equal(use(), session)
  assert.deepEqual(renewed, [])
})

for (const isDue of [
  { touch: true, tokens: false },
  { touch: false, tokens: true },
  { touch: true, tokens: true },
]) {
  test(`SC-10: where ${JSON.stringify(isDue)} is due, the idle limit slides first, and then the tokens are renewed`, async (t) => {
    const { session, sessions, time, renewed, use } = await build(t, isDue)
    const used = await use()
    assert.equal(used.lastUsedAt, isDue.touch ? time.now : session.lastUsedAt)
    assert.deepEqual(renewed, [used])
    assert.equal((await sessions.find(session.credential))?.lastUsedAt, used.lastUsedAt)
  })
}

test('SC-09: a session that has just ended is not used, and its tokens are not renewed', async (t) => {
  const { session, sessions, renewed, use } = await build(t, { touch: true, tokens: true })
  await sessions.end(session.key, 'logout')
  await assert.rejects(
    async () => use(),
    (error) => error instanceof BffError && error.code === 'unauthenticated' && /just ended/.test(error.message),
  )
  assert.deepEqual(renewed, [])
})
