import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { adviseOn } from '../../examples/expo/protocol/advice.ts'
import { Failure, readBody, readHandoff, readSignOut, readView } from '../../examples/expo/protocol/answers.ts'
import { judgeDeepLink } from '../../examples/expo/protocol/deep-link.ts'
import { buildCall, buildHandoff } from '../../examples/expo/protocol/requests.ts'
import { buildChallenge, createSecret, encodeBase64Url } from '../../examples/expo/protocol/secrets.ts'
import { buildStartUrl, createSignIn, type SessionKind } from '../../examples/expo/protocol/sign-in.ts'
import { buildDeepLink } from '../../src/login/deep-link.ts'
import vectors from '../app/vectors.json' with { type: 'json' }

const SERVICE = { url: 'https://app.example.com', app: 'ios', deepLink: 'com.example.app:/signed-in' }
const sha256 = async (octets: Uint8Array): Promise<Uint8Array> => hash('sha256', octets, 'buffer')

/** @returns the failure that it came to */
function failureOf(work: () => unknown): Failure {
  try {
    work()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  return assert.fail('nothing failed')
}

test('vectors: octets in base64url, as Node writes them', () => {
  for (const { hex, text } of vectors.base64url) {
    const octets = Buffer.from(hex, 'hex')
    assert.equal(octets.toString('base64url'), text)
    assert.equal(encodeBase64Url(octets), text)
  }
  for (let length = 0; length < 70; length++) {
    const octets = randomBytes(length)
    assert.equal(encodeBase64Url(octets), octets.toString('base64url'))
  }
})

test('vectors: a challenge is the S256 of its verifier, as Node computes it', async () => {
  for (const { verifier, sha256: digest, challenge } of vectors.challenges) {
    assert.match(verifier, /^[A-Za-z0-9._~-]{43,128}$/)
    assert.equal(hash('sha256', verifier, 'hex'), digest)
    assert.equal(hash('sha256', verifier, 'base64url'), challenge)
    assert.equal(await buildChallenge(verifier, sha256), challenge)
  }
})

test('secrets have 43 characters and are never the same', () => {
  const octets = (count: number): Uint8Array => randomBytes(count)
  const secrets = Array.from({ length: 100 }, () => createSecret(octets))
  assert.ok(secrets.every((secret) => /^[A-Za-z0-9_-]{43}$/.test(secret)))
  assert.equal(new Set(secrets).size, 100)
  const { verifier, state } = createSignIn('token', octets)
  assert.notEqual(verifier, state)
})

test('vectors: what the browser opens', async () => {
  for (const { service, app, verifier, state, url } of vectors.starts) {
    const signIn = { verifier, state, kind: 'token' } as const
    assert.equal(buildStartUrl({ ...SERVICE, url: service, app }, signIn, await buildChallenge(verifier, sha256)), url)
    assert.deepEqual(Object.fromEntries(new URL(url).searchParams), {
      app,
      code_challenge: hash('sha256', verifier, 'base64url'),
      code_challenge_method: 'S256',
      state,
    })
  }
})

for (const { what, deepLink, state, link, verdict } of vectors.links) {
  test(`vectors: deep link: ${what}: ${verdict.kind}`, () => {
    const signIn = state === null ? undefined : ({ verifier: 'v', state, kind: 'token' } as const)
    assert.deepEqual(judgeDeepLink({ ...SERVICE, deepLink }, signIn, link), verdict)
  })
}

test('what the service writes is what the app reads, whatever the state is', () => {
  for (const deepLink of ['https://app.example.com/signed-in', 'com.example.app:/signed-in?from=bff']) {
    for (const state of ['a b+c%20d&e=f#g?h/i', `é ü 漢 😀 "'<>\\^|\``, '%', '+', 's'.repeat(512)]) {
      const signIn = { verifier: 'v', state, kind: 'token' } as const
      const service = { ...SERVICE, deepLink }
      const code = createSecret((count) => randomBytes(count))
      assert.deepEqual(judgeDeepLink(service, signIn, buildDeepLink(deepLink, { code, state })), {
        kind: 'redeem',
        code,
      })
      const failed = buildDeepLink(deepLink, { error: 'login_required', state })
      assert.deepEqual(judgeDeepLink(service, signIn, failed), { kind: 'failed', error: 'login_required' })
      assert.deepEqual(judgeDeepLink(service, signIn, buildDeepLink(deepLink, { code, state: `${state}x` })), {
        kind: 'foreign',
      })
    }
  }
})

test('vectors: how a code is redeemed', () => {
  for (const { service, session, verifier, code, url, body } of vectors.handoffs) {
    const signIn = { verifier, state: 's', kind: session as SessionKind }
    const request = buildHandoff({ ...SERVICE, url: service }, signIn, code)
    assert.deepEqual([request.method, request.url, JSON.parse(request.body ?? '')], ['POST', url, body])
    assert.equal(request.headers['content-type'], 'application/json')
  }
})

test('vectors: a credential is sent to the service and nowhere else', () => {
  const token = { kind: 'token', token: 't' } as const
  for (const path of vectors.paths.good) {
    const { url, headers } = buildCall(SERVICE, token, path)
    assert.equal(new URL(url).origin, SERVICE.url)
    assert.equal(url, SERVICE.url + path)
    assert.equal(headers.authorization, 'Bearer t')
  }
  for (const path of vectors.paths.bad) assert.throws(() => buildCall(SERVICE, token, path), RangeError, path)
  assert.deepEqual(buildCall(SERVICE, { kind: 'cookie' }, '/').headers, { accept: 'application/json' })
})

test('vectors: what an answer says that is a failure', () => {
  for (const { what, status, body, retryAfter, code, errorId, retryAfterS } of vectors.failures) {
    const failure = failureOf(() => readBody({ status, body, retryAfter: retryAfter ?? undefined }))
    const read = [failure.code, failure.errorId ?? null, failure.retryAfterS ?? null]
    assert.deepEqual(read, [code, errorId, retryAfterS], what)
  }
})

test('vectors: who is signed in', () => {
  for (const { what, body, view } of vectors.views) {
    const answer = { status: 200, body }
    if (view === 'unexpected') assert.equal(failureOf(() => readView(answer)).code, view, what)
    else if (typeof view === 'string') assert.equal(readView(answer), null, what)
    else {
      const { sub, name, email, expiresInS } = view
      const user = { sub, name: name ?? undefined, email: email ?? undefined }
      assert.deepEqual(readView(answer), { user, expiresInS }, what)
    }
  }
})

test('a session that came in another kind than was asked for is none', () => {
  const view = { authenticated: true, user: { sub: 'u1' }, expires_in: 1 }
  const withToken = { status: 200, body: JSON.stringify({ ...view, session_token: 't' }) }
  assert.deepEqual(readHandoff(withToken, 'token').credential, { kind: 'token', token: 't' })
  assert.deepEqual(readHandoff(withToken, 'cookie').credential, { kind: 'cookie' })
  assert.throws(() => readHandoff({ status: 200, body: JSON.stringify(view) }, 'token'), Failure)
  assert.throws(() => readHandoff({ status: 200, body: '{"authenticated":false}' }, 'cookie'), Failure)
})

test('vectors: where a sign-out leads on to', () => {
  for (const { body, url } of vectors.signOuts) assert.equal(readSignOut(SERVICE, { status: 200, body }), url, body)
})

test('vectors: what the app does about each failure', () => {
  for (const [advice, codes] of Object.entries(vectors.advice)) {
    for (const code of codes) assert.equal(adviseOn(code), advice, code)
  }
})
