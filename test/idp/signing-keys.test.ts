import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildPublicJwks } from '../../src/idp/signing-keys.ts'
import { createSigningKey } from './build-idp.ts'

test('every key is published: the one that signs, the retired ones, and those of client assertions', () => {
  const [first, retired, assertion] = [createSigningKey('a'), createSigningKey('b'), createSigningKey('c', 'Ed25519')]
  const { keys } = buildPublicJwks({ jarKeys: [first, retired], assertionKeys: [assertion] })
  assert.deepEqual(keys, [first.publicJwk, retired.publicJwk, assertion.publicJwk])
})

test('KY-07: a key is published with its public members alone, whatever the object holds', () => {
  const key = createSigningKey('a')
  const leaky = { ...key, publicJwk: { ...key.publicJwk, d: 'canary', k: 'canary', key_ops: ['sign'] } }
  const { keys } = buildPublicJwks({ jarKeys: [leaky], assertionKeys: [] })
  assert.deepEqual(keys, [{ kty: 'OKP', crv: 'Ed25519', x: key.publicJwk.x, kid: 'a', alg: 'EdDSA', use: 'sig' }])
})

test('without keys the set is empty, not absent', () => {
  assert.deepEqual(buildPublicJwks({ jarKeys: [], assertionKeys: [] }), { keys: [] })
})
