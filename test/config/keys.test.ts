import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { test } from 'node:test'
import { computeThumbprint, haveCommonKey, parseSigningKeys, type SigningKeyOptions } from '../../src/config/keys.ts'
import { RFC_8037_JWK, RFC_8037_THUMBPRINT } from './valid-env.ts'

const EDDSA: SigningKeyOptions = { alg: 'EdDSA' }

const parse = (text: string, options = EDDSA) =>
  parseSigningKeys(text, options, (sentence) => assert.fail(`must not be refused: ${sentence}`))

function findProblems(text: string, options = EDDSA): readonly string[] {
  const problems: string[] = []
  parseSigningKeys(text, options, (sentence) => problems.push(sentence))
  return problems
}

const makePem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()
const makeEd25519 = (): KeyObject => generateKeyPairSync('ed25519').privateKey
const makeJwk = (members: object = {}) => ({ ...makeEd25519().export({ format: 'jwk' }), ...members })

test('RO-17 KY-07 the key of RFC 8037 A.1 is read, named by its thumbprint (A.3), and shown without its private part', () => {
  const [key, ...rest] = parse(JSON.stringify(RFC_8037_JWK))
  assert.ok(key)
  assert.deepEqual(rest, [])
  assert.equal(key.kid, RFC_8037_THUMBPRINT)
  assert.deepEqual(key.publicJwk, {
    kty: 'OKP',
    crv: 'Ed25519',
    x: RFC_8037_JWK.x,
    kid: RFC_8037_THUMBPRINT,
    alg: 'EdDSA',
    use: 'sig',
  })
  // RFC 8037 A.4: the signature is deterministic.
  const signature = sign(null, Buffer.from('eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc'), key.privateKey)
  assert.equal(
    signature.toString('base64url'),
    'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
  )
})

test('RO-17 KY-07 the public JWK calls the algorithm as JAR_ALG does', () => {
  const [key] = parse(JSON.stringify({ ...RFC_8037_JWK, alg: 'EdDSA' }), { alg: 'Ed25519' })
  assert.equal(key?.publicJwk.alg, 'Ed25519')
})

const FORMS: readonly (readonly [form: string, write: (key: KeyObject) => string])[] = [
  ['PKCS#8 PEM', makePem],
  ['PEM with \\n for line breaks', (key) => makePem(key).replaceAll('\n', '\\n')],
  ['PEM with \\r\\n for line breaks', (key) => makePem(key).replaceAll('\n', '\\r\\n')],
  ['PEM with CRLF', (key) => makePem(key).replaceAll('\n', '\r\n')],
  ['PEM after other text', (key) => `Bag Attributes\n    friendlyName: x\n${makePem(key)}`],
  ['private JWK', (key) => JSON.stringify(key.export({ format: 'jwk' }))],
  ['JWK for signatures', (key) => JSON.stringify({ ...key.export({ format: 'jwk' }), use: 'sig', key_ops: ['sign'] })],
  ['JWK Set', (key) => JSON.stringify({ keys: [key.export({ format: 'jwk' })] }, null, 2)],
]

for (const [form, write] of FORMS) {
  test(`a key given as ${form} signs, and its public JWK verifies`, () => {
    const privateKey = makeEd25519()
    const [key] = parse(write(privateKey))
    assert.ok(key)
    const { x, kid } = key.publicJwk
    assert.equal(kid, computeThumbprint(x))
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    assert.ok(verify(null, Buffer.from('data'), publicKey, sign(null, Buffer.from('data'), key.privateKey)))
    assert.deepEqual(publicKey.export({ format: 'jwk' }), createPublicKey(privateKey).export({ format: 'jwk' }))
  })
}

test('KY-08 several keys stay in their order: the first signs, all are published', () => {
  const some = [makeEd25519(), makeEd25519(), makeEd25519()]
  const expected = some.map((key) => key.export({ format: 'jwk' }).x)
  const pem = parse(some.map(makePem).join('\n'))
  const jwks = parse(JSON.stringify({ keys: some.map((key) => key.export({ format: 'jwk' })) }))
  assert.deepEqual(
    pem.map(({ publicJwk }) => publicJwk.x),
    expected,
  )
  assert.deepEqual(
    jwks.map(({ publicJwk }) => publicJwk.x),
    expected,
  )
})

test("JAR_KEY_ID names the first key, where that has no name of its own; a JWK's kid stays", () => {
  const options = { ...EDDSA, keyId: 'oten-7' }
  const kids = (text: string) => parse(text, options).map(({ kid, publicJwk }) => [kid, publicJwk.kid])
  const other = makeJwk({ kid: 'next' })
  assert.deepEqual(kids(makePem(makeEd25519())), [['oten-7', 'oten-7']])
  assert.deepEqual(kids(JSON.stringify({ keys: [makeJwk(), other] })), [
    ['oten-7', 'oten-7'],
    ['next', 'next'],
  ])
  assert.deepEqual(kids(JSON.stringify(makeJwk({ kid: 'oten-7' }))), [['oten-7', 'oten-7']])
  // As `npm run keys` writes it: a thumbprint is not a name that somebody assigned.
  assert.deepEqual(kids(JSON.stringify({ ...RFC_8037_JWK, kid: RFC_8037_THUMBPRINT })), [['oten-7', 'oten-7']])
  assert.deepEqual(findProblems(JSON.stringify(makeJwk({ kid: 'another' })), options), [
    'has a kid in its first key that JAR_KEY_ID contradicts; remove one of the two',
  ])
  assert.equal(parse(JSON.stringify(makeJwk({ kid: 'mine' })))[0]?.kid, 'mine')
})

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const pemOf = (type: 'ed448' | 'x25519' | 'x448'): KeyObject =>
  type === 'ed448'
    ? generateKeyPairSync('ed448').privateKey
    : type === 'x448'
      ? generateKeyPairSync('x448').privateKey
      : generateKeyPairSync('x25519').privateKey
const jwkOf = (key: KeyObject): string => JSON.stringify(key.export({ format: 'jwk' }))
const ed = makeEd25519()
const publicKey = createPublicKey(ed)
const jwk = ed.export({ format: 'jwk' })
const unlike = (members: object): string => JSON.stringify({ ...jwk, ...members })

const REFUSED: readonly (readonly [what: string, text: string, reason: RegExp])[] = [
  ['an RSA PEM', makePem(rsa), /key 1 is an RSA key; an Ed25519 private key is needed/],
  ['an RSA PEM of its own form', rsa.export({ type: 'pkcs1', format: 'pem' }).toString(), /is an RSA key/],
  ['an EC PEM', makePem(ec), /is an EC key/],
  ['an EC PEM of its own form', ec.export({ type: 'sec1', format: 'pem' }).toString(), /is an EC key/],
  ['an Ed448 PEM', makePem(pemOf('ed448')), /is an Ed448 key/],
  ['an X25519 PEM', makePem(pemOf('x25519')), /is an X25519 key/],
  ['an X448 PEM', makePem(pemOf('x448')), /is an X448 key/],
  ['a public PEM', publicKey.export({ type: 'spki', format: 'pem' }).toString(), /is a public key/],
  [
    'an encrypted PEM',
    ed.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString(),
    /encrypted private key; decrypt it/,
  ],
  ['an OpenSSH key', '-----BEGIN OPENSSH PRIVATE KEY-----\nc4nary\n-----END OPENSSH PRIVATE KEY-----', /OpenSSH/],
  ['an unknown PEM', '-----BEGIN C4NARY-----\nc4nary\n-----END C4NARY-----', /something else/],
  [
    'a PEM with a broken body',
    '-----BEGIN PRIVATE KEY-----\nc4nary\n-----END PRIVATE KEY-----',
    /not readable as PKCS#8/,
  ],
  ['a PEM that is cut off', makePem(ed).slice(0, 60), /incomplete PEM block/],
  ['a second PEM that is cut off', makePem(ed) + makePem(makeEd25519()).slice(0, 60), /incomplete PEM block/],
  ['a second PEM of another type', makePem(ed) + makePem(ec), /key 2 is an EC key/],
  ['an RSA JWK', jwkOf(rsa), /is an RSA key/],
  ['an EC JWK', jwkOf(ec), /is an EC key/],
  ['an Ed448 JWK', jwkOf(pemOf('ed448')), /is an Ed448 key/],
  ['an X25519 JWK', jwkOf(pemOf('x25519')), /is an X25519 key/],
  ['a symmetric JWK', '{"kty":"oct","k":"c4nary"}', /is a symmetric key/],
  ['a JWK of unknown type', '{"kty":"c4nary"}', /is a key of another type/],
  ['a JWK without type', '{}', /is a key of another type/],
  ['a public JWK', JSON.stringify(publicKey.export({ format: 'jwk' })), /is a public key/],
  ['a JWK for encryption', unlike({ use: 'enc' }), /not for signatures/],
  ['a JWK that may only verify', unlike({ key_ops: ['verify'] }), /not for signing/],
  ['a JWK with odd key_ops', unlike({ key_ops: 'sign' }), /not for signing/],
  ['a JWK of another alg', unlike({ alg: 'c4nary' }), /neither EdDSA nor Ed25519/],
  ['a JWK whose kid is a number', unlike({ kid: 4 }), /kid that is not a name/],
  ['a JWK whose kid is empty', unlike({ kid: '' }), /kid that is not a name/],
  ["a JWK with another key's x", unlike({ x: RFC_8037_JWK.x }), /x that does not belong to its d/],
  ['a JWK without x', unlike({ x: undefined }), /d or an x that is missing/],
  ['a JWK whose d is no string', unlike({ d: 4 }), /d or an x that is missing/],
  ['a JWK whose d is padded', unlike({ d: `${jwk.d}=` }), /not base64url/],
  ['a JWK whose d is short', unlike({ d: 'c4nary' }), /not a valid Ed25519 key|not base64url/],
  ['a JWK whose d is 31 octets', unlike({ d: Buffer.alloc(31, 7).toString('base64url') }), /not a valid Ed25519 key/],
  ['an empty JWK Set', '{"keys":[]}', /JWK Set without keys/],
  ['a JWK Set that is none', '{"keys":"c4nary"}', /JWK Set without keys/],
  [
    'a JWK Set with a public key',
    JSON.stringify({ keys: [jwk, publicKey.export({ format: 'jwk' })] }),
    /key 2 is a public key/,
  ],
  ['a JWK Set with something else', JSON.stringify({ keys: ['c4nary'] }), /key 1 is not a JWK/],
  ['a list of JWKs', JSON.stringify([jwk]), /is not a JWK/],
  [
    'a kid twice',
    JSON.stringify({ keys: [makeJwk({ kid: 'c4nary' }), makeJwk({ kid: 'c4nary' })] }),
    /two keys of the same kid/,
  ],
  [
    'a key twice',
    JSON.stringify({
      keys: [
        { ...jwk, kid: '1' },
        { ...jwk, kid: '2' },
      ],
    }),
    /same key twice/,
  ],
  ['text', 'c4nary', /neither PEM nor JSON/],
  ['broken JSON', '{"c4nary":', /neither PEM nor JSON/],
]

for (const [what, text, reason] of REFUSED) {
  test(`RO-17 KY-09 ${what} is refused without being shown`, () => {
    const problems = findProblems(text)
    assert.equal(problems.length, 1, problems.join(' | '))
    assert.match(problems[0] ?? '', reason)
    for (const hidden of ['c4nary', 'C4NARY', jwk.d ?? '', text.slice(30, 60)]) {
      assert.ok(hidden === '' || !problems.join().includes(hidden), problems.join())
    }
  })
}

test('RO-18 a key and a kid are each enough to make two lists overlap', () => {
  const mine = parse(JSON.stringify({ ...jwk, kid: 'a' }))
  assert.ok(haveCommonKey(mine, parse(JSON.stringify({ ...jwk, kid: 'b' }))))
  assert.ok(haveCommonKey(mine, parse(JSON.stringify({ keys: [makeJwk(), makeJwk({ kid: 'a' })] }))))
  assert.ok(!haveCommonKey(mine, parse(JSON.stringify(makeJwk({ kid: 'b' })))))
})
