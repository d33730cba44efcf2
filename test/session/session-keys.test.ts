import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ENDED_ALL_KEY,
  endedKey,
  endedSidKey,
  endedSubKey,
  idpSessionKey,
  isSessionKey,
  memberOf,
  SESSION_PREFIX,
  sessionKey,
  sessionKeyOf,
  sessionOf,
  usedKey,
  userKey,
} from '../../src/session/session-keys.ts'

test('the names of the keys stay: under others a new release, or the old one beside it, would find no session and no mark', () => {
  const key = sessionKey('b_a')
  const hash = 'WKMpA6_D0U2vsXVR-z-j87'
  const user = '7_tn9w9XNtXFr5BjlIs-52'
  assert.deepEqual(
    [key, usedKey(key), endedKey(key)],
    [`session:{${hash}}`, `session:{${hash}}:used`, `ended-session:{${hash}}`],
  )
  assert.deepEqual(
    [userKey, idpSessionKey, endedSidKey, endedSubKey].map((name) => name('https://idp.example', 'ada')),
    [`user:{${user}}`, `idp-sid:{${user}}`, `ended-sid:{${user}}`, `ended-sub:{${user}}`],
  )
  assert.equal(ENDED_ALL_KEY, 'ended-all')
})

test('all records are found by the beginning of their keys, and told from all else that belongs to a session', () => {
  const key = sessionKey('b_a')
  assert.ok(key.startsWith(SESSION_PREFIX))
  const others = [usedKey(key), endedKey(key), `${key}:refresh`, userKey('a', 'b'), '', 'session:{', '}']
  assert.deepEqual([isSessionKey(key), others.some(isSessionKey)], [true, false])
  assert.deepEqual([key, usedKey(key)].map(sessionOf), [key, key])
})

test('a list names a session by its hash alone, which leads back to its key', () => {
  const key = sessionKey('b_a')
  assert.match(memberOf(key), /^[\w-]{22}$/)
  assert.equal(sessionKeyOf(memberOf(key)), key)
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
