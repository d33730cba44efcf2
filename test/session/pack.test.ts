import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pack, unpack } from '../../src/session/pack.ts'

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const JWT = [encode({ alg: 'EdDSA' }), encode({ sub: 'ada' }), Buffer.alloc(64, 7).toString('base64url')].join('.')

test('a token takes the octets that its base64url stands for, and each text two or so more', () => {
  const octets = JWT.split('.').reduce((sum, part) => sum + Buffer.from(part, 'base64url').length, 0)
  assert.equal(pack([JWT]).length, 1 + 3 + octets)
  assert.equal(pack([Buffer.alloc(32, 7).toString('base64url')]).length, 1 + 1 + 32)
  assert.equal(pack([['AAAA', 'AAAA', 'AAAA', 'AAAA', 'AAAA'].join('.')]).length, 1 + 5 * (1 + 3), 'an encrypted one')
  assert.equal(pack(['an opaque token']).length, 1 + 1 + 15)
  assert.equal(pack(['-'.repeat(127)]).length, 1 + 1 + 127)
  assert.equal(pack(['-'.repeat(130)]).length, 1 + 2 + 130)
  assert.equal(pack([undefined]).length, 1)
})

test('each text comes back as it was, and one that is absent stays so', () => {
  const texts = [
    JWT,
    undefined,
    '',
    '.',
    '....',
    '.....',
    'a.b.c.d.e',
    'a.b.c.d.e.f',
    'A', // No octets have such a base64url.
    'AB', // Its last bits are not zero.
    'AA==',
    'a+b/c',
    ' AAAA',
    'zoë 🦊',
    'x'.repeat(127),
    'x'.repeat(128),
    'ü'.repeat(100_000),
    Buffer.alloc(300_000, 7).toString('base64url'),
  ]
  assert.deepEqual(unpack(pack(texts)), texts)
  for (const text of texts) assert.deepEqual(unpack(pack([text])), [text])
  assert.deepEqual(unpack(pack([])), [])
})

test('whatever the texts are, they come back', () => {
  const part = fc.uint8Array({ maxLength: 40 }).map((octets) => Buffer.from(octets).toString('base64url'))
  const token = fc.array(part, { minLength: 1, maxLength: 7 }).map((parts) => parts.join('.'))
  const text = fc.option(fc.oneof(token, fc.string({ unit: 'grapheme' }), fc.base64String()), { nil: undefined })
  fc.assert(fc.property(fc.array(text, { maxLength: 6 }), (texts) => assert.deepEqual(unpack(pack(texts)), texts)))
})

test('what was cut short, or is not packed at all, is refused', () => {
  const packed = pack([JWT, 'plain'])
  for (let length = 1; length < packed.length; length++) {
    const cut = packed.subarray(0, length)
    if (length === pack([JWT]).length) assert.deepEqual(unpack(cut), [JWT])
    else assert.throws(() => unpack(cut), RangeError, `${length} octets`)
  }
  assert.throws(() => unpack(packed.subarray(0, -1)), { name: 'RangeError', message: 'cut short' })
  assert.throws(() => unpack(Buffer.alloc(20, 7)), { name: 'RangeError', message: 'not packed by us' })
  for (const other of [[7], [255, 0], [6], [1, 0xff, 0xff, 0xff, 0x7f], [6, 0x80, 0x80, 0x80, 0x80, 1]]) {
    assert.throws(() => unpack(Buffer.from(other)), RangeError, String(other))
  }
})
