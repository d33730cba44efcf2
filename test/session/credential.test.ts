import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCredential, createSecret, hashSecret, parseCredentialKind } from '../../src/session/credential.ts'

const KINDS = ['browser-cookie', 'app-cookie', 'app-token'] as const

test('SC-04: a credential tells its kind, and nothing but its exact form is one', () => {
  for (const kind of KINDS) {
    const credential = createCredential(kind)
    assert.equal(parseCredentialKind(credential), kind)
    const prefix = credential.slice(0, 2)
    const others = [
      `x${credential}`,
      ` ${credential}`,
      `${credential}x`,
      `${credential}\n`,
      `${credential} ${credential}`,
      credential.slice(0, -1),
      credential.slice(2),
      credential.toUpperCase(),
      `${prefix}${'+'.repeat(43)}`,
      `${prefix}${'.'.repeat(43)}`,
      `x_${credential.slice(2)}`,
      '',
    ]
    for (const other of others) assert.equal(parseCredentialKind(other), undefined, JSON.stringify(other))
  }
})

test('a secret has as many random octets as are asked for, 32 where nobody asks', () => {
  const octetsOf = (secret: string): number => Buffer.from(secret, 'base64url').length
  assert.deepEqual([octetsOf(createSecret()), octetsOf(createSecret(16))], [32, 16])
  assert.match(createSecret(), /^[\w-]{43}$/)
  assert.notEqual(createSecret(), createSecret())
})

test('SC-05: what the store knows of a secret is its SHA-256', () => {
  assert.equal(
    hashSecret('abc'),
    'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0',
    'the example of FIPS 180-2 in base64url',
  )
})
