import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSeal, type SealPurpose } from '../../src/session/seal.ts'
import { applyEdits, edits, hostileText } from './arbitraries.ts'
import { hold } from './settings.ts'

const KEYS = [1, 2, 3].map((at) => ({ id: `key-${at}`, key: Buffer.alloc(32, at) }))
const PURPOSES = ['session', 'session-use', 'session-meta', 'transaction', 'handoff', 'sign-out'] as const

const purpose = fc.constantFrom<SealPurpose>(...PURPOSES)
const credential = fc.oneof(fc.constantFrom('b_credential', 'c_credential', '', 'session:{x}'), hostileText)
/** JSON escapes what is no character; so whatever is sealed is well-formed. */
const plaintext = hostileText.map((text) => text.toWellFormed())
const { seal, open: openOctets } = createSeal(() => KEYS)
const open = (...input: Parameters<typeof openOctets>): string | undefined => openOctets(...input)?.toString()

const HEADER = '2.key-1.'
const octetsOf = (sealed: string): Buffer => Buffer.from(sealed.slice(HEADER.length), 'latin1')
const withOctets = (octets: Buffer): string => HEADER + octets.toString('latin1')

test('SC-05: what was sealed opens again for its purpose and its credential, to the very same text', (t) =>
  hold(
    t,
    fc.property(purpose, credential, plaintext, (of, by, text) => {
      const sealed = seal(of, by, text)
      assert.match(sealed, /^2\.key-1\.[\0-\xff]{28,}$/)
      assert.equal(open(of, by, sealed), text)
    }),
  ))

test('SC-06: no edit of a sealed value opens as anything else than what was sealed; of its octets, none opens at all', (t) =>
  hold(
    t,
    fc.property(purpose, credential, plaintext, edits(2), fc.boolean(), (of, by, text, changes, isOfOctets) => {
      const sealed = seal(of, by, text)
      const octets = octetsOf(sealed)
      const changed = applyEdits(isOfOctets ? octets : Buffer.from(sealed, 'latin1'), changes)
      if (!isOfOctets) return assert.ok([undefined, text].includes(open(of, by, changed.toString('latin1'))))
      if (changed.equals(octets)) return
      assert.equal(open(of, by, withOctets(changed)), undefined)
    }),
    { share: 3 },
  ))

test('SC-05, SC-06: another purpose, another credential, or another key under the same name opens nothing', (t) =>
  hold(
    t,
    fc.property(purpose, credential, purpose, credential, plaintext, (of, by, otherOf, otherBy, text) => {
      const sealed = seal(of, by, text)
      const isSame = of === otherOf && Buffer.from(by).equals(Buffer.from(otherBy))
      assert.equal(open(otherOf, otherBy, sealed), isSame ? text : undefined)
      for (const name of ['key-2', 'key-3']) assert.equal(open(of, by, sealed.replace('key-1', name)), undefined)
      const stranger = createSeal(() => [{ id: 'key-1', key: Buffer.alloc(32, 9) }])
      assert.equal(stranger.open(of, by, sealed), undefined)
    }),
  ))

test('SC-06: the parts of two sealed values, in any other mixture, open nothing', (t) => {
  const cut = fc.nat({ max: 200 })
  return hold(
    t,
    fc.property(credential, credential, plaintext, plaintext, cut, (one, other, a, b, at) => {
      const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = [
        seal('session', one, a),
        seal('session', other, b),
      ].map(octetsOf)
      const mixed = Buffer.concat([first.subarray(0, at), second.subarray(at)])
      if (mixed.equals(first) || mixed.equals(second)) return
      for (const by of [one, other]) assert.equal(open('session', by, withOctets(mixed)), undefined)
    }),
    { share: 2 },
  )
})

test('SC-06: what is no sealed value at all opens nothing, and throws nothing', (t) =>
  hold(
    t,
    fc.property(
      purpose,
      credential,
      fc.oneof(
        hostileText,
        hostileText.map((text) => HEADER + text),
      ),
      (of, by, text) => {
        assert.equal(open(of, by, text), undefined)
      },
    ),
    { share: 3 },
  ))
