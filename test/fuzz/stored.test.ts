import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { BffError } from '../../src/errors.ts'
import { createHandoffs } from '../../src/login/handoff.ts'
import { parseReturnTo } from '../../src/login/return-to.ts'
import { createSignOuts } from '../../src/login/sign-out.ts'
import { createTransactions } from '../../src/login/transaction.ts'
import { createSessionEvents } from '../../src/session/events.ts'
import { readLease } from '../../src/session/refresh-lease.ts'
import { createSeal } from '../../src/session/seal.ts'
import { userKey } from '../../src/session/session-keys.ts'
import { createSessions } from '../../src/session/sessions.ts'
import { createSignOutMarks } from '../../src/session/sign-out-marks.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { createTestStore, ISSUER, newSession } from '../plugins/build-service.ts'
import { applyEdits, type Edit, edits, hostileJson, hostileText } from './arbitraries.ts'
import { hold } from './settings.ts'

const NOW = 1_800_000_000
const now = (): number => NOW
const limits = { idleS: 3600, maxS: 36_000 }
const CONFIG = {
  session: { store: 'memory:', browser: limits, app: limits, sameSite: 'strict' as const, claims: ['sub'] },
}
const USERS = ['u0', 'u1', 'u2'] as const
const VERIFIER = 'a-verifier-of-an-app-that-has-43-characters'
const RULES = { publicUrl: 'https://app.example.com', allowedOrigins: [] }

/** A store with some of everything in it, and what each holder knows. */
async function fill() {
  const store = createTestStore(false)
  const seal = createSeal(() => [{ id: 'k', key: Buffer.alloc(32, 1) }])
  const sessions = createSessions({ store, seal, events: createSessionEvents(store), config: CONFIG, now })
  const transactions = createTransactions({ store, seal, now })
  const handoffs = createHandoffs({ store, seal, now })
  const signOuts = createSignOuts({ store, seal })
  const users = await Promise.all(
    USERS.map(async (sub) => {
      const { kind: _kind, userAgent: _agent, ...session } = newSession(NOW, { sub, sid: `sid-${sub}` })
      const created = await sessions.create(newSession(NOW - 100, { sub, sid: `sid-${sub}` }))
      await sessions.touch(created, { exact: true })
      const returnTo = parseReturnTo(`/${sub}`, RULES)
      const started = await transactions.start({
        issuer: ISSUER,
        redirectUri: 'https://app.example.com/auth/callback',
        target: { kind: 'browser', returnTo },
      })
      const code = await handoffs.create({
        codeChallenge: hash('sha256', VERIFIER, 'base64url'),
        session,
        startedAtUs: 1,
      })
      const ticket = await signOuts.start({ idToken: sub, returnTo })
      return { sub, created, started, code, ticket }
    }),
  )
  return { store, sessions, transactions, handoffs, signOuts, users, marks: createSignOutMarks(store) }
}

/** What may have become of stored values: one has taken the place of another, or was changed. */
type Damage =
  | { readonly kind: 'swap'; readonly a: number; readonly b: number }
  | { readonly kind: 'copy'; readonly a: number; readonly b: number }
  | { readonly kind: 'edit'; readonly a: number; readonly changes: readonly Edit[] }
  | { readonly kind: 'replace'; readonly a: number; readonly text: string }

const place = fc.nat({ max: 999 })
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('swap' as const), a: place, b: place }),
  fc.record({ kind: fc.constant('copy' as const), a: place, b: place }),
  fc.record({ kind: fc.constant('edit' as const), a: place, changes: edits(2) }),
  fc.record({ kind: fc.constant('replace' as const), a: place, text: hostileText }),
)

async function inflict({ store }: Awaited<ReturnType<typeof fill>>, damages: readonly Damage[]): Promise<void> {
  for (const one of damages) {
    const held = [...(await store.dump())]
    const pick = (at: number): readonly [string, string] => held[at % held.length] ?? assert.fail('the store is empty')
    const [key, value] = pick(one.a)
    if (one.kind === 'edit') await store.set(key, applyEdits(Buffer.from(value), one.changes).toString('latin1'), 999)
    else if (one.kind === 'replace') await store.set(key, one.text, 999)
    else {
      const [otherKey, other] = pick(one.b)
      await store.set(key, other, 999)
      if (one.kind === 'swap') await store.set(otherKey, value, 999)
    }
  }
}

test('SC-05, SC-10: whatever became of the stored values, each credential, cookie, code and ticket opens its own or nothing', (t) =>
  hold(
    t,
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 12 }), async (damages) => {
      const world = await fill()
      const { sessions, transactions, handoffs, signOuts, users, marks } = world
      await inflict(world, damages)
      for (const { sub, created, started, code, ticket } of users) {
        const found = await sessions.find(created.credential)
        if (found !== undefined) assert.deepEqual([found.record, found.record.sub], [created.record, sub])
        for (const listed of await sessions.list(ISSUER, sub))
          assert.deepEqual([listed.sub, listed.id], [sub, created.record.id])
        assert.equal(typeof (await sessions.isCookieKept(created.credential)), 'boolean')
        assert.equal(typeof (await marks.isMarked({ issuer: ISSUER, sub }, 0)), 'boolean')
        const taken = await transactions.take(started.transaction.state, started.cookie.value)
        if (taken !== undefined) assert.deepEqual(taken, JSON.parse(JSON.stringify(started.transaction)))
        const redemption = await handoffs.redeem(code, VERIFIER)
        if (redemption.kind === 'redeemed') assert.equal(redemption.handoff.session.sub, sub)
        const signOut = await signOuts.continue(ticket)
        if (signOut !== undefined)
          assert.deepEqual([signOut.idToken, await signOuts.land(signOut.state)], [sub, `/${sub}`])
        assert.equal(typeof (await sessions.end(created.key, 'logout')), 'boolean')
        assert.equal(await sessions.find(created.credential), undefined)
      }
    }),
    { share: 0.5 },
  ))

test('SC-10: one that was used, ended or taken does not come back with an older copy of what else was stored', (t) =>
  hold(
    t,
    fc.asyncProperty(fc.array(damage, { maxLength: 6 }), fc.constantFrom(...USERS.keys()), async (damages, at) => {
      const world = await fill()
      const { sessions, transactions, handoffs, signOuts, users } = world
      const { created, started, code, ticket } = users[at] ?? assert.fail('no such user')
      await sessions.end(created.key, 'logout')
      await transactions.take(started.transaction.state, started.cookie.value)
      await handoffs.redeem(code, VERIFIER)
      await signOuts.continue(ticket)
      await inflict(world, damages)
      assert.equal(await sessions.find(created.credential), undefined)
      assert.equal(await transactions.take(started.transaction.state, started.cookie.value), undefined)
      assert.equal((await handoffs.redeem(code, VERIFIER)).kind, 'refused')
      assert.equal(await signOuts.continue(ticket), undefined)
    }),
    { share: 0.5 },
  ))

test('SC-14: whatever an index holds beside sessions, listing and ending go on', (t) =>
  hold(
    t,
    fc.asyncProperty(fc.array(hostileText, { maxLength: 6 }), async (members) => {
      const { store, sessions, users } = await fill()
      for (const member of members) await store.addMember(userKey(ISSUER, 'u0'), member, 999)
      assert.deepEqual(
        (await sessions.list(ISSUER, 'u0')).map(({ id }) => id),
        [users[0]?.created.record.id],
      )
      for (const key of await sessions.listByUser(ISSUER, 'u0')) await sessions.end(key, 'revoked')
      assert.deepEqual(await sessions.list(ISSUER, 'u0'), [])
    }),
    { share: 0.25 },
  ))

test('whatever comes on the channel of the session events, nobody is told anything but an event, and the publisher goes on', (t) => {
  const message = fc.oneof(
    hostileText,
    hostileJson.map((value) => JSON.stringify(value)),
    fc.tuple(fc.constantFrom('session:{x}', 'other'), hostileJson).map((pair) => JSON.stringify(pair)),
  )
  return hold(
    t,
    fc.asyncProperty(message, async (text) => {
      const store = createMemoryStore({ now })
      const events = createSessionEvents(store)
      const told: unknown[] = []
      await events.listen('session:{x}', (event) => void told.push(event.type))
      await store
        .publish('session-events', text)
        .catch((error: unknown) => assert.fail(`it throws ${String(error instanceof BffError ? error.cause : error)}`))
      assert.ok(
        told.every((type) => ['refreshed', 'ended', 'gap'].includes(String(type))),
        JSON.stringify(told),
      )
      await store.close()
    }),
    { examples: [['not JSON'], ['["session:{x}",null]']] },
  )
})

test('RF-05: whatever is stored as a lease, a caller is told a number of seconds to wait, or none', (t) =>
  hold(
    t,
    fc.asyncProperty(
      fc.oneof(
        hostileText,
        hostileText.map((text) => `resting:${text}`),
      ),
      async (value) => {
        const lease = await readLease({ get: async () => value, time: async () => NOW * 1e6 }, 'session:{x}')
        if (lease.kind === 'resting')
          assert.ok(Number.isInteger(lease.retryAfterS) && lease.retryAfterS >= 1, String(lease.retryAfterS))
        else assert.equal(lease.kind, 'taken')
      },
    ),
    { examples: [['resting:soon']] },
  ))
