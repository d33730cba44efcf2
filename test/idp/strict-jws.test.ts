import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { importJWK } from 'jose'
import { parseJws, TokenRefused, verifyJws } from '../../src/idp/strict-jws.ts'
import { createKey, signJws } from './hostile-idp.ts'

const key = createKey('k1')
const publicKey = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: String(key.jwk.x) }, 'EdDSA')
assert.ok(!(publicKey instanceof Uint8Array))

const asked: unknown[] = []
const keys = {
  findKey: async ({ kid }: { kid?: string | undefined }) => {
    asked.push(kid)
    return kid === 'k1' ? publicKey : undefined
  },
}

/** The reason of the refusal; fails when there is none. */
async function refusal(token: string): Promise<string> {
  const error = await verifyJws(token, keys).then(
    () => assert.fail('the token was believed'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof TokenRefused, String(error))
  return error.reason
}

const encode = (text: string | Buffer): string => Buffer.from(text).toString('base64url')
const good = { alg: 'EdDSA', kid: 'k1' }
const segmentsOf = (token: string): [string, string, string] => token.split('.') as [string, string, string]

test('ID-01 a token of the right key is believed, under either name of the algorithm', async () => {
  for (const alg of ['EdDSA', 'Ed25519']) {
    const { header, claims } = await verifyJws(signJws({ sub: 'alice' }, key, { alg, kid: 'k1', typ: 'JWT' }), keys)
    assert.deepEqual([header, claims], [{ alg, kid: 'k1', typ: 'JWT' }, { sub: 'alice' }])
  }
})

test('ID-01 one flipped bit, anywhere, is refused', async () => {
  const token = signJws({ sub: 'alice' }, key)
  const [header, claims, signature] = segmentsOf(token)
  const other = signJws({ sub: 'mallory' }, key)
  assert.equal(await refusal([header, segmentsOf(other)[1], signature].join('.')), 'signature')
  const octets = Buffer.from(signature, 'base64url')
  for (const index of [0, 31, 32, 63]) {
    const flipped = Buffer.from(octets)
    flipped.writeUInt8(flipped.readUInt8(index) ^ 1, index)
    assert.equal(await refusal([header, claims, encode(flipped)].join('.')), 'signature')
  }
  assert.equal(await refusal([header, claims, encode(octets.subarray(0, 63))].join('.')), 'signature')
})

test('ID-01 a token that another key signed under the same id is refused', async () => {
  assert.equal(await refusal(signJws({ sub: 'alice' }, createKey('k1'))), 'signature')
  assert.equal(await refusal(signJws({ sub: 'alice' }, createKey('k1', 'ed448'))), 'signature')
})

test('LG-05 a refusal has its reason in its message, and what the library said as its cause', async () => {
  const error = await verifyJws(signJws({ sub: 'alice' }, createKey('k1')), keys).catch((reason: unknown) => reason)
  assert.ok(error instanceof TokenRefused && error.cause instanceof Error)
  assert.equal(error.message, 'token refused: signature')
})

test('ID-02 alg none is refused, in every spelling and with or without a signature', async () => {
  const payload = encode('{"sub":"alice"}')
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
    const header = encode(JSON.stringify({ alg, kid: 'k1' }))
    assert.equal(await refusal(`${header}.${payload}.`), 'segments')
    assert.equal(await refusal(`${header}.${payload}.AAAA`), 'alg')
  }
})

test('ID-02 an HMAC made with the public key, in any of its forms, or with the client secret is refused', async () => {
  const forms = [
    Buffer.from(String(key.jwk.x), 'base64url'),
    Buffer.from(String(key.jwk.x)),
    key.publicKey.export({ format: 'der', type: 'spki' }),
    key.publicKey.export({ format: 'pem', type: 'spki' }),
    Buffer.from('the-client-secret'),
  ]
  for (const secret of forms) {
    const input = `${encode('{"alg":"HS256","kid":"k1"}')}.${encode('{"sub":"alice"}')}`
    assert.equal(await refusal(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`), 'alg')
  }
})

test('ID-02 every other algorithm is refused before a key is looked for', async () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const input = `${encode('{"alg":"RS256","kid":"k1"}')}.${encode('{"sub":"alice"}')}`
  asked.length = 0
  assert.equal(
    await refusal(`${input}.${sign('sha256', Buffer.from(input), rsa.privateKey).toString('base64url')}`),
    'alg',
  )
  for (const alg of ['ES256', 'PS256', 'HS512', 'Ed448', 'eddsa', 'EDDSA', 7, null, ['EdDSA'], undefined]) {
    assert.equal(await refusal(signJws({ sub: 'alice' }, key, { alg, kid: 'k1' })), 'alg')
  }
  assert.deepEqual(asked, [])
})

test('ID-04 keys that the token brings along or points to are ignored', async () => {
  const attacker = createKey('k1')
  const hints = { jwk: attacker.jwk, jku: 'https://evil.example/jwks', x5u: 'https://evil.example/x', x5c: ['MIIB'] }
  assert.equal(await refusal(signJws({ sub: 'alice' }, attacker, { ...good, ...hints })), 'signature')
  assert.equal(await refusal(signJws({ sub: 'alice' }, attacker, { alg: 'EdDSA', ...hints, kid: 'k2' })), 'key_unknown')
  assert.deepEqual((await verifyJws(signJws({ sub: 'alice' }, key, { ...good, ...hints }), keys)).claims, {
    sub: 'alice',
  })
})

test('ID-04 crit is refused, whatever it lists', async () => {
  for (const crit of [['exp'], ['b64'], [], 'b64', null]) {
    assert.equal(await refusal(signJws({ sub: 'alice' }, key, { ...good, crit, b64: true })), 'crit')
  }
})

test('ID-05 a token is refused when no key fits, and its id must be text', async () => {
  assert.equal(await refusal(signJws({ sub: 'alice' }, key, { alg: 'EdDSA', kid: 'unknown' })), 'key_unknown')
  assert.equal(await refusal(signJws({ sub: 'alice' }, key, { alg: 'EdDSA' })), 'key_unknown')
  assert.equal(await refusal(signJws({ sub: 'alice' }, key, { alg: 'EdDSA', kid: 7 })), 'kid')
  assert.equal(await refusal(signJws({ sub: 'alice' }, key, { alg: 'EdDSA', kid: null })), 'kid')
})

test('ID-06 anything but three segments is refused, five of them as encrypted', async () => {
  const [header, claims, signature] = segmentsOf(signJws({ sub: 'alice' }, key))
  assert.equal(await refusal([header, claims, signature, claims, signature].join('.')), 'encrypted')
  for (const token of [
    '',
    '.',
    '..',
    '...',
    header,
    `${header}.${claims}`,
    `${header}.${claims}.`,
    `.${claims}.${signature}`,
  ]) {
    assert.equal(await refusal(token), 'segments', token)
  }
  assert.equal(await refusal(`${header}..${signature}`), 'segments')
  assert.equal(await refusal(`${header}.${claims}.${signature}.${signature}`), 'segments')
})

test('ID-06 padding, white space, the other alphabet and loose bits are refused', async () => {
  const [header, claims, signature] = segmentsOf(signJws({ sub: 'alice' }, key))
  const loose = `${signature.slice(0, -1)}${signature.endsWith('A') ? 'B' : String.fromCharCode(signature.charCodeAt(85) + 1)}`
  const wrong = [
    `${signature}==`,
    ` ${signature}`,
    `${signature}\n`,
    `+${signature.slice(1)}`,
    `/${signature.slice(1)}`,
    loose,
  ]
  for (const changed of wrong) assert.equal(await refusal(`${header}.${claims}.${changed}`), 'segments', changed)
  assert.equal(await refusal(`${header}=.${claims}.${signature}`), 'segments')
  assert.equal(await refusal(`${header}.${claims}=.${signature}`), 'segments')
  assert.equal(await refusal(`${header}.${claims} .${signature}`), 'segments')
})

test('ID-06 header and claims must be JSON objects in UTF-8', async () => {
  const notObjects = [
    '[]',
    '"text"',
    'null',
    '7',
    '{',
    '{"sub":"a"} x',
    '{"sub":"a",}',
    "{'sub':'a'}",
    ' ',
    'NaN',
    '\ufeff{}',
  ]
  for (const text of notObjects) {
    assert.equal(await refusal(signJws(text, key)), 'json', text)
    assert.equal(await refusal(signJws({ sub: 'alice' }, key, text)), 'json', text)
  }
  const latin1 = Buffer.from('{"sub":"J\xfcrgen"}', 'latin1')
  const input = `${encode(JSON.stringify(good))}.${encode(latin1)}`
  assert.equal(
    await refusal(`${input}.${sign(null, Buffer.from(input), key.privateKey).toString('base64url')}`),
    'json',
  )
  assert.deepEqual((await verifyJws(signJws('{"sub":"Jürgen 💚"}', key), keys)).claims, { sub: 'Jürgen 💚' })
})

test('ID-06 a member that stands twice is refused, at any depth and however it is spelled', async () => {
  const twice = [
    '{"sub":"alice","sub":"mallory"}',
    '{"sub":"alice","\\u0073ub":"mallory"}',
    '{"sub" : "alice", "x":1,\n\t"sub"\n:\n"alice"}',
    '{"a":{"b":1,"b":2}}',
    '{"a":[{"b":1},{"c":{"d":{},"d":[]}}]}',
    '{"a":"{","b":"}","a":1}',
    '{"a":"{","a":1}',
    '{"a\\"":1,"b":"\\\\","a\\"":2}',
    '{"":1,"":2}',
    '{"__proto__":1,"__proto__":2}',
  ]
  for (const text of twice) assert.equal(await refusal(signJws(text, key)), 'json', text)
  assert.equal(await refusal(signJws({ sub: 'alice' }, key, '{"alg":"EdDSA","kid":"k1","kid":"k1"}')), 'json')
})

test('ID-06 the same name in different objects, or as a value, is no repetition', async () => {
  const once = [
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
    '{"a":"b","b":"a","c":["a","a","b"]}',
    '{"a":"\\"a\\":","b":"{\\"a\\":1,\\"a\\":2}"}',
    '{"a":{"x":1},"x":2,"y":{"x":1}}',
    '{"A":1,"a":2}',
  ]
  for (const text of once) assert.deepEqual((await verifyJws(signJws(text, key), keys)).claims, JSON.parse(text), text)
})

test('ID-06 a token of more than 16 KiB is refused, unread', async () => {
  /** Base64 leaves gaps in the lengths; padding the header as well fills them. */
  const exactly = (length: number): string => {
    for (let pad = 0; pad < 8; pad += 1) {
      const header = { ...good, pad: 'x'.repeat(pad) }
      const rest = length - encode(JSON.stringify(header)).length - 2 - 86
      const claims = { pad: 'x'.repeat(Math.floor((rest * 3) / 4) - '{"pad":""}'.length) }
      const token = signJws(claims, key, header)
      if (token.length === length) return token
    }
    return assert.fail()
  }
  await verifyJws(exactly(16_384), keys)
  asked.length = 0
  assert.equal(await refusal(exactly(16_385)), 'too_long')
  assert.equal(await refusal('['.repeat(10_000_000)), 'too_long')
  assert.deepEqual(asked, [])
})

test('ID-06 deep nesting and long strings are read without harm', async () => {
  const deep = `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`
  assert.ok(parseJws(signJws(deep, key)))
  assert.ok(parseJws(signJws(`{"a":"${'\\\\'.repeat(5000)}"}`, key)))
})

test('LG-01 the refusal says nothing of the token', async () => {
  for (const token of [
    signJws('{"sub":canary}', key),
    signJws('canary', key),
    `${signJws({ sub: 'canary' }, key)}canary`,
  ]) {
    const error = await verifyJws(token, keys).catch((reason: unknown) => reason)
    assert.ok(error instanceof Error)
    assert.doesNotMatch(`${error.message} ${error.cause}`, /canary/)
  }
})
