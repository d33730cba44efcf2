import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pack } from '../../src/session/pack.ts'
import type { SessionRecord } from '../../src/session/record.ts'
import { createSeal, type Seal } from '../../src/session/seal.ts'
import { sessionKey } from '../../src/session/session-keys.ts'
import { hasKeyOf, openMeta, openSession, sealSession } from '../../src/session/stored-session.ts'

const KEY = { id: 'key-1', key: Buffer.alloc(32, 1) }
const seal = createSeal(() => [KEY])
const credential = `b_${'A'.repeat(43)}`
const key = sessionKey(credential)

const META = {
  id: 'public-id',
  kind: 'browser-cookie',
  issuer: 'https://idp.example',
  sub: 'ada',
  createdAt: 1_800_000_000,
  expiresAt: 1_800_036_000,
  idleS: 3600,
  userAgent: 'Browser/1.0 "quoted"',
} as const
const RECORD: SessionRecord = {
  ...META,
  generation: 3,
  claims: { sub: 'ada', name: 'Zoë 🦊', email_verified: true, groups: ['a'] },
  tokens: {
    accessToken: 'opaque access token',
    accessTokenExpiresAt: 1_800_000_600,
    idToken: 'e30.e30.AAAA',
    scope: 'openid profile',
    obtainedAt: 1_800_000_000,
  },
}
const FULL: SessionRecord = {
  ...RECORD,
  kind: 'app-token',
  app: 'ios',
  sid: 'idp-session-1',
  tokens: {
    ...RECORD.tokens,
    refreshToken: 'refresh-token',
    previous: { refreshToken: 'the one before', until: 1_800_000_060 },
  },
}

const store = (record: SessionRecord, by: Seal = seal): string => sealSession(by, { key, credential, record })
const open = (stored: string, by: Seal = seal): SessionRecord | undefined =>
  openSession(by, { key, credential }, stored)

test('a session comes back as it was, with all that it may have and with none of it', () => {
  for (const record of [RECORD, FULL]) assert.deepEqual(open(store(record)), record)
})

test('what a list shows opens without the credential, and has neither tokens nor claims', () => {
  assert.deepEqual(openMeta(seal, key, store(RECORD)), META)
  assert.deepEqual(openMeta(seal, key, store(FULL)), { ...META, kind: 'app-token', app: 'ios', sid: 'idp-session-1' })
})

test('a value is octets, a character each', () => {
  assert.match(store(FULL), /^[\0-\xff]+$/)
})

test('SC-05: another credential, another key of the store, or another sealing key opens nothing', () => {
  const stored = store(RECORD)
  assert.equal(openSession(seal, { key, credential: `${credential}x` }, stored), undefined)
  assert.equal(openSession(seal, { key: sessionKey('b_other'), credential }, stored), undefined)
  assert.equal(openMeta(seal, sessionKey('b_other'), stored), undefined)
  const stranger = createSeal(() => [{ id: KEY.id, key: Buffer.alloc(32, 2) }])
  assert.equal(open(stored, stranger), undefined)
  assert.equal(openMeta(stranger, key, stored), undefined)
})

test('SC-06: a change of any octet opens nothing', () => {
  const octets = Buffer.from(store(RECORD), 'latin1')
  for (let at = 0; at < octets.length; at++) {
    const altered = Buffer.from(octets)
    altered[at] = (altered[at] ?? 0) ^ 1
    assert.equal(open(altered.toString('latin1')), undefined, `octet ${at}`)
  }
})

test('SC-06: the parts of two values of the same session do not go together: the limits of one are not those of the other', () => {
  const split = (stored: string): [string, string] => {
    const end = 3 + Buffer.from(stored, 'latin1').readUIntBE(0, 3)
    return [stored.slice(0, end), stored.slice(end)]
  }
  const [[first, rest], [longer, longerRest]] = [split(store(RECORD)), split(store({ ...RECORD, expiresAt: 2e9 }))]
  assert.deepEqual(open(first + rest), RECORD)
  assert.equal(open(longer + longerRest)?.expiresAt, 2e9)
  for (const mixed of [longer + rest, first + longerRest]) assert.equal(open(mixed), undefined)
})

test('SC-06: what is cut, empty or not ours opens nothing, and throws nothing', () => {
  const stored = store(RECORD)
  const others = ['', '\0', '\0\0\0', '\xff\xff\xff', 'x'.repeat(5000), '\u{1f98a}', stored + stored, `${stored}\0`]
  for (let length = 0; length < stored.length; length += 7) others.push(stored.slice(0, length))
  for (const other of others) assert.equal(open(other), undefined, JSON.stringify(other.slice(0, 20)))
  for (const other of ['', '\0\0\0', 'x'.repeat(5000)]) {
    assert.equal(openMeta(seal, key, other), undefined)
    assert.equal(hasKeyOf(seal, other), false)
  }
})

test('a record of another version is not guessed at', () => {
  const meta = (version: number): string =>
    seal.seal(
      'session-meta',
      key,
      JSON.stringify([version, 'id', 'browser-cookie', null, 'iss', 'sub', null, 1, 2, 3, 'agent']),
    )
  const build = (ofMeta: number, ofRest: number): string => {
    const first = meta(ofMeta)
    const values = JSON.stringify([ofRest, 1, 2, 3, 'openid', null, {}])
    const rest = seal.seal('session', credential, pack([values, 'access', 'id', undefined, undefined]), first)
    return String.fromCharCode(0, 0, first.length) + first + rest
  }
  assert.equal(open(build(1, 1))?.tokens.accessToken, 'access')
  for (const [ofMeta, ofRest] of [
    [2, 1],
    [1, 2],
    [0, 1],
  ] as const) {
    assert.equal(open(build(ofMeta, ofRest)), undefined)
  }
  assert.equal(openMeta(seal, key, build(2, 1)), undefined)
})

test('KY-08: whether the key of a session is here is told without opening it', () => {
  const other = createSeal(() => [{ id: 'key-2', key: Buffer.alloc(32, 2) }])
  assert.deepEqual([hasKeyOf(seal, store(RECORD)), hasKeyOf(other, store(RECORD))], [true, false])
  assert.equal(hasKeyOf(other, store(RECORD, other)), true)
})

test('what an earlier release stored still opens: another form would sign everybody out', () => {
  const golden = Buffer.from(
    'AAClMi5rZXktMS7Nt-sDN8dZLgaBbwVF3aCE7nURpxWVGt1Cw1dZC-TQcJUFjPPxP73Gp0HzuS9zyumjStEMW7oZ9E97T5x1-T1o0y1sSORLAVYjgB99UA42ogx_gMu41myb9EP3ve75kszp3pdcklhsiyXN61F7k-zRjTprl9BGDH5ELudbuYSsE7gE_dBC0nLcWVz7W0wCbBmnX5QdTFnqnxbA4WlVMi5rZXktMS5qjui3agMrq6sWsJHTXdVfncDHbLXTjFIHlYvGclGRO7IBCMRjORUEa_OSpdBZOGfYXgVjays_lsG8E5bTP8SsCPKp0HvDRdmNY_a4pZt-kTEJhV9Duu9Fp2gM-vSO2EvfC15iAAeGytFYVBwFsD4yYHwsfZkDt3xBM52ctnrD0qRJ_nXB5cjD3hD5Gq7pfH56i7oJSfu6ckTcmPP2Z6VXjdByveZe7kwzlhIaN31HfK7gwQ_KrK3kKsyzCNRaYrViEWvFD2cWYZsNCBxZcvumFDh210XfVsZvLg',
    'base64url',
  ).toString('latin1')
  assert.deepEqual(open(golden), FULL)
})

test('SC-10: a user or an IdP session with a very long name is no reason to lose the session', () => {
  const record = { ...FULL, sub: 'a'.repeat(70_000), sid: 'b'.repeat(70_000) }
  assert.deepEqual(open(store(record)), record)
})
