import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { SealKey } from '../../src/config.ts'
import { createSeal, type Seal } from '../../src/session/seal.ts'

const createSealKey = (id: string): SealKey => ({ id, key: randomBytes(32) })
const CREDENTIAL = 'b_0123456789012345678901234567890123456789012'
const KEY = createSealKey('key-1')
const PLAINTEXT = '{"accessToken":"canary"}'
const HEADER = '2.key-1.'

const open = (seal: Seal, sealed: string): string | undefined => seal.open('session', CREDENTIAL, sealed)?.toString()

/** Initialization vector, ciphertext and tag. */
const octetsOf = (sealed: string): Buffer => Buffer.from(sealed.slice(HEADER.length), 'latin1')
const withOctets = (octets: Uint8Array): string => HEADER + Buffer.from(octets).toString('latin1')

test('SC-05: a sealed value opens again, and shows nothing of what it holds', () => {
  const seal = createSeal(() => [KEY])
  const sealed = seal.seal('session', CREDENTIAL, PLAINTEXT)
  assert.equal(open(seal, sealed), PLAINTEXT)
  assert.doesNotMatch(sealed, /canary/)
})

test('SC-06: every seal has a nonce of its own', () => {
  const seal = createSeal(() => [KEY])
  const nonces = Array.from({ length: 100 }, () =>
    octetsOf(seal.seal('session', CREDENTIAL, PLAINTEXT))
      .subarray(0, 12)
      .toString('hex'),
  )
  assert.equal(new Set(nonces).size, 100)
})

test('SC-06: a change of any byte, of any bit in it, opens nothing', () => {
  const seal = createSeal(() => [KEY])
  const octets = octetsOf(seal.seal('session', CREDENTIAL, PLAINTEXT))
  for (let at = 0; at < octets.length; at++) {
    for (let bit = 1; bit < 256; bit *= 2) {
      const altered = Buffer.from(octets)
      altered[at] = (altered[at] ?? 0) ^ bit
      assert.equal(open(seal, withOctets(altered)), undefined, `byte ${at}, bit ${bit}`)
    }
  }
})

test('SC-06: what is cut, lengthened or not ours at all opens nothing, and throws nothing', () => {
  const seal = createSeal(() => [KEY])
  const sealed = seal.seal('session', CREDENTIAL, PLAINTEXT)
  const octets = octetsOf(sealed)
  const body = sealed.slice(HEADER.length)
  for (let length = 0; length < octets.length; length++) {
    assert.equal(open(seal, withOctets(octets.subarray(0, length))), undefined, `cut to ${length}`)
  }
  const others = [
    '',
    '.',
    '..',
    'x',
    '2.key-1',
    `1.key-1.${body}`,
    `2.other.${body}`,
    body,
    `${sealed}.`,
    `${sealed}\0`,
  ]
  for (const other of others) assert.equal(open(seal, other), undefined, other)
})

test('SC-06: a tag that was shortened to one byte is refused, or it could be guessed', () => {
  const seal = createSeal(() => [KEY])
  const octets = octetsOf(seal.seal('session', CREDENTIAL, ''))
  assert.equal(octets.length, 12 + 16)
  for (let length = 12; length < 28; length++) {
    assert.equal(open(seal, withOctets(octets.subarray(0, length))), undefined, `${length - 12} octets of tag`)
  }
})

test('SC-06: one purpose, one credential, one key: another of any of them opens nothing', () => {
  const seal = createSeal(() => [KEY])
  const sealed = seal.seal('session', CREDENTIAL, PLAINTEXT)
  for (const purpose of ['session-use', 'transaction', 'handoff', 'sign-out'] as const) {
    assert.equal(seal.open(purpose, CREDENTIAL, sealed), undefined, purpose)
  }
  for (const credential of ['', `${CREDENTIAL}x`, CREDENTIAL.slice(0, -1), CREDENTIAL.toUpperCase()]) {
    assert.equal(seal.open('session', credential, sealed), undefined, credential)
  }
  const sameIdOtherKey = createSeal(() => [createSealKey('key-1')])
  assert.equal(sameIdOtherKey.open('session', CREDENTIAL, sealed), undefined)
})

test('SC-06: after a rotation the old key still opens, the new one seals, and a retired one opens nothing', () => {
  const [first, second] = [KEY, createSealKey('key-2')]
  let keys: readonly SealKey[] = [first]
  const seal = createSeal(() => keys)
  const old = seal.seal('session', CREDENTIAL, PLAINTEXT)

  keys = [second, first]
  assert.equal(open(seal, old), PLAINTEXT)
  const recent = seal.seal('session', CREDENTIAL, PLAINTEXT)
  assert.equal(recent.split('.')[1], 'key-2')

  keys = [second]
  assert.equal(seal.open('session', CREDENTIAL, old), undefined)
  assert.equal(open(seal, recent), PLAINTEXT)
})

test('what an earlier release sealed still opens: another derivation would sign everybody out', () => {
  const seal = createSeal(() => [{ id: 'golden', key: Buffer.alloc(32, 7) }])
  const octets = Buffer.from('p0rzR-XVvrkJaX62VYmvXvXOBxo5ysXFhX57a3btcSbitiAlzKHcX1qjDJKXuN0', 'base64url')
  const sealed = `2.golden.${octets.toString('latin1')}`
  assert.equal(seal.open('session', CREDENTIAL, sealed, 'beside')?.toString(), '{"sub":"zoë 🦊"}')
  assert.match(seal.seal('session', CREDENTIAL, ''), /^2\.golden\.[\0-\xff]{28}$/)
})

test('what is empty, and what is not ASCII, opens as it was sealed', () => {
  const seal = createSeal(() => [KEY])
  for (const plaintext of ['', 'ü', '{"sub":"zoë 🦊"}', 'x'.repeat(100_000)]) {
    assert.equal(seal.open('handoff', CREDENTIAL, seal.seal('handoff', CREDENTIAL, plaintext))?.toString(), plaintext)
  }
})

test('KY-08: whether the key of a value is here is told by its version and key id alone', () => {
  const seal = createSeal(() => [KEY, createSealKey('key-2')])
  const known = ['2.key-1.x', '2.key-2.', '2.key-1', '2.key-1.x.y']
  const unknown = ['', '2', '2.', '1.key-1.x', '.key-1.x', '2.key-3.x', '2.key-1x.x', 'key-1', 'x2.key-1.x']
  assert.deepEqual([...known, ...unknown].map(seal.hasKeyOf), [...known.map(() => true), ...unknown.map(() => false)])
})

test('octets are sealed as they are', () => {
  const seal = createSeal(() => [KEY])
  const octets = randomBytes(1000)
  assert.deepEqual(seal.open('session', CREDENTIAL, seal.seal('session', CREDENTIAL, octets)), octets)
})

test('SC-06: what was sealed beside something opens beside that alone', () => {
  const seal = createSeal(() => [KEY])
  const sealed = seal.seal('session', CREDENTIAL, PLAINTEXT, 'beside')
  assert.equal(seal.open('session', CREDENTIAL, sealed, 'beside')?.toString(), PLAINTEXT)
  for (const other of [undefined, '', 'besid', 'Beside', 'beside ']) {
    assert.equal(seal.open('session', CREDENTIAL, sealed, other), undefined, other)
  }
})

test('nothing is sealed without a key', () => {
  assert.throws(() => createSeal(() => []).seal('session', CREDENTIAL, PLAINTEXT), /no sealing key/)
})
