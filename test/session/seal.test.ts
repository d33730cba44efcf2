import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { SealKey } from '../../src/config.ts'
import { createSeal } from '../../src/session/seal.ts'

const createSealKey = (id: string): SealKey => ({ id, key: randomBytes(32) })
const CREDENTIAL = 'b_0123456789012345678901234567890123456789012'
const KEY = createSealKey('key-1')
const PLAINTEXT = '{"accessToken":"canary"}'

test('SC-05: a sealed value opens again, and shows nothing of what it holds', () => {
  const seal = createSeal(() => [KEY])
  const sealed = seal.seal('session', CREDENTIAL, PLAINTEXT)
  assert.equal(seal.open('session', CREDENTIAL, sealed), PLAINTEXT)
  assert.doesNotMatch(sealed, /canary/)
  assert.doesNotMatch(Buffer.from(sealed.split('.')[2] ?? '', 'base64url').toString('latin1'), /canary/)
})

test('SC-06: every seal has a nonce of its own', () => {
  const seal = createSeal(() => [KEY])
  const nonces = Array.from({ length: 100 }, () =>
    Buffer.from(seal.seal('session', CREDENTIAL, PLAINTEXT).split('.')[2] ?? '', 'base64url')
      .subarray(0, 12)
      .toString('hex'),
  )
  assert.equal(new Set(nonces).size, 100)
})

test('SC-06: a change of any byte, of any bit in it, opens nothing', () => {
  const seal = createSeal(() => [KEY])
  const [version, keyId, body = ''] = seal.seal('session', CREDENTIAL, PLAINTEXT).split('.')
  const octets = Buffer.from(body, 'base64url')
  for (let at = 0; at < octets.length; at++) {
    for (let bit = 1; bit < 256; bit *= 2) {
      const altered = Buffer.from(octets)
      altered[at] = (altered[at] ?? 0) ^ bit
      const sealed = `${version}.${keyId}.${altered.toString('base64url')}`
      assert.equal(seal.open('session', CREDENTIAL, sealed), undefined, `byte ${at}, bit ${bit}`)
    }
  }
})

test('SC-06: what is cut, lengthened or not ours at all opens nothing, and throws nothing', () => {
  const seal = createSeal(() => [KEY])
  const sealed = seal.seal('session', CREDENTIAL, PLAINTEXT)
  const [version, keyId, body = ''] = sealed.split('.')
  const octets = Buffer.from(body, 'base64url')
  const cut = Array.from({ length: octets.length }, (_, length) => octets.subarray(0, length).toString('base64url'))
  const bodies = [...cut, Buffer.concat([octets, Buffer.from([0])]).toString('base64url'), '', '!', 'é']
  for (const other of bodies) assert.equal(seal.open('session', CREDENTIAL, `${version}.${keyId}.${other}`), undefined)
  const others = [
    '',
    '.',
    '..',
    'x',
    `${version}.${keyId}`,
    `2.${keyId}.${body}`,
    `${version}.other.${body}`,
    `${sealed}.`,
    `${sealed}.x`,
  ]
  for (const other of others) assert.equal(seal.open('session', CREDENTIAL, other), undefined, other)
})

test('SC-06: a tag that was shortened to one byte is refused, or it could be guessed', () => {
  const seal = createSeal(() => [KEY])
  const [version, keyId, body = ''] = seal.seal('session', CREDENTIAL, '').split('.')
  const octets = Buffer.from(body, 'base64url')
  assert.equal(octets.length, 12 + 16)
  for (let length = 12; length < 28; length++) {
    const sealed = `${version}.${keyId}.${octets.subarray(0, length).toString('base64url')}`
    assert.equal(seal.open('session', CREDENTIAL, sealed), undefined, `${length - 12} octets of tag`)
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
  assert.equal(seal.open('session', CREDENTIAL, old), PLAINTEXT)
  const recent = seal.seal('session', CREDENTIAL, PLAINTEXT)
  assert.equal(recent.split('.')[1], 'key-2')

  keys = [second]
  assert.equal(seal.open('session', CREDENTIAL, old), undefined)
  assert.equal(seal.open('session', CREDENTIAL, recent), PLAINTEXT)
})

test('what an earlier release sealed still opens: another derivation would sign everybody out', () => {
  const seal = createSeal(() => [{ id: 'golden', key: Buffer.alloc(32, 7) }])
  const sealed = '1.golden.JLXzu50pb696BJfNeexqnW7IgFwtsLHW2fs2Z0xZB0D9Y-9qDAzDHPFAXtGEoRQ'
  assert.equal(seal.open('session', CREDENTIAL, sealed), '{"sub":"zoë 🦊"}')
  assert.match(seal.seal('session', CREDENTIAL, ''), /^1\.golden\.[\w-]+$/)
})

test('what is empty, and what is not ASCII, opens as it was sealed', () => {
  const seal = createSeal(() => [KEY])
  for (const plaintext of ['', 'ü', '{"sub":"zoë 🦊"}', 'x'.repeat(100_000)]) {
    assert.equal(seal.open('handoff', CREDENTIAL, seal.seal('handoff', CREDENTIAL, plaintext)), plaintext)
  }
})

test('KY-08: whether the key of a value is here is told by its version and key id alone', () => {
  const seal = createSeal(() => [KEY, createSealKey('key-2')])
  const known = ['1.key-1.x', '1.key-2.', '1.key-1', '1.key-1.x.y']
  const unknown = ['', '1', '1.', '2.key-1.x', '.key-1.x', '1.key-3.x', '1.key-1x.x', 'key-1', 'x1.key-1.x']
  assert.deepEqual([...known, ...unknown].map(seal.hasKeyOf), [...known.map(() => true), ...unknown.map(() => false)])
})

test('nothing is sealed without a key', () => {
  assert.throws(() => createSeal(() => []).seal('session', CREDENTIAL, PLAINTEXT), /no sealing key/)
})
