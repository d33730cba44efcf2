import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { parseReturnTo } from '../../src/login/return-to.ts'
import { createTransactions, parseStartedAt, transactionSuffix } from '../../src/login/transaction.ts'
import { createSeal } from '../../src/session/seal.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'

const RULES = { publicUrl: 'https://bff.example', allowedOrigins: [] }
const INPUT = {
  issuer: 'https://idp.example',
  redirectUri: 'https://bff.example/auth/callback',
  target: { kind: 'browser', returnTo: parseReturnTo('/canary', RULES) },
} as const

function build(alter: (store: Store) => Partial<Store> = () => ({})) {
  const time = { now: 1_700_000_000 }
  const now = (): number => time.now
  const memory = createMemoryStore({ now })
  const store: Store = { ...memory, ...alter(memory) }
  const keys = [{ id: 'key-1', key: randomBytes(32) }]
  return { time, memory, keys, transactions: createTransactions({ store, seal: createSeal(() => keys), now }) }
}

test('ST-02, ST-03, ST-04, ST-05: no two transactions share a value, and each has 256 bits', async () => {
  const { transactions } = build()
  const started = await Promise.all(Array.from({ length: 1000 }, () => transactions.start(INPUT)))
  const values = started.flatMap(({ transaction: { state, nonce, codeVerifier } }) => [state, nonce, codeVerifier])
  assert.equal(new Set(values).size, 3000)
  for (const value of values) assert.match(value, /^[A-Za-z0-9_-]{43}$/)
  assert.equal(new Set(started.map(({ cookie }) => cookie.value)).size, 1000)
})

test('ST-05: the challenge is the unpadded base64url SHA-256 of the verifier', async () => {
  const { transaction, codeChallenge } = await build().transactions.start(INPUT)
  assert.equal(codeChallenge, hash('sha256', transaction.codeVerifier, 'base64url'))
})

test('CB-02: a transaction is taken once, whole', async () => {
  const { transactions } = build()
  const { transaction, cookie } = await transactions.start({ ...INPUT, maxAge: 0, acrValues: 'a b' })
  assert.deepEqual(await transactions.take(transaction.state, cookie.value), transaction)
  assert.equal(await transactions.take(transaction.state, cookie.value), undefined)
})

test('CB-02: of two that read it before either takes it, one gets it', async () => {
  const { transactions } = build()
  const { transaction, cookie } = await transactions.start(INPUT)
  const takers = Array.from({ length: 20 }, () => transactions.take(transaction.state, cookie.value))
  assert.equal((await Promise.all(takers)).filter((taken) => taken !== undefined).length, 1)
})

test('CB-01: a wrong cookie does not open a transaction, and does not take it either', async () => {
  const { transactions } = build()
  const [one, two] = [await transactions.start(INPUT), await transactions.start(INPUT)]
  for (const value of ['', `${one.cookie.value}x`, one.cookie.value.slice(0, -1), two.cookie.value]) {
    assert.equal(await transactions.take(one.transaction.state, value), undefined)
  }
  assert.equal(await transactions.take('another-state', one.cookie.value), undefined)
  assert.ok(await transactions.take(one.transaction.state, one.cookie.value))
})

for (const [seconds, isThere] of [
  [599, true],
  [600, false],
] as const) {
  test(`CB-02: after ${seconds} s it is ${isThere ? 'still' : 'not'} there, also in a store that keeps it`, async () => {
    const forgetless = build((memory) => ({ set: (key, value) => memory.set(key, value, 1_000_000) }))
    for (const { transactions, time } of [build(), forgetless]) {
      const { transaction, cookie } = await transactions.start(INPUT)
      time.now += seconds
      assert.equal((await transactions.take(transaction.state, cookie.value)) !== undefined, isThere)
    }
  })
}

test('the store learns neither state nor verifier nor target, and the cookie opens nothing without the state', async () => {
  const written: string[] = []
  const { transactions } = build((memory) => ({
    set: (key, value, ttlS) => {
      written.push(key, value)
      return memory.set(key, value, ttlS)
    },
  }))
  const { transaction, cookie } = await transactions.start(INPUT)
  assert.equal(written.length, 2)
  const { state, nonce, codeVerifier } = transaction
  for (const secret of [state, nonce, codeVerifier, cookie.value, 'canary']) {
    assert.ok(!written.join('\n').includes(secret))
    assert.ok(!Buffer.from(written[1]?.split('.')[2] ?? '', 'base64url').includes(secret))
  }
  assert.ok(!cookie.value.includes(state))
})

test('a transaction opens after a key rotation, and not once its key is gone', async () => {
  const { transactions, keys } = build()
  const [one, two] = [await transactions.start(INPUT), await transactions.start(INPUT)]
  keys.unshift({ id: 'key-2', key: randomBytes(32) })
  assert.ok(await transactions.take(one.transaction.state, one.cookie.value))
  keys.pop()
  assert.equal(await transactions.take(two.transaction.state, two.cookie.value), undefined)
})

test('ST-06: the cookie is named by eight characters of the state, and its value tells its age', async () => {
  const { transactions, time } = build()
  const { transaction, cookie } = await transactions.start(INPUT)
  assert.match(cookie.suffix, /^[A-Za-z0-9_-]{8}$/)
  assert.equal(cookie.suffix, transactionSuffix(transaction.state))
  assert.equal(parseStartedAt(cookie.value), time.now)
  assert.match(cookie.value, /^[0-9a-z]+\.[A-Za-z0-9_-]{22}$/)
  for (const value of ['', '.', 'x'.repeat(100), '-1.x', 'é.x', '1e9']) {
    assert.ok(Number.isSafeInteger(parseStartedAt(value)), value)
  }
})
