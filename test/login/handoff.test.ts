import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createHandoffs, type Redemption } from '../../src/login/handoff.ts'
import { createSeal } from '../../src/session/seal.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'

const VERIFIER = randomBytes(32).toString('base64url')
const SESSION = {
  issuer: 'https://idp.example',
  sub: 'canary-sub',
  claims: { name: 'canary-name' },
  tokens: {
    accessToken: 'canary-token',
    accessTokenExpiresAt: 1,
    obtainedAt: 0,
    idToken: 'canary-id',
    scope: 'openid',
  },
}
const HANDOFF = { codeChallenge: hash('sha256', VERIFIER, 'base64url'), session: SESSION, startedAtUs: 1 }

function build(alter: (store: Store) => Partial<Store> = () => ({})) {
  const time = { now: 1_700_000_000 }
  const now = (): number => time.now
  const memory = createMemoryStore({ now })
  const keys = [{ id: 'key-1', key: randomBytes(32) }]
  const handoffs = createHandoffs({ store: { ...memory, ...alter(memory) }, seal: createSeal(() => keys), now })
  return { time, keys, handoffs }
}

const reasonOf = (redemption: Redemption): string =>
  redemption.kind === 'refused' ? redemption.reason : redemption.kind

test('MH-05: a code has 256 random bits, and gives what was handed over', async () => {
  const { handoffs, time } = build()
  const codes = await Promise.all(Array.from({ length: 1000 }, () => handoffs.create(HANDOFF)))
  assert.equal(new Set(codes).size, 1000)
  for (const code of codes) assert.match(code, /^[A-Za-z0-9_-]{43}$/)
  assert.deepEqual(await handoffs.redeem(String(codes[0]), VERIFIER), {
    kind: 'redeemed',
    handoff: { ...HANDOFF, expiresAt: time.now + 60 },
  })
})

test('MH-05: the store learns neither the code nor what it is good for', async () => {
  const written: string[] = []
  const { handoffs } = build((memory) => ({
    set: (key, value, ttlS) => {
      written.push(key, value, Buffer.from(value.split('.')[2] ?? '', 'base64url').toString('latin1'))
      return memory.set(key, value, ttlS)
    },
  }))
  const code = await handoffs.create(HANDOFF)
  assert.equal(written.length, 3)
  assert.ok(!written.join('\n').includes(code))
  assert.doesNotMatch(written.join('\n'), /canary/)
})

for (const [seconds, outcome] of [
  [59, 'redeemed'],
  [60, 'refused'],
] as const) {
  test(`MH-05: after ${seconds} s a code is ${outcome}, also in a store that keeps it`, async () => {
    const forgetless = build((memory) => ({ set: (key, value) => memory.set(key, value, 1_000_000) }))
    for (const { handoffs, time } of [build(), forgetless]) {
      const code = await handoffs.create(HANDOFF)
      time.now += seconds
      assert.equal((await handoffs.redeem(code, VERIFIER)).kind, outcome)
    }
  })
}

test('MH-06: the verifier of RFC 7636 appendix B fits its challenge', async () => {
  const { handoffs } = build()
  const code = await handoffs.create({ ...HANDOFF, codeChallenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' })
  assert.equal((await handoffs.redeem(code, 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).kind, 'redeemed')
})

for (const [what, verifier] of [
  ['has 42 characters', 'v'.repeat(42)],
  ['has 129 characters', 'v'.repeat(129)],
  ['has a character that is not allowed', `${'v'.repeat(42)}+`],
  ['ends in a line break', `${'v'.repeat(43)}\n`],
  ['is empty', ''],
] as const) {
  test(`MH-01, MH-06: a verifier that ${what} is wrong, even where its hash fits, and burns the code`, async () => {
    const { handoffs } = build()
    const code = await handoffs.create({ ...HANDOFF, codeChallenge: hash('sha256', verifier, 'base64url') })
    assert.equal(reasonOf(await handoffs.redeem(code, verifier)), 'wrong_verifier')
    assert.equal((await handoffs.redeem(code, VERIFIER)).kind, 'refused')
  })
}

for (const length of [43, 128]) {
  test(`MH-01: a verifier of ${length} characters is good`, async () => {
    const { handoffs } = build()
    const verifier = '-._~'.padEnd(length, 'v')
    const code = await handoffs.create({ ...HANDOFF, codeChallenge: hash('sha256', verifier, 'base64url') })
    assert.equal((await handoffs.redeem(code, verifier)).kind, 'redeemed')
  })
}

test('MH-06: a challenge that is no SHA-256 fits nothing', async () => {
  const { handoffs } = build()
  for (const codeChallenge of ['', VERIFIER.slice(0, 20), VERIFIER]) {
    const code = await handoffs.create({ ...HANDOFF, codeChallenge })
    assert.equal(reasonOf(await handoffs.redeem(code, VERIFIER)), 'wrong_verifier')
  }
})

test('MH-07: a second redemption tells which session to end, whatever its verifier', async () => {
  const { handoffs } = build()
  const code = await handoffs.create(HANDOFF)
  await handoffs.redeem(code, VERIFIER)
  assert.equal(await handoffs.markSpent(code, 'session-key'), true)
  for (const verifier of [VERIFIER, 'wrong']) {
    const again = await handoffs.redeem(code, verifier)
    assert.deepEqual(again, { kind: 'refused', reason: 'used', earlierSessionKey: 'session-key' })
  }
})

test('MH-07: one that comes while the session is being made keeps it from living', async () => {
  const { handoffs } = build()
  const code = await handoffs.create(HANDOFF)
  await handoffs.redeem(code, VERIFIER)
  assert.equal(reasonOf(await handoffs.redeem(code, VERIFIER)), 'used')
  assert.equal(await handoffs.markSpent(code, 'session-key'), false)
})

for (const verb of ['get', 'add', 'take'] as const) {
  test(`MH-07: one that comes right after the first one's ${verb} keeps the session from living`, async () => {
    let intrude: (() => Promise<unknown>) | undefined
    const { handoffs } = build((memory) => ({
      async [verb](...parameters: [string, string, number]) {
        const result = await memory[verb](...parameters)
        const now = intrude
        intrude = undefined
        await now?.()
        return result
      },
    }))
    const code = await handoffs.create(HANDOFF)
    const second: { outcome?: Redemption } = {}
    intrude = async () => {
      second.outcome = await handoffs.redeem(code, VERIFIER)
    }
    const outcomes = [await handoffs.redeem(code, VERIFIER), second.outcome]
    assert.equal(outcomes.filter((outcome) => outcome?.kind === 'redeemed').length, 1)
    assert.equal(await handoffs.markSpent(code, 'session-key'), false)
  })
}

test('MH-12: a burnt code is worth nothing', async () => {
  const { handoffs } = build()
  const code = await handoffs.create(HANDOFF)
  await handoffs.burn(code)
  assert.equal((await handoffs.redeem(code, VERIFIER)).kind, 'refused')
})

test('a code opens after a key rotation, and not once its key is gone', async () => {
  const { handoffs, keys } = build()
  const [one, two] = [await handoffs.create(HANDOFF), await handoffs.create(HANDOFF)]
  keys.unshift({ id: 'key-2', key: randomBytes(32) })
  assert.equal((await handoffs.redeem(one, VERIFIER)).kind, 'redeemed')
  keys.pop()
  assert.equal(reasonOf(await handoffs.redeem(two, VERIFIER)), 'sealed_with_a_retired_key')
})

test('MH-07: what is remembered of one code is not held against another', async () => {
  const { handoffs } = build()
  const [spent, repeated, fresh] = [
    await handoffs.create(HANDOFF),
    await handoffs.create(HANDOFF),
    await handoffs.create(HANDOFF),
  ]
  await handoffs.redeem(spent, VERIFIER)
  await handoffs.markSpent(spent, 'session-of-spent')
  await handoffs.redeem(repeated, VERIFIER)
  assert.equal(reasonOf(await handoffs.redeem(repeated, VERIFIER)), 'used')
  assert.equal((await handoffs.redeem(fresh, VERIFIER)).kind, 'redeemed')
  assert.equal(await handoffs.markSpent(fresh, 'session-of-fresh'), true)
  // A code that never was ends nobody's session, and keeps none from living.
  assert.deepEqual(await handoffs.redeem('never-was', VERIFIER), { kind: 'refused', reason: 'unknown' })
  assert.equal(await handoffs.markSpent('never-was', 'session-of-nobody'), true)
})

test('MH-06, MH-07: the reason of each refusal is a fixed word, and a session that is not there yet is not named', async () => {
  const { handoffs, time, keys } = build()
  const code = await handoffs.create(HANDOFF)
  await handoffs.redeem(code, VERIFIER)
  const again = await handoffs.redeem(code, VERIFIER)
  assert.deepEqual(again, { kind: 'refused', reason: 'used', earlierSessionKey: undefined })
  const sealed = await handoffs.create(HANDOFF)
  keys.splice(0, 1, { id: 'key-2', key: randomBytes(32) })
  assert.equal(reasonOf(await handoffs.redeem(sealed, VERIFIER)), 'sealed_with_a_retired_key')
  const forgetless = build((memory) => ({ set: (key, value) => memory.set(key, value, 1_000_000) }))
  const late = await forgetless.handoffs.create(HANDOFF)
  forgetless.time.now += 60
  assert.equal(reasonOf(await forgetless.handoffs.redeem(late, VERIFIER)), 'expired')
  assert.equal(time.now, 1_700_000_000)
})
