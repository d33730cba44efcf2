import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { parseReturnTo } from '../../src/login/return-to.ts'
import { createSignOuts } from '../../src/login/sign-out.ts'
import { createSeal } from '../../src/session/seal.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'

const returnTo = parseReturnTo('/canary', { publicUrl: 'https://bff.example', allowedOrigins: [] })
const SIGN_OUT = { idToken: 'canary.id.token', returnTo }

function build() {
  const time = { now: 1_700_000_000 }
  const memory = createMemoryStore({ now: () => time.now })
  const written: string[] = []
  const store = {
    ...memory,
    set: (key: string, value: string, ttlS: number) => {
      written.push(key, value, Buffer.from(value.split('.')[2] ?? '', 'base64url').toString('latin1'))
      return memory.set(key, value, ttlS)
    },
  }
  const keys = [{ id: 'key-1', key: randomBytes(32) }]
  return { time, written, signOuts: createSignOuts({ store, seal: createSeal(() => keys) }) }
}

test('a ticket gives the ID token once, of many callers to one, with a state of its own', async () => {
  const { signOuts } = build()
  const ticket = await signOuts.start(SIGN_OUT)
  assert.match(ticket, /^[A-Za-z0-9_-]{43}$/)
  const found = (await Promise.all(Array.from({ length: 20 }, () => signOuts.continue(ticket)))).filter(Boolean)
  assert.equal(found.length, 1)
  assert.deepEqual(found[0], { ...SIGN_OUT, state: found[0]?.state })
  assert.match(String(found[0]?.state), /^[A-Za-z0-9_-]{43}$/)
  assert.notEqual(found[0]?.state, ticket)
})

test('a ticket lives for 60 seconds', async () => {
  const { signOuts, time } = build()
  const [early, late] = [await signOuts.start(SIGN_OUT), await signOuts.start(SIGN_OUT)]
  time.now += 59
  assert.ok(await signOuts.continue(early))
  time.now += 1
  assert.equal(await signOuts.continue(late), undefined)
})

test('LO-06: a state tells its target once, for ten minutes; ticket and state do not stand for each other', async () => {
  const { signOuts, time } = build()
  const ticket = await signOuts.start(SIGN_OUT)
  assert.equal(await signOuts.land(ticket), undefined)
  const { state = '' } = (await signOuts.continue(ticket)) ?? {}
  assert.equal(await signOuts.continue(state), undefined)
  assert.equal(await signOuts.land(state), '/canary')
  assert.equal(await signOuts.land(state), undefined)

  const late = (await signOuts.continue(await signOuts.start(SIGN_OUT)))?.state ?? ''
  time.now += 600
  assert.equal(await signOuts.land(late), undefined)
})

test('without a target nothing is kept for the way back', async () => {
  const { signOuts, written } = build()
  const { state = '' } = (await signOuts.continue(await signOuts.start({ idToken: 'x', returnTo: undefined }))) ?? {}
  assert.equal(written.length, 3)
  assert.equal(await signOuts.land(state), undefined)
})

test('unknown tickets and states are nothing', async () => {
  const { signOuts } = build()
  for (const value of ['', 'x', '__proto__', 'x'.repeat(10_000)]) {
    assert.equal(await signOuts.continue(value), undefined)
    assert.equal(await signOuts.land(value), undefined)
  }
})

test('the store learns neither ticket nor state nor ID token nor target', async () => {
  const { signOuts, written } = build()
  const ticket = await signOuts.start(SIGN_OUT)
  const { state = '' } = (await signOuts.continue(ticket)) ?? {}
  assert.equal(written.length, 6)
  assert.ok(!written.some((text) => text.includes(ticket) || text.includes(state)))
  assert.doesNotMatch(written.join('\n'), /canary/)
})

test('where one sign-out leads is not where another leads', async () => {
  const { signOuts } = build()
  const other = parseReturnTo('/other', { publicUrl: 'https://bff.example', allowedOrigins: [] })
  const states: string[] = []
  for (const target of [returnTo, other]) {
    const found = await signOuts.continue(await signOuts.start({ ...SIGN_OUT, returnTo: target }))
    states.push(found?.state ?? '')
  }
  assert.deepEqual(await Promise.all(states.map((state) => signOuts.land(state))), [returnTo, other])
})
