import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ENDED_ALL_KEY,
  endedKey,
  endedSidKey,
  endedSubKey,
  idpSessionKey,
  META_SUFFIX,
  metaKey,
  SESSION_PREFIX,
  sessionKey,
  usedKey,
  userKey,
} from '../../src/session/session-keys.ts'

test('the names of the keys stay: under others a new release, or the old one beside it, would find no session and no mark', () => {
  const key = sessionKey('b_a')
  const hash = 'WKMpA6_D0U2vsXVR-z-j876wE7uQAcND9k6ONxBH-qY'
  const user = '7_tn9w9XNtXFr5BjlIs-52LVCHWMV1NHYhuC-x-wKU4'
  assert.deepEqual(
    [key, metaKey(key), usedKey(key), endedKey(key)],
    [`session:{${hash}}`, `session:{${hash}}:meta`, `session:{${hash}}:used`, `ended-session:{${hash}}`],
  )
  assert.deepEqual(
    [userKey, idpSessionKey, endedSidKey, endedSubKey].map((name) => name('https://idp.example', 'ada')),
    [`user:{${user}}`, `idp-session:{${user}}`, `ended-sid:{${user}}`, `ended-sub:{${user}}`],
  )
  assert.equal(ENDED_ALL_KEY, 'ended-all')
})

test('what a list shows is found by its beginning and its end, and nothing else of a session is', () => {
  const key = sessionKey('b_a')
  const isListed = (name: string): boolean => name.startsWith(SESSION_PREFIX) && name.endsWith(META_SUFFIX)
  const others = [key, usedKey(key), endedKey(key), endedKey(metaKey(key)), userKey('a', 'b')]
  assert.deepEqual([isListed(metaKey(key)), others.some(isListed)], [true, false])
})

test('ID-12: two names are hashed as two: no end of one with the beginning of the other makes the same key', () => {
  const pairs = [
    ['a', 'bc'],
    ['ab', 'c'],
    ['a","b', 'c'],
    ['a', 'b","c'],
    ['abc', ''],
    ['', 'abc'],
  ] as const
  assert.equal(new Set(pairs.map(([issuer, sub]) => userKey(issuer, sub))).size, pairs.length)
})
